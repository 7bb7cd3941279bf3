/** What is sent again while a height is undecided: messages get lost, and peers restart. */
import type { LockCertificate } from "../../gen/bss/v1/block_pb.js";
import { VoteKind } from "../../gen/bss/v1/vote_pb.js";
import type { HeightState } from "../height/height-state.js";
import type { Outgoing } from "./events.js";

/** The proposals and votes of this round and the one before, and what a lock needs. */
export function messagesToResend(
  state: HeightState,
  round: number,
  certificate: LockCertificate | undefined,
): readonly Outgoing[] {
  const messages: Outgoing[] = [];
  for (const each of [round - 1, round]) {
    const proposal = state.proposals.get(each);
    if (proposal !== undefined) messages.push({ kind: "proposal", proposal });
    for (const vote of state.votes.votesOfRound(each)) {
      // ACCEPTs belong to no round and come with each.
      if (vote.kind === VoteKind.ACCEPT && each !== round) continue;
      messages.push({ kind: "vote", vote });
    }
  }
  if (certificate !== undefined) messages.push({ kind: "lock-certificate", certificate });
  for (const polka of state.votes.blocksApprovedBy(state.quorum)) {
    if (polka.round !== round) continue;
    for (const attestation of state.attestations.of(round, polka.block)) {
      messages.push({ kind: "attestation", attestation });
    }
  }
  return messages;
}
