/**
 * Local times around a change of clocks, of rows that ascend. When clocks go back, an hour comes
 * twice, and its times alone do not tell which one they mean; the order of the rows does:
 *
 *     01:45  02:00 … 02:45  02:00 … 02:45  03:00
 *            └ summer ────┘ └ winter ────┘
 *
 * Rows of that hour wait until the first row after it. Where they fall back once, the fall divides
 * them. Where they do not, the hour is there only once, and belongs to the side on which it joins
 * its neighbour without a gap; if it joins both or none, nobody can tell and the rows are refused.
 */
import type { TimeZone } from "../time-zone.js";

export type Placed<Row> =
  | { readonly row: Row; readonly ms: number }
  | { readonly row: Row; readonly problem: string };

type Waiting<Row> = {
  readonly row: Row;
  readonly localMs: number;
  readonly earlierMs: number;
  readonly laterMs: number;
  readonly intervalMs: number;
};

type Sequence<Row> = { lastMs: number | undefined; waiting: Waiting<Row>[] };

const dayMs = 86_400_000;
/** Of one sequence: two hours of rows of a second. */
const waitingMax = 8_000;

export class RepeatedHours<Row> {
  readonly #zone: TimeZone;
  readonly #stamp: "start" | "end";
  /** By meter, or one for rows of all meters. */
  readonly #sequences = new Map<string, Sequence<Row>>();

  constructor(zone: TimeZone, stamp: "start" | "end") {
    this.#zone = zone;
    this.#stamp = stamp;
  }

  /** Takes the next row of a sequence. Returns the rows whose moments are known by now. */
  add(name: string, row: Row, localMs: number, intervalMs: number): readonly Placed<Row>[] {
    const sequence = this.#sequences.get(name) ?? { lastMs: undefined, waiting: [] };
    this.#sequences.set(name, sequence);
    const [first, second] = this.#momentsOf(localMs);
    if (first === undefined) {
      return [{ row, problem: `clocks in ${this.#zone.name} leave this time out` }];
    }
    if (second === undefined) {
      const placed = this.#placeWaiting(sequence, first);
      sequence.lastMs = first;
      return [...placed, { row, ms: first }];
    }
    const [oldest] = sequence.waiting;
    const isOther = oldest !== undefined && Math.abs(oldest.localMs - localMs) > dayMs;
    const isFull = sequence.waiting.length === waitingMax;
    const placed = isOther || isFull ? this.#placeWaiting(sequence, undefined) : [];
    sequence.waiting.push({ row, localMs, earlierMs: first, laterMs: second, intervalMs });
    return placed;
  }

  /** No more rows come. */
  end(): readonly Placed<Row>[] {
    return [...this.#sequences.values()].flatMap((each) => this.#placeWaiting(each, undefined));
  }

  /**
   * The end of an interval may be the very moment of a change, which clocks never show as the time
   * that files name, or show twice: 02:00 before clocks go forward, 03:00 before they go back.
   */
  #momentsOf(localMs: number): readonly number[] {
    const moments = this.#zone.momentsOf(localMs);
    if (this.#stamp === "start") return moments;
    const before = this.#zone.momentsOf(localMs - 1);
    if (moments.length === 0) return before.map((ms) => ms + 1);
    const [only, ...others] = moments;
    const [earlier, later] = before;
    if (only === undefined || others.length > 0 || earlier === undefined || later === undefined) {
      return moments;
    }
    return [earlier + 1, only];
  }

  #placeWaiting(sequence: Sequence<Row>, nextMs: number | undefined): readonly Placed<Row>[] {
    const { waiting, lastMs } = sequence;
    if (waiting.length === 0) return [];
    sequence.waiting = [];
    const summerRows = countOfEarlier(waiting, lastMs, nextMs);
    const placed = waiting.map(({ row, earlierMs, laterMs }, i): Placed<Row> => {
      if (summerRows !== undefined) return { row, ms: i < summerRows ? earlierMs : laterMs };
      const problem =
        `this time comes twice in ${this.#zone.name}, and the rows around it do not tell which ` +
        "one it is; write it with its offset from UTC";
      return { row, problem };
    });
    const last = placed.at(-1);
    if (last !== undefined && "ms" in last) sequence.lastMs = last.ms;
    return placed;
  }
}

/** How many of the rows mean the earlier hour; undefined when nobody can tell. */
function countOfEarlier<Row>(
  waiting: readonly Waiting<Row>[],
  lastMs: number | undefined,
  nextMs: number | undefined,
): number | undefined {
  const [first, last] = [waiting[0], waiting.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const ascends =
    (lastMs === undefined || lastMs < first.earlierMs) &&
    (nextMs === undefined || nextMs > last.laterMs);
  if (!ascends) return undefined;
  const falls = waiting.flatMap(({ localMs }, i) => {
    const before = waiting[i - 1];
    return before !== undefined && localMs <= before.localMs ? [i] : [];
  });
  if (falls.length > 1) return undefined;
  const [fall] = falls;
  if (fall !== undefined) {
    const [before, after] = [waiting[fall - 1], waiting[fall]];
    if (before === undefined || after === undefined) return undefined;
    // The same time twice may be one row that is there twice, unless an interval lies between.
    const isCertain =
      after.localMs < before.localMs || before.earlierMs + before.intervalMs === after.laterMs;
    return isCertain ? fall : undefined;
  }
  const joinsBefore = lastMs !== undefined && lastMs + first.intervalMs === first.earlierMs;
  const joinsAfter = nextMs !== undefined && last.laterMs + last.intervalMs === nextMs;
  if (joinsBefore === joinsAfter) return undefined;
  return joinsBefore ? waiting.length : 0;
}
