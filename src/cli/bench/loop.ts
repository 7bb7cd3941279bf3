/**
 * A load that runs until it is told to stop: it hands submissions to the client library and notes
 * what became of each. What is measured, and when, is the business of measure-load.ts.
 *
 *     pace ──due──▶ submitStream ──outcome──▶ entries
 *
 * Nothing is hidden: refused records are counted by reason, and a submission without an answer
 * stays an entry without one.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { BssClient } from "../../client/bss-client.js";
import type { SubmissionOutcome } from "../../client/submit/submit-stream.js";
import type { Submission } from "../../gen/bss/v1/record_pb.js";
import { countDueBefore, dueMs, type Schedule } from "./schedule.js";

/**
 * A *closed* loop keeps a number of submissions in flight: it shows what the consortium can do, and
 * slows down with it.
 */
export type ClosedLoop = {
  readonly kind: "closed";
  /** Records of one submission. */
  readonly batchRecords: number;
  /** Submissions without an answer at any time. */
  readonly inFlight: number;
};

/**
 * An *open* loop submits by a schedule, as meters do, whatever the consortium does: it shows what a
 * participant feels.
 */
export type OpenLoop = {
  readonly kind: "open";
  readonly batchRecords: number;
  /** Submissions that come due in a second, at even distances. */
  readonly perS: number;
};

export type Entry = {
  /** When it was due by the schedule, or handed over; ms of `performance.now()`. */
  readonly dueMs: number;
  answeredMs: number | undefined;
  /** Records of it that are final. */
  committed: number;
  /** Records that are not, by reason. */
  refused: Readonly<Record<string, number>>;
  /** Heights of the blocks with its records. */
  heights: readonly bigint[];
};

export type Loop = {
  /** Resolves when enough was answered for the clock to start, or when the load has ended. */
  readonly warm: Promise<void>;
  readonly entries: readonly Entry[];
  /** How often the stream to a manager was lost. */
  readonly reconnects: number;
  /** Why the load ended by itself. */
  readonly failure: string | undefined;
  /**
   * Hands over nothing that is due later, waits for what is unanswered, at most so long, and
   * returns when the waiting ended, ms of `performance.now()`.
   */
  stop(drainMsMax: number): Promise<number>;
};

export type LoopOptions = {
  readonly load: ClosedLoop | OpenLoop;
  /** The exact bytes of so many records. */
  readonly records: (count: number) => readonly Uint8Array[];
  /** The clock starts after this time, and not before `inFlight` or 4 submissions are answered. */
  readonly warmUpMs: number;
};

/** Fewest answers before the clock starts: connections, compiled code, full pipelines. */
const warmUpAnswersMin = 4;
/**
 * Of an open loop: no participant has more without an answer, and submissions that are due beyond
 * it wait here. Their time runs.
 */
const openInFlightMax = 1_024;

export function startLoop(client: BssClient, options: LoopOptions): Loop {
  return new LoadLoop(client, options);
}

class LoadLoop implements Loop {
  readonly entries: Entry[] = [];
  readonly warm: Promise<void>;
  reconnects = 0;
  failure: string | undefined;
  readonly #client: BssClient;
  readonly #options: LoopOptions;
  readonly #schedule: Schedule | undefined;
  readonly #giveUp = new AbortController();
  /** Wakes who waits for the next one to be due. */
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #stopMs = Number.POSITIVE_INFINITY;
  #answered = 0;
  #onWarm = () => {};

