/**
 * Files what comes in at one height: votes into the tallies, proposals by their rounds, lock
 * certificates as the votes and attestations in them. If a message names a block that is not known
 * here, the block's judgement is asked for.
 */
import { unreachable } from "../../base/assert.js";
import { emptyBytes, toHex } from "../../base/bytes.js";
import type { Proposal } from "../../gen/bss/v1/vote_pb.js";
import type { HeightState } from "../height/height-state.js";
import type { HeightEvent, Outgoing, Task } from "./events.js";

export type IntakePorts = {
  readonly selfId: string;
  readonly state: HeightState;
  readonly round: () => number;
  readonly send: (message: Outgoing) => void;
  readonly start: (task: Task) => void;
};

/** What others say, and what the rules make of a block. */
type FiledEvent = Exclude<HeightEvent, { kind: "wake" | "built" }>;

export class Intake {
  readonly #ports: IntakePorts;

  constructor(ports: IntakePorts) {
    this.#ports = ports;
  }

  /** False when the event changes nothing, so that junk neither starts nor delays a height. */
  take(event: FiledEvent): boolean {
    const { state, round } = this.#ports;
    switch (event.kind) {
      case "proposal":
        return this.takeProposal(event.proposal);
      case "vote": {
        const added = state.votes.add(event.vote, round());
        return added === "added" || added === "conflict" || event.vote.round > round();
      }
      case "attestation":
        return state.attestations.add(event.attestation);
      case "lock-certificate":
        if (!state.takeIn(event.certificate, round())) return false;
        this.validateIfUnknown(event.certificate.polka?.blockId ?? emptyBytes);
        return true;
      case "judged":
        return state.judgements.add(toHex(event.blockId), event.judgement);
      default:
        return unreachable(event);
    }
  }

  takeProposal(proposal: Proposal): boolean {
    const { state, round: currentRound, selfId, send } = this.#ports;
    const { round, managerId } = proposal;
    const { height, members } = state.context;
    if (managerId !== members.proposer(height, round)) return false;
    state.votes.sawRound(managerId, round);
    if (proposal.lockCertificate !== undefined) {
      state.takeIn(proposal.lockCertificate, currentRound());
    }
    const relayed = state.addProposal(proposal, currentRound());
    if (relayed === undefined) return round > currentRound();
    if (managerId !== selfId) send({ kind: "proposal", proposal: relayed });
    this.validateIfUnknown(proposal.blockId);
    return true;
  }

  validateIfUnknown(blockId: Uint8Array): void {
    if (this.#ports.state.judgements.expect(blockId)) this.#askToValidate(blockId);
  }

  /** Asks again for the judgement of every block that has none yet. */
  askAgain(): void {
    for (const blockId of this.#ports.state.judgements.awaited()) this.#askToValidate(blockId);
  }

  #askToValidate(blockId: Uint8Array): void {
    const { state, selfId, start } = this.#ports;
    const { height } = state.context;
    const holders = state.holders(toHex(blockId)).filter((id) => id !== selfId);
    start({ kind: "validate", height, blockId, holders });
  }
}
