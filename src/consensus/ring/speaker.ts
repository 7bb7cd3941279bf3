/**
 * What this manager says at one height. Each thing is said once: one PROPOSE, APPROVE and
 * COMMIT per round, one ACCEPT per block. A manager that has restarted first recalls what it
 * has said before.
 */
import { toHex } from "../../base/bytes.js";
import type { LockCertificate } from "../../gen/bss/v1/block_pb.js";
import { type Proposal, type Vote, VoteKind } from "../../gen/bss/v1/vote_pb.js";
import { acceptsPerManagerMax, roundsBehindMax } from "../height/vote-tally.js";
import type { BlockKey, Lock, Statement } from "./events.js";

export class Speaker {
  readonly #height: number;
  /** By round; rounds that are long over are forgotten, as nothing is said there any more. */
  readonly #said = new Map<number, Set<"propose" | "approve" | "commit">>();
  /** Blocks; one that has been forgotten may be accepted again, in the same words. */
  readonly #accepted = new Set<BlockKey>();
  #pending: Statement[] = [];

  constructor(height: number) {
    this.#height = height;
  }

  /** Marks what the disk holds as said. */
  recall(votes: readonly Vote[], proposals: readonly Proposal[]): void {
    for (const { round } of proposals) this.#isFirst("propose", round);
    for (const { kind, round, blockId } of votes) {
      if (kind === VoteKind.ACCEPT) this.#accepted.add(toHex(blockId));
      else this.#isFirst(kind === VoteKind.APPROVE ? "approve" : "commit", round);
    }
  }

  hasProposed(round: number): boolean {
    return this.#said.get(round)?.has("propose") ?? false;
  }

  hasApproved(round: number): boolean {
    return this.#said.get(round)?.has("approve") ?? false;
  }

  hasCommitted(round: number): boolean {
    return this.#said.get(round)?.has("commit") ?? false;
  }

  /** Forgets what was said long before the current round, to which a manager never goes back. */
  prune(currentRound: number): void {
    for (const round of this.#said.keys()) {
      if (round < currentRound - roundsBehindMax) this.#said.delete(round);
    }
  }

  /** `lockCertificate` goes with a block that is proposed again. */
  propose(
    round: number,
    validRound: number,
    blockId: Uint8Array,
    lockCertificate?: LockCertificate,
  ): void {
    if (!this.#isFirst("propose", round)) return;
    const height = this.#height;
    const statement = { kind: "propose", height, round, validRound, blockId } as const;
    const certified = lockCertificate === undefined ? {} : { lockCertificate };
    this.#pending.push({ ...statement, ...certified });
  }

  accept(blockId: Uint8Array): void {
    const block = toHex(blockId);
    if (this.#accepted.has(block)) return;
    this.#accepted.add(block);
    const [oldest] = this.#accepted;
    if (this.#accepted.size > acceptsPerManagerMax && oldest !== undefined) {
      this.#accepted.delete(oldest);
    }
    this.#pending.push({ kind: "accept", height: this.#height, blockId });
  }

  approve(round: number, validRound: number, blockId: Uint8Array): void {
    if (!this.#isFirst("approve", round)) return;
    const height = this.#height;
    this.#pending.push({ kind: "approve", height, round, validRound, blockId });
  }

  /** `lock` goes with a block, never with nil. */
  commit(round: number, blockId: Uint8Array, lock?: Lock): void {
    if (!this.#isFirst("commit", round)) return;
    const statement = { kind: "commit", height: this.#height, round, blockId } as const;
    this.#pending.push(lock === undefined ? statement : { ...statement, lock });
  }

  /** What is to be signed since the last call. */
  take(): readonly Statement[] {
    const statements = this.#pending;
    this.#pending = [];
    return statements;
  }

  /** Marks it as said in that round; false when it was. */
  #isFirst(kind: "propose" | "approve" | "commit", round: number): boolean {
    const said = this.#said.get(round) ?? new Set();
    if (said.has(kind)) return false;
    this.#said.set(round, said.add(kind));
    return true;
  }
}
