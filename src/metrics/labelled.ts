/**
 * Metrics with labels. Two things can go wrong with them, and the classes here rule both out.
 *
 * 1. *A counter that begins at 1.* Prometheus sees an increase between two samples of one series;
 *    a series whose first sample is 1 has not increased, so the first event, often the only one, is
 *    not seen. A counter therefore knows the values of its labels beforehand and starts every
 *    series at 0. The values are a *closed* list in the code, or *known* ones that come while the
 *    node runs (`KnownLabels`). A counter cannot be declared without them.
 * 2. *Too many series.* Each combination of values is a series that Prometheus keeps for weeks and
 *    this process for ever, so a peer that can invent values can fill both. What is not on a list,
 *    longer than `labelCharsMax`, or beyond `seriesMax` is counted under "other".
 *
 * A gauge is set whenever it is read, and nobody asks for its increase: its labels may also be
 * *open*, strings from elsewhere. A combination that was let in stays in, so that a gauge's `inc`
 * and `dec` meet the same series.
 */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { type KnownLabels, labelCharsMax, otherLabel, seriesMax } from "./known-labels.js";

/** Label name → every value that it can take. */
export type ClosedLabels = Readonly<Record<string, readonly string[]>>;

/** Label name → its known values, or "open". */
export type LabelSpec = Readonly<Record<string, readonly string[] | "open">>;

/** The labels that a metric of this specification takes. */
type LabelsOf<S extends LabelSpec> = {
  readonly [K in keyof S]: S[K] extends readonly string[] ? S[K][number] : string;
};

export interface MetricTexts {
  readonly name: string;
  /** Says the unit. */
  readonly help: string;
}

export class LabelledCounter<S extends ClosedLabels, N extends string = never> {
  readonly #counter: Counter;
  readonly #closed: S;
  readonly #known: KnownLabels<N> | undefined;

  constructor(registry: Registry, texts: MetricTexts, closed: S, known?: KnownLabels<N>) {
    this.#closed = closed;
    this.#known = known;
    const labelNames = [...(known?.names ?? []), ...Object.keys(closed)];
    this.#counter = new Counter({ ...texts, labelNames, registers: [registry] });
    const start = (labels: Readonly<Record<string, string>>) => {
      for (const one of combinationsOf(closed)) this.#counter.inc({ ...labels, ...one }, 0);
    };
    if (known === undefined) start({});
    else known.watch(start);
  }

  inc(labels: LabelsOf<S> & Readonly<Record<N, string>>, by = 1): void {
    const values: Readonly<Record<string, string>> = labels;
    const closed = mapValues(this.#closed, (allowed, name) => {
      return knownValue(allowed, values[name] ?? otherLabel);
    });
    this.#counter.inc({ ...this.#known?.admit(labels), ...closed }, by);
  }
}

export class LabelledGauge<S extends LabelSpec> {
  readonly #gauge: Gauge;
  readonly #limit: SeriesLimit<S>;

  constructor(registry: Registry, texts: MetricTexts, spec: S) {
    this.#limit = new SeriesLimit(spec);
    this.#gauge = new Gauge({ ...texts, labelNames: Object.keys(spec), registers: [registry] });
    if (isClosed(spec)) for (const labels of combinationsOf(spec)) this.#gauge.set(labels, 0);
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

/**
 * Its series begin with their first observation: many buckets times many values would be zeros for
 * ever, and a quantile of nothing is nothing. So no alert may count its observations.
 */
export class LabelledHistogram<N extends string> {
  readonly #histogram: Histogram;
  readonly #known: KnownLabels<N>;

  constructor(
    registry: Registry,
    texts: MetricTexts,
    known: KnownLabels<N>,
    buckets: readonly number[],
  ) {
    this.#known = known;
    this.#histogram = new Histogram({
      ...texts,
      labelNames: [...known.names],
      buckets: [...buckets],
      registers: [registry],
    });
  }

  observe(labels: Readonly<Record<N, string>>, value: number): void {
    this.#histogram.observe(this.#known.admit(labels), value);
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
      return knownValue(allowed, value);
    });
  }
}

function knownValue(allowed: readonly string[], value: string): string {
  return allowed.includes(value) ? value : otherLabel;
}

function isClosed(spec: LabelSpec): spec is ClosedLabels {
  return !Object.values(spec).includes("open");
}

function combinationsOf(closed: ClosedLabels): readonly Record<string, string>[] {
  let combinations: Record<string, string>[] = [{}];
  for (const [name, values] of Object.entries(closed)) {
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