  constructor(client: BssClient, options: LoopOptions) {
    this.#client = client;
    this.#options = options;
    const { load, warmUpMs } = options;
    const startMs = performance.now();
    this.#schedule = load.kind === "open" ? { startMs, perS: load.perS } : undefined;
    const answered = new Promise<void>((resolve) => {
      this.#onWarm = resolve;
    });
    this.#running = this.#run();
    const both = Promise.all([answered, sleep(warmUpMs)]);
    this.warm = Promise.race([both, this.#running]).then(() => {});
  }

  async stop(drainMsMax: number): Promise<number> {
    this.#stopMs = performance.now();
    this.#stopping.abort();
    const timer = setTimeout(() => this.#giveUp.abort(), drainMsMax);
    await this.#running;
    clearTimeout(timer);
    this.#noteUnsent();
    return performance.now();
  }

  async #run(): Promise<void> {
    const { load } = this.#options;
    const outcomes = this.#client.submitStream(this.#submissions(), {
      inFlightMax: load.kind === "closed" ? load.inFlight : openInFlightMax,
      signal: this.#giveUp.signal,
      onReconnect: () => {
        this.reconnects += 1;
      },
    });
    try {
      for await (const outcome of outcomes) this.#note(outcome);
    } catch (error) {
      if (!this.#giveUp.signal.aborted) this.failure = String(error);
    }
  }

  async *#submissions(): AsyncGenerator<Submission, void, void> {
    const { load, records } = this.#options;
    for (let index = 0; ; index++) {
      if (this.#schedule === undefined && this.#stopping.signal.aborted) return;
      const submission = this.#client.sign(records(load.batchRecords));
      const due = await this.#untilDue(index);
      if (due >= this.#stopMs) return;
      this.entries.push(entryOf(due));
      yield submission;
    }
  }

  async #untilDue(index: number): Promise<number> {
    if (this.#schedule === undefined) return performance.now();
    const due = dueMs(this.#schedule, index);
    const { signal } = this.#stopping;
    const waitMs = Math.min(due, this.#stopMs) - performance.now();
    if (waitMs > 0) await sleep(waitMs, undefined, { signal }).catch(() => {});
    return due;
  }

  #note({ index, response, refusal }: SubmissionOutcome): void {
    const { load } = this.#options;
    this.#answered += 1;
    const enough = load.kind === "closed" ? Math.max(warmUpAnswersMin, load.inFlight) : 1;
    if (this.#answered >= enough) this.#onWarm();
    const entry = this.entries[index];
    if (entry === undefined) return;
    entry.answeredMs = performance.now();
    if (response === undefined) {
      entry.refused = { [refusal.reason]: load.batchRecords };
      return;
    }
    const refused: Record<string, number> = {};
    for (const { outcome } of response.outcomes) {
      if (outcome.case === "committed") entry.committed += 1;
      else {
        const reason = outcome.case === "objection" ? outcome.value.reason : `${outcome.case}`;
        refused[reason] = (refused[reason] ?? 0) + 1;
      }
    }
    entry.refused = refused;
    entry.heights = response.blocks.map(({ height }) => height);
  }

  /** What was due and never got out of here is late as well. */
  #noteUnsent(): void {
    if (this.#schedule === undefined) return;
    const count = countDueBefore(this.#schedule, this.#stopMs);
    while (this.entries.length < count) {
      this.entries.push(entryOf(dueMs(this.#schedule, this.entries.length)));
    }
  }
}

function entryOf(due: number): Entry {
  return { dueMs: due, answeredMs: undefined, committed: 0, refused: {}, heights: [] };
}

/** Records that became final in `[fromMs, toMs)`. */
export function recordsFinal(entries: readonly Entry[], fromMs: number, toMs: number): number {
  return answeredIn(entries, fromMs, toMs).reduce((total, { committed }) => total + committed, 0);
}

/** Heights of the blocks that these records are in. */
export function heightsOf(entries: readonly Entry[], fromMs: number, toMs: number): Set<bigint> {
  return new Set(answeredIn(entries, fromMs, toMs).flatMap(({ heights }) => heights));
}

/** Records that were refused, by reason. */
export function refusedOf(entries: readonly Entry[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { refused } of entries) {
    for (const [reason, count] of Object.entries(refused)) {
      counts[reason] = (counts[reason] ?? 0) + count;
    }
  }
  return counts;
}

function answeredIn(entries: readonly Entry[], fromMs: number, toMs: number): readonly Entry[] {
  return entries.filter(
    ({ answeredMs }) => answeredMs !== undefined && answeredMs >= fromMs && answeredMs < toMs,
  );
}
