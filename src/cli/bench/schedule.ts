/**
 * When submissions of an open loop are due, and how late their answers are.
 *
 * A client that waits for a slow server sends less, so it measures less often just while the server
 * is slow: *coordinated omission*. Here a submission's time runs from the moment when it was due by
 * the schedule, whether or not it could be sent then, and one that was never answered counts with
 * the time that it has waited.
 */

export type Schedule = {
  /** When the first one is due, ms of `performance.now()`. */
  readonly startMs: number;
  readonly perS: number;
};

/** When the submission with this index, from 0, is due. */
export function dueMs({ startMs, perS }: Schedule, index: number): number {
  return startMs + (index * 1_000) / perS;
}

/** How many are due before `endMs`. */
export function countDueBefore({ startMs, perS }: Schedule, endMs: number): number {
  return Math.max(0, Math.ceil(((endMs - startMs) * perS) / 1_000));
}

/** One submission: when it was due or, in a closed loop, handed over; when its answer came. */
export type Timing = {
  readonly dueMs: number;
  readonly answeredMs?: number | undefined;
};

/** Times until an answer, ascending, of all that was due in `[fromMs, toMs)`. */
export function latenciesMs(
  timings: readonly Timing[],
  {
    fromMs,
    toMs,
    endMs,
  }: { readonly fromMs: number; readonly toMs: number; readonly endMs: number },
): readonly number[] {
  return timings
    .filter((timing) => timing.dueMs >= fromMs && timing.dueMs < toMs)
    .map((timing) => (timing.answeredMs ?? endMs) - timing.dueMs)
    .toSorted((a, b) => a - b);
}

/**
 * The smallest of the values that at least this share of them does not exceed ("nearest rank").
 * `sorted` ascends; NaN for none.
 */
export function quantile(sorted: readonly number[], share: number): number {
  const rank = Math.max(1, Math.ceil(share * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}
