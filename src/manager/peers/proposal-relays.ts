/**
 * Passes proposals on ([R4.1.4]): whoever the proposer has left out gets a round's proposal from
 * the others, and two proposals of one round come together somewhere.
 *
 * A proposer that leaves nobody out is the rule, so a proposal is passed on a moment later, to
 * those that have not shown by then that they hold it: by passing it on themselves, or by approving
 * its block in its round. If the height is decided before, it goes out then, so that a proposer
 * that signs twice is found out all the same. A proposal that the ring sends again later goes to
 * all.
 */
import { toHex } from "../../base/bytes.js";
import { type Proposal, type Vote, VoteKind } from "../../gen/bss/v1/vote_pb.js";
import type { AppendedBlock } from "../../store/manager-store.js";
import type { ManagerContext } from "../manager-context.js";
import type { PeerSender } from "./peer-sender.js";

/** So long others may take to show that they hold a proposal. */
export const relayAfterMs = 100;
/** Proposals of which it is known who holds them; of more the oldest is forgotten. */
export const proposalsNotedMax = 256;

type Noted = {
  readonly height: number;
  readonly holders: Set<string>;
  /** To be passed on, and since when; undefined before it comes, and once it has gone out. */
  waiting: { readonly proposal: Proposal; readonly sinceMs: number } | undefined;
  /** The ring has asked once to pass it on. */
  relayed: boolean;
};

type Context = Pick<ManagerContext, "selfId" | "monotonicMs">;
export type ProposalRelaysParts = { readonly peers: Pick<PeerSender, "peerIds" | "tell"> };

export class ProposalRelays {
  readonly #context: Context;
  readonly #parts: ProposalRelaysParts;
  /** By height, rounds and block. */
  readonly #noted = new Map<string, Noted>();

  constructor(context: Context, parts: ProposalRelaysParts) {
    this.#context = context;
    this.#parts = parts;
  }

  /** A manager has shown that it holds a proposal: this one, or that of the block it approves. */
  hear(from: string, statement: Proposal | Vote): void {
    const isVote = "kind" in statement;
    if (isVote && (statement.kind !== VoteKind.APPROVE || statement.managerId !== from)) return;
    this.#noteOf(statement).holders.add(from);
  }

  /** The ring passes a proposal on: its first time can wait. */
  send(proposal: Proposal): void {
    const { selfId, monotonicMs } = this.#context;
    const { managerId } = proposal;
    const noted = this.#noteOf(proposal);
    if (noted.relayed || managerId === selfId) {
      this.#parts.peers.tell({ case: "proposal", value: proposal });
      return;
    }
    noted.relayed = true;
    noted.holders.add(managerId);
    noted.waiting = { proposal, sinceMs: monotonicMs() };
  }

  /** To be called at intervals. */
  tick(): void {
    const dueMs = this.#context.monotonicMs() - relayAfterMs;
    for (const noted of this.#noted.values()) {
      if (noted.waiting !== undefined && noted.waiting.sinceMs <= dueMs) this.#passOn(noted);
    }
  }

  /** Heights up to the block's are decided. */
  onAppended({ executed }: Pick<AppendedBlock, "executed">): void {
    const { height } = executed.facts;
    for (const [key, noted] of this.#noted) {
      if (noted.height > height) continue;
      this.#passOn(noted);
      this.#noted.delete(key);
    }
  }

  #passOn(noted: Noted): void {
    const { waiting, holders } = noted;
    if (waiting === undefined) return;
    noted.waiting = undefined;
    const { peers } = this.#parts;
    for (const peerId of peers.peerIds) {
      if (holders.has(peerId)) continue;
      peers.tell({ case: "proposal", value: waiting.proposal }, peerId);
    }
  }

  #noteOf({ height, round, validRound, blockId }: Proposal | Vote): Noted {
    const key = `${height}/${round}/${validRound}/${toHex(blockId)}`;
    let noted = this.#noted.get(key);
    if (noted === undefined) {
      noted = { height: Number(height), holders: new Set(), waiting: undefined, relayed: false };
      this.#noted.set(key, noted);
      this.#dropBeyond();
    }
    return noted;
  }

  #dropBeyond(): void {
    const [oldest] = this.#noted;
    if (this.#noted.size <= proposalsNotedMax || oldest === undefined) return;
    this.#passOn(oldest[1]);
    this.#noted.delete(oldest[0]);
  }
}
