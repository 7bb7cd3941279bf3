/**
 * Metrics with labels, and a bound on how many series they can become.
 *
 * Each distinct combination of label values is a time series that Prometheus keeps for weeks and
 * this process for ever, so a peer that can invent label values can fill both. A label is
 * therefore either *closed*, one of a list known here, or *open*, a string from elsewhere (a rule,
 * a method, a queue). Combinations beyond `seriesMax`, and values longer than `labelCharsMax`, are
 * counted under "other". A combination that was let in stays in, so that a gauge's `inc` and `dec`
 * meet the same series.
 */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";

export const otherLabel = "other";
export const seriesMax = 256;
export const labelCharsMax = 64;

/** Label name → its known values, or "open". */
export type LabelSpec = Readonly<Record<string, readonly string[] | "open">>;

/** The labels that a metric of this specification takes. */
export type LabelsOf<S extends LabelSpec> = {
  readonly [K in keyof S]: S[K] extends readonly string[] ? S[K][number] : string;
};

export interface MetricTexts {
  readonly name: string;
  /** Says the unit. */
  readonly help: string;
}

export class LabelledCounter<S extends LabelSpec> {
  readonly #counter: Counter;
  readonly #limit: SeriesLimit<S>;

  constructor(registry: Registry, texts: MetricTexts, spec: S) {
    this.#limit = new SeriesLimit(spec);
    this.#counter = new Counter({
      ...texts,
      labelNames: Object.keys(spec),
      registers: [registry],
    });
    for (const labels of closedCombinations(spec)) this.#counter.inc(labels, 0);
  }

  inc(labels: LabelsOf<S>, by = 1): void {
    this.#counter.inc(this.#limit.admit(labels), by);
  }
}

export class LabelledGauge<S extends LabelSpec> {
  readonly #gauge: Gauge;
  readonly #limit: SeriesLimit<S>;

  constructor(registry: Registry, texts: MetricTexts, spec: S) {
    this.#limit = new SeriesLimit(spec);
    this.#gauge = new Gauge({ ...texts, labelNames: Object.keys(spec), registers: [registry] });
    for (const labels of closedCombinations(spec)) this.#gauge.set(labels, 0);
  }

  set(labels: LabelsOf<S>, value: number): void {
    this.#gauge.set(this.#limit.admit(labels), value);
  }

  inc(labels: LabelsOf<S>, by = 1): void {
    this.#gauge.inc(this.#limit.admit(labels), by);
  }

  dec(labels: LabelsOf<S>, by = 1): void {
    this.#gauge.dec(this.#limit.admit(labels), by);
  }

  /** Forgets every series, for a gauge that is set anew each time; its bound holds each time. */
  reset(): void {
    this.#gauge.reset();
    this.#limit.reset();
  }
}

export class LabelledHistogram<S extends LabelSpec> {
  readonly #histogram: Histogram;
  readonly #limit: SeriesLimit<S>;

  constructor(registry: Registry, texts: MetricTexts, spec: S, buckets: readonly number[]) {
    this.#limit = new SeriesLimit(spec);
    this.#histogram = new Histogram({
      ...texts,
      labelNames: Object.keys(spec),
      buckets: [...buckets],
      registers: [registry],
    });
  }

  observe(labels: LabelsOf<S>, value: number): void {
    this.#histogram.observe(this.#limit.admit(labels), value);
  }
}

class SeriesLimit<S extends LabelSpec> {
  readonly #spec: S;
  readonly #admitted = new Set<string>();

  constructor(spec: S) {
    this.#spec = spec;
  }

  admit(labels: LabelsOf<S>): Record<string, string> {
    const known = this.#known(labels);
    const key = JSON.stringify(Object.values(known));
    if (this.#admitted.has(key)) return known;
    if (this.#admitted.size >= seriesMax) return mapValues(known, () => otherLabel);
    this.#admitted.add(key);
    return known;
  }

  reset(): void {
    this.#admitted.clear();
  }

  #known(labels: LabelsOf<S>): Record<string, string> {
    const values: Readonly<Record<string, string>> = labels;
    return mapValues(this.#spec, (allowed, name) => {
      const value = values[name] ?? otherLabel;
      if (allowed === "open") return value.length <= labelCharsMax ? value : otherLabel;
      return allowed.includes(value) ? value : otherLabel;
    });
  }
}

/** Every combination when all labels are closed: starting at 0, a series has a rate at once. */
function closedCombinations(spec: LabelSpec): readonly Record<string, string>[] {
  let combinations: Record<string, string>[] = [{}];
  for (const [name, values] of Object.entries(spec)) {
    if (values === "open") return [];
    combinations = combinations.flatMap((one) =>
      values.map((value) => ({ ...one, [name]: value })),
    );
  }
  return combinations;
}

function mapValues<T>(
  object: Readonly<Record<string, T>>,
  change: (value: T, name: string) => string,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => [name, change(value, name)]),
  );
}
