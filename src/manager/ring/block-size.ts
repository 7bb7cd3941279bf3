/**
 * How many records a block of this manager holds. Large blocks cost less for each record, but while
 * one is on its way everybody waits for it. So as soon as somebody has few records that wait beside
 * those of others, blocks become as small as it takes to have one final in a good time, and a
 * submission that comes alone does not wait long behind the imports of others. Few are as many as
 * fit into its part of one large block: who has more waits for several blocks anyway, and is done
 * sooner when these are large. So imports do not slow each other down.
 *
 * That time grows with the number of imports. Beside one of them a single record waits about as
 * long as a fair part of the machine takes it; beside many it would have to wait longer anyway, and
 * small blocks would take more from all of them than they give to the one.
 *
 * The time of a round is taken as `perRecord · (fixed + records)`, where `fixed` is what a block
 * costs whatever it holds, in records. A machine or network that becomes slow changes `perRecord`;
 * the number of nodes determines `fixed`. Both are learned from the latest blocks, whoever made
 * them, by medians: a manager that makes its own rounds slow does not make others' blocks small. A
 * block is never so small that its fixed cost is more than half of it, or four fifths while blocks
 * are small, so with thousands of storage nodes blocks stay large.
 */
import { defined } from "../../base/assert.js";
import type { RoundTimeouts } from "../../gen/bss/v1/genesis_pb.js";

export type BlockSizeOptions = {
  /** What the policy allows. */
  readonly recordsMax: number;
  readonly timeouts: Pick<RoundTimeouts, "proposeMs">;
};

/** A block that has been appended. */
export type RoundTaken = {
  /** Each counts as much as its work (ledger/records/intervals.ts). */
  readonly records: number;
  /** How long the round took in which it was decided; undefined for one that a peer shipped. */
  readonly roundMs: number | undefined;
  /** What each participant had that waited for it, in records. */
  readonly waiting: readonly number[];
  /** Managers that have turns; f of them may make their rounds as slow as they like. */
  readonly managers: number;
  /** Monotonic. */
  readonly nowMs: number;
};

type Mode = "alone" | "shared";
/** What a round may take, of the time after which managers give up on a proposal. */
const aloneShare = 1 / 2;
/** While blocks are small: so much for each participant that has many records, within bounds. */
const sharedShare = { ofEach: 1 / 128, least: 1 / 64, most: 1 / 16 } as const;
/** The least that a block holds, of the fixed cost in records. */
const least = { alone: 1, shared: 1 / 4 } as const;
/** Blocks of fewer would cost nearly as much, and are too much alike to learn from. */
const sharedRecordsMin = 50;
/** Blocks stay small so long after somebody had few records that waited beside others'. */
const sharedForMs = 30_000;
const recordsMin = 20;
/** The fixed cost before anything is known of it, in records: of 4 managers and some 10 nodes. */
const fixedAtFirst = 100;
/** Blocks from which the fixed cost is learned, and how far it moves at each. */
const samplesMax = 16;
const fixedStep = 0.2;
/** What is left of it after a block, while it bounds blocks and nothing can be learned. */
const fixedDecay = 0.98;
/** Of these at least a median is taken. */
const roundsMin = 3;

type Sample = { readonly records: number; readonly roundMs: number };

export class BlockSize {
  readonly #options: BlockSizeOptions;
  /** The latest one last. */
  readonly #samples: Sample[] = [];
  #fixed = fixedAtFirst;
  /** ms; undefined before the first block. */
  #perRecord: number | undefined;
  #sharedUntilMs = Number.NEGATIVE_INFINITY;
  /** Participants that had many records that waited for the latest block. */
  #importers = 0;

  constructor(options: BlockSizeOptions) {
    this.#options = options;
  }

  /** `nowMs` is monotonic. */
  recordsMax(nowMs: number): number {
    return this.#recordsMax(this.#modeAt(nowMs));
  }

  onAppended(round: RoundTaken): void {
    const { records, roundMs, waiting, managers, nowMs } = round;
    const many = this.#recordsMax("alone") / waiting.length;
    this.#importers = waiting.filter((each) => each >= many).length;
    const isShared = waiting.length > 1 && this.#importers < waiting.length;
    if (isShared) this.#sharedUntilMs = nowMs + sharedForMs;
    if (roundMs === undefined) return;
    this.#samples.push({ records, roundMs });
    if (this.#samples.length > samplesMax) this.#samples.shift();
    this.#learnFixed(nowMs);
    const latest = this.#samples.slice(-Math.max(managers, roundsMin));
    this.#perRecord = median(latest.map((each) => each.roundMs / (this.#fixed + each.records)));
  }

  #modeAt(nowMs: number): Mode {
    return nowMs < this.#sharedUntilMs ? "shared" : "alone";
  }

  #recordsMax(mode: Mode): number {
    const wanted = Math.max(this.#recordsInTime(mode), this.#recordsForCost(mode), recordsMin);
    return Math.min(Math.floor(wanted), this.#options.recordsMax);
  }

  #recordsInTime(mode: Mode): number {
    if (this.#perRecord === undefined) return Number.POSITIVE_INFINITY;
    const share = mode === "alone" ? aloneShare : this.#sharedShare;
    return (this.#options.timeouts.proposeMs * share) / this.#perRecord - this.#fixed;
  }

  get #sharedShare(): number {
    const { ofEach, least, most } = sharedShare;
    return Math.min(Math.max(this.#importers * ofEach, least), most);
  }

  /** So many that the fixed cost is no larger a part of the block than it may be. */
  #recordsForCost(mode: Mode): number {
    const records = this.#fixed * least[mode];
    return mode === "shared" ? Math.max(records, sharedRecordsMin) : records;
  }

  /** By the median of the slopes between blocks that differ enough in size (Theil and Sen). */
  #learnFixed(nowMs: number): void {
    const samples = this.#samples;
    const largest = Math.max(...samples.map(({ records }) => records));
    const apart = Math.max(recordsMin, largest / 4);
    const slopes = samples.flatMap((a, i) =>
      samples
        .slice(i + 1)
        .filter((b) => Math.abs(a.records - b.records) >= apart)
        .map((b) => (a.roundMs - b.roundMs) / (a.records - b.records)),
    );
    if (slopes.length === 0) {
      // Blocks that are all as long as this bound say nothing of it, so it must not hold itself up.
      const mode = this.#modeAt(nowMs);
      if (this.#recordsInTime(mode) < this.#recordsForCost(mode))
        this.#fixed = this.#bounded(this.#fixed * fixedDecay);
      return;
    }
    const slope = median(slopes);
    if (slope <= 0) return;
    const fixedMs = median(samples.map(({ records, roundMs }) => roundMs - slope * records));
    this.#fixed += fixedStep * (this.#bounded(fixedMs / slope) - this.#fixed);
  }

  #bounded(fixed: number): number {
    return Math.min(Math.max(fixed, recordsMin), this.#options.recordsMax);
  }
}

/** The lower one of an even number. */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return defined(sorted[Math.floor((sorted.length - 1) / 2)], "there are values");
}
