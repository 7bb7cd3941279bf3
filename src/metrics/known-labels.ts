/** Label values that become known while a node runs, such as the ids of the managers. */

export const otherLabel = "other";
export const seriesMax = 256;
export const labelCharsMax = 64;

type KnownValues<N extends string> = Readonly<Record<N, string>>;

/**
 * The known values of one label, or of several that belong together. A counter hears of a value as
 * soon as it is known, so that its series is there before the first event. A value that is not
 * known, longer than `labelCharsMax`, or beyond `seriesMax` counts as "other", which is always
 * known.
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

  /** May be called again with values that are known already. */
  add(values: KnownValues<N>): void {
    const key = this.#keyOf(values);
    const isTooLong = this.names.some((name) => values[name].length > labelCharsMax);
    if (isTooLong || this.#known.has(key) || this.#known.size > seriesMax) return;
    const own = this.#each((name) => values[name]);
    this.#known.set(key, own);
    for (const watcher of this.#watchers) watcher(own);
  }

  /** Tells what is known now, and then whatever becomes known. */
  watch(watcher: (values: KnownValues<N>) => void): void {
    this.#watchers.push(watcher);
    for (const values of this.#known.values()) watcher(values);
  }

  /** The values of these labels alone; "other" if they are not known. */
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
