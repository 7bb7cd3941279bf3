/**
 * What this manager says at one height. Each thing is said once: one PROPOSE, APPROVE and
 * COMMIT per round, one ACCEPT per block. A manager that has restarted first recalls what it
 * has said before.
 */
import { toHex } from "../base/bytes.js";
import type { LockCertificate } from "../gen/bss/v1/block_pb.js";
import { type Proposal, type Vote, VoteKind } from "../gen/bss/v1/vote_pb.js";
import type { Lock, Statement } from "./events.js";

export class Speaker {
  readonly #height: number;
  readonly #said = new Set<string>();
  #pending: Statement[] = [];

  constructor(height: number) {
    this.#height = height;
  }

  /** Marks what the disk holds as said. */
  recall(votes: readonly Vote[], proposals: readonly Proposal[]): void {
    for (const { round } of proposals) this.#said.add(`propose/${round}`);
    for (const vote of votes) this.#said.add(keyOf(vote));
  }

  hasProposed(round: number): boolean {
    return this.#said.has(`propose/${round}`);
  }

  hasApproved(round: number): boolean {
    return this.#said.has(`approve/${round}`);
  }

  hasCommitted(round: number): boolean {
    return this.#said.has(`commit/${round}`);
  }

  /** `lockCertificate` goes with a block that is proposed again. */
  propose(
    round: number,
    validRound: number,
    blockId: Uint8Array,
    lockCertificate?: LockCertificate,
  ): void {
    const statement = {
      kind: "propose",
      height: this.#height,
      round,
      validRound,
      blockId,
    } as const;
    const certified = lockCertificate === undefined ? {} : { lockCertificate };
    this.#say(`propose/${round}`, { ...statement, ...certified });
  }

  accept(blockId: Uint8Array): void {
    this.#say(`accept/${toHex(blockId)}`, { kind: "accept", height: this.#height, blockId });
  }

  approve(round: number, validRound: number, blockId: Uint8Array): void {
    const height = this.#height;
    this.#say(`approve/${round}`, { kind: "approve", height, round, validRound, blockId });
  }

  /** `lock` goes with a block, never with nil. */
  commit(round: number, blockId: Uint8Array, lock?: Lock): void {
    const statement = { kind: "commit", height: this.#height, round, blockId } as const;
    this.#say(`commit/${round}`, lock === undefined ? statement : { ...statement, lock });
  }

  /** What is to be signed since the last call. */
  take(): readonly Statement[] {
    const statements = this.#pending;
    this.#pending = [];
    return statements;
  }

  #say(key: string, statement: Statement): void {
    if (this.#said.has(key)) return;
    this.#said.add(key);
    this.#pending.push(statement);
  }
}

function keyOf(vote: Vote): string {
  switch (vote.kind) {
    case VoteKind.ACCEPT:
      return `accept/${toHex(vote.blockId)}`;
    case VoteKind.APPROVE:
      return `approve/${vote.round}`;
    default:
      return `commit/${vote.round}`;
  }
}
