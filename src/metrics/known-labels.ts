/** Values of labels that are not in the code but become known, such as the ids of the managers. */

export const otherLabel = "other";
export const seriesMax = 256;
export const labelCharsMax = 64;

type KnownValues<N extends string> = Readonly<Record<N, string>>;

/**
 * The values of one label, or of several that belong together. Metrics that use them hear of each
 * as soon as it is known, so that a counter's series is there before its first event. What is not
 * known, longer than `labelCharsMax`, or beyond `seriesMax` goes under "other", which always is.
 */
export class KnownLabels<N extends string> {
  readonly names: readonly N[];
  readonly #known = new Map<string, KnownValues<N>>();
  readonly #other: KnownValues<N>;
  readonly #watchers: ((values: KnownValues<N>) => void)[] = [];

  constructor(...names: readonly N[]) {
    this.names = names;
    this.#other = this.#each(() => otherLabel);
    this.add(this.#other);
  }

  /** May be called again with what is known. */
  add(values: KnownValues<N>): void {
    const key = this.#keyOf(values);
    const isTooLong = this.names.some((name) => values[name].length > labelCharsMax);
    if (isTooLong || this.#known.has(key) || this.#known.size > seriesMax) return;
    const own = this.#each((name) => values[name]);
    this.#known.set(key, own);
    for (const watcher of this.#watchers) watcher(own);
  }

  /** Tells what is known, at once, and what becomes known. */
  watch(watcher: (values: KnownValues<N>) => void): void {
    this.#watchers.push(watcher);
    for (const values of this.#known.values()) watcher(values);
  }

  /** These values, without any other labels; "other" when they are not known. */
  admit(values: KnownValues<N>): KnownValues<N> {
    return this.#known.get(this.#keyOf(values)) ?? this.#other;
  }

  #keyOf(values: KnownValues<N>): string {
    return JSON.stringify(this.names.map((name) => values[name]));
  }

  #each(value: (name: N) => string): KnownValues<N> {
    const entries = this.names.map((name) => [name, value(name)] as const);
    return Object.fromEntries(entries) as KnownValues<N>;
  }
}
