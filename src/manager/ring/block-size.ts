/**
 * How many records a block of this manager holds. Large blocks cost less for each record, but while
 * one is on its way everybody waits for it. So as soon as several participants have records that
 * wait, blocks become as small as it takes to have one final in a good time, and a submission that
 * comes alone does not wait long behind the imports of others.
 *
 * The time of a round is taken as `perRecord · (fixed + records)`, where `fixed` is what a block
 * costs whatever it holds, in records. A machine or network that becomes slow changes `perRecord`;
 * the number of nodes determines `fixed`. Both are learned from the blocks that are appended,
 * whoever made them. A block is never so small that its fixed cost is more than half of it, so with
 * thousands of storage nodes blocks stay large.
 */
import type { RoundTimeouts } from "../../gen/bss/v1/genesis_pb.js";

export type BlockSizeOptions = {
  /** What the policy allows. */
  readonly recordsMax: number;
  readonly timeouts: Pick<RoundTimeouts, "proposeMs">;
};

/** A block that has been appended. */
export type RoundTaken = {
  readonly records: number;
  /** How long the round took in which it was decided; undefined for one that a peer shipped. */
  readonly roundMs: number | undefined;
  /** Whether more than one participant had records that waited for it. */
  readonly isShared: boolean;
  /** Monotonic. */
  readonly nowMs: number;
};

/** What a round may take, of the time after which managers give up on a proposal. */
const shares = { alone: 1 / 2, shared: 1 / 8 } as const;
/** Blocks stay small so long after several participants had records that waited. */
const sharedForMs = 30_000;
const recordsMin = 20;
/** The fixed cost before anything is known of it, in records: of 4 managers and some 10 nodes. */
const fixedAtFirst = 100;
/** How much of what was learned stays at the next block. */
const memory = { fixed: 0.9, perRecord: 0.5 } as const;
const fixedStep = 0.2;

export class BlockSize {
  readonly #options: BlockSizeOptions;
  #fixed = fixedAtFirst;
  /** ms; undefined before the first block. */
  #perRecord: number | undefined;
  #sharedUntilMs = Number.NEGATIVE_INFINITY;
  /** Sums over blocks, of which older ones weigh less; n is their records and t their time. */
  readonly #sums = { weight: 0, n: 0, nn: 0, t: 0, nt: 0 };

  constructor(options: BlockSizeOptions) {
    this.#options = options;
  }

  /** `nowMs` is monotonic. */
  recordsMax(nowMs: number): number {
    const { recordsMax, timeouts } = this.#options;
    if (this.#perRecord === undefined) return recordsMax;
    const share = nowMs < this.#sharedUntilMs ? shares.shared : shares.alone;
    const inTime = (timeouts.proposeMs * share) / this.#perRecord - this.#fixed;
    const wanted = Math.floor(Math.max(inTime, this.#fixed, recordsMin));
    return Math.min(wanted, recordsMax);
  }

  onAppended({ records, roundMs, isShared, nowMs }: RoundTaken): void {
    if (isShared) this.#sharedUntilMs = nowMs + sharedForMs;
    if (roundMs === undefined) return;
    this.#learnFixed(records, roundMs);
    const perRecord = roundMs / (this.#fixed + records);
    const before = this.#perRecord ?? perRecord;
    this.#perRecord = memory.perRecord * before + (1 - memory.perRecord) * perRecord;
  }

  /** By the line through the latest blocks, if these differ enough in size to tell. */
  #learnFixed(n: number, t: number): void {
    const sums = this.#sums;
    const added = { weight: 1, n, nn: n * n, t, nt: n * t };
    for (const key of ["weight", "n", "nn", "t", "nt"] as const) {
      sums[key] = sums[key] * memory.fixed + added[key];
    }
    const [meanN, meanT] = [sums.n / sums.weight, sums.t / sums.weight];
    const variance = sums.nn / sums.weight - meanN * meanN;
    const covariance = sums.nt / sums.weight - meanN * meanT;
    if (variance < Math.max(recordsMin, meanN / 4) ** 2 || covariance <= 0) return;
    const slope = covariance / variance;
    const fixed = Math.max(0, meanT - slope * meanN) / slope;
    const bounded = Math.min(Math.max(fixed, recordsMin), this.#options.recordsMax);
    this.#fixed += fixedStep * (bounded - this.#fixed);
  }
}
