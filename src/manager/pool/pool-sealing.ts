/**
 * Seals the records of the pool while they wait, so that no round waits for it: what has passed
 * screening here will most likely be in a block. It goes in pieces, and pauses between them like
 * screening. What a block needs before its turn has come is sealed with the block.
 */
import { type ParsedRecord, sealLeaf } from "../../ledger/records/records.js";
import type { ParsedSubmission } from "../../ledger/records/submissions.js";
import type { BackgroundWork } from "../background-work.js";
import type { Pause } from "../screening/screening.js";
import type { Pool } from "./pool.js";

/** A millisecond of work. */
const recordsAtOnce = 100;
/** Submissions that wait for it; beyond, their blocks seal them. */
const waitingMax = 1_000;

export type PoolSealingParts = {
  /** 32 bytes. */
  readonly epochKey: Uint8Array;
  /** The pauses of work that begins now. */
  readonly pauses: () => Pause;
  readonly pool: Pick<Pool, "has" | "seal">;
  readonly background: Pick<BackgroundWork, "follow">;
};

export class PoolSealing {
  readonly #parts: PoolSealingParts;
  readonly #waiting = new Map<string, ParsedSubmission>();
  #running = false;

  constructor(parts: PoolSealingParts) {
    this.#parts = parts;
  }

  add(submission: ParsedSubmission): void {
    if (this.#waiting.size >= waitingMax) return;
    this.#waiting.set(submission.idHex, submission);
    if (this.#running) return;
    this.#running = true;
    this.#parts.background.follow(this.#run());
  }

  async #run(): Promise<void> {
    const { epochKey, pauses, pool } = this.#parts;
    const seal = (record: ParsedRecord) => sealLeaf(epochKey, record);
    const pause = pauses();
    // What has just been said to others leaves first.
    await pause();
    let sealed = 0;
    for (const [idHex, submission] of this.#waiting) {
      this.#waiting.delete(idHex);
      for (const { hashHex } of submission.records) {
        if (!pool.has(idHex)) break;
        pool.seal(hashHex, seal);
        sealed += 1;
        if (sealed % recordsAtOnce === 0) await pause();
      }
    }
    this.#running = false;
  }
}
