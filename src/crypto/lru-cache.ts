/**
 * A map of bounded size that forgets what was used longest ago. A `Map` keeps its keys in order of
 * insertion.
 */
export class LruCache<V> {
  readonly #entries = new Map<string, V>();
  readonly #entriesMax: number;

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The remembered value of `key`, which counts as used. */
  get(key: string): V | undefined {
    const known = this.#entries.get(key);
    if (known === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, known);
    return known;
  }

  /**
   * The remembered value of `key`, or what `create` gives; nothing is remembered when `create`
   * throws.
   */
  getOrCreate(key: string, create: () => V): V {
    const known = this.get(key);
    if (known !== undefined) return known;
    const value = create();
    this.#entries.set(key, value);
    if (this.#entries.size > this.#entriesMax) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest);
        break;
      }
    }
    return value;
  }
}
