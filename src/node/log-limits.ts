/**
 * Bounds on what a node writes to its log, whatever others do. Every line passes here, so no place
 * that logs has to think of it.
 *
 * Lines are counted by their text and by whom they name: each such pair may have some lines at once
 * and then a few a minute. A line that names nobody is about the node itself and may come more
 * often. All lines together have a budget of bytes: one for lines that name others and one for the
 * node's own, so that no flood hides how the node itself is. The first error of a kind has a budget
 * of its own. Fatal lines are always written: there is one, and then the process ends. Lines that
 * are left out are counted, and the count is written with the next line of their kind, or once a
 * minute for all.
 */
import { RateLimits } from "../base/rate-limits.js";

/** Together they stay below 9 MB in any hour: perSecond · 3,600 + burst of the three budgets. */
const logLimits = {
  /** Lines of one text that name one and the same peer, address or method. */
  linesPerCauser: { perSecond: 2 / 60, burst: 5 },
  /** Lines of one text that name nobody. */
  linesOfItsOwn: { perSecond: 10 / 60, burst: 60 },
  bytesOfOthers: { perSecond: 900, burst: 512 * 1024 },
  bytesOfItsOwn: { perSecond: 800, burst: 512 * 1024 },
  bytesOfFirstErrors: { perSecond: 300, burst: 512 * 1024 },
  /** Pairs of text and causer that are kept apart. */
  causersMax: 4_096,
  summaryEveryMs: 60_000,
} as const;

/** Pino's numbers. */
const levels = { info: 30, error: 50, fatal: 60 };
/** Pairs that are counted each by itself when lines are left out; pairs that a summary names. */
const countedMax = 256;
const namedMax = 5;
const nameCharsMax = 100;
/** Fields that say who caused a line, the most telling first. */
const causerFields = [
  ...["nodeId", "managerId", "peerId", "peer", "from", "peerAddress", "method"],
] as const;

type Budget = "others" | "own" | "first-error";

type LogEvent = {
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly level: number;
};

export type LogAdmission = {
  /** What the line's bytes are charged to. */
  readonly budget: Budget;
  /** Lines of this kind that were left out since the last one. */
  readonly leftOut: number;
};

type LeftOutSummary = { readonly leftOut: number; readonly most: readonly string[] };

const summed = "others";

export class LogLimits {
  readonly #monotonicMs: () => number;
  readonly #causers: RateLimits;
  readonly #own: RateLimits;
  readonly #bytes: Readonly<Record<Budget, RateLimits>>;
  readonly #errorsSeen = new Set<string>();
  readonly #leftOut = new Map<string, number>();
  #summaryAtMs: number;

  constructor(monotonicMs: () => number) {
    const { causersMax } = logLimits;
    const budget = (limit: { readonly perSecond: number; readonly burst: number }) =>
      new RateLimits({ ...limit, causersMax: 1 });
    this.#monotonicMs = monotonicMs;
    this.#causers = new RateLimits({ ...logLimits.linesPerCauser, causersMax });
    this.#own = new RateLimits({ ...logLimits.linesOfItsOwn, causersMax });
    this.#bytes = {
      others: budget(logLimits.bytesOfOthers),
      own: budget(logLimits.bytesOfItsOwn),
      "first-error": budget(logLimits.bytesOfFirstErrors),
    };
    this.#summaryAtMs = monotonicMs();
  }

  /** Whether a line may be written; undefined for one that is left out, which is counted. */
  admit(event: LogEvent): LogAdmission | undefined {
    if (event.level < levels.info || event.level >= levels.fatal) {
      return { budget: "own", leftOut: 0 };
    }
    const nowMs = this.#monotonicMs();
    const causer = causerOf(event.fields);
    const kind = causer === undefined ? "own" : "others";
    const key = `${event.text.slice(0, nameCharsMax)} (${causer ?? "itself"})`;
    const lines = kind === "own" ? this.#own : this.#causers;
    const isFirstError = event.level >= levels.error && this.#isNewError(key);
    const fits = lines.take(key, 1, nowMs) === 0 && this.#hasBytes(kind, nowMs);
    if (fits) return { budget: kind, leftOut: this.#takeLeftOut(key) };
    if (isFirstError && this.#hasBytes("first-error", nowMs)) {
      return { budget: "first-error", leftOut: 0 };
    }
    const counted = this.#leftOut.has(key) || this.#leftOut.size < countedMax ? key : summed;
    this.#leftOut.set(counted, (this.#leftOut.get(counted) ?? 0) + 1);
    return undefined;
  }

  /** Charges the bytes of a line that was written. */
  charge(budget: Budget, bytes: number): void {
    this.#bytes[budget].charge(budget, bytes, this.#monotonicMs());
  }

  /** What was left out since the last summary, once a minute; undefined if that is nothing. */
  summary(): LeftOutSummary | undefined {
    const nowMs = this.#monotonicMs();
    if (this.#leftOut.size === 0) return undefined;
    if (nowMs - this.#summaryAtMs < logLimits.summaryEveryMs) return undefined;
    this.#summaryAtMs = nowMs;
    const counts = [...this.#leftOut].toSorted(([, a], [, b]) => b - a);
    this.#leftOut.clear();
    return {
      leftOut: counts.reduce((sum, [, count]) => sum + count, 0),
      most: counts.slice(0, namedMax).map(([key, count]) => `${count} of: ${key}`),
    };
  }

  #hasBytes(budget: Budget, nowMs: number): boolean {
    return this.#bytes[budget].msInDebt(budget, nowMs) === 0;
  }

  #isNewError(key: string): boolean {
    if (this.#errorsSeen.has(key) || this.#errorsSeen.size >= logLimits.causersMax) return false;
    this.#errorsSeen.add(key);
    return true;
  }

  #takeLeftOut(key: string): number {
    const count = this.#leftOut.get(key) ?? 0;
    this.#leftOut.delete(key);
    return count;
  }
}

function causerOf(fields: Readonly<Record<string, unknown>>): string | undefined {
  for (const name of causerFields) {
    const value = fields[name];
    if (typeof value !== "string" || value === "") continue;
    // Each connection of one address has a port of its own.
    const causer = name === "peerAddress" ? value.replace(/:\d+$/, "") : value;
    return causer.slice(0, nameCharsMax);
  }
  return undefined;
}
