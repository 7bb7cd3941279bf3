/** An ordered map from strings of one code unit per byte, whose order is the order of the bytes. */
import { defined } from "../../../src/base/assert.js";

export type TextRange = {
  readonly gte: string;
  readonly lt: string;
  readonly reverse: boolean;
  readonly limit: number;
};

export class SortedMap {
  #keys: string[] = [];
  #values = new Map<string, Uint8Array>();

  get(key: string): Uint8Array | undefined {
    return this.#values.get(key);
  }

  /** Removes the key when the value is undefined. */
  put(key: string, value: Uint8Array | undefined): void {
    const isThere = this.#values.has(key);
    if (value === undefined) {
      if (isThere) this.#keys.splice(this.#firstNotBelow(key), 1);
      this.#values.delete(key);
    } else {
      if (!isThere) this.#keys.splice(this.#firstNotBelow(key), 0, key);
      this.#values.set(key, value);
    }
  }

  range({ gte, lt, reverse, limit }: TextRange): readonly (readonly [string, Uint8Array])[] {
    const first = this.#firstNotBelow(gte);
    const end = Math.max(first, this.#firstNotBelow(lt));
    const keys = reverse
      ? this.#keys.slice(Math.max(first, end - limit), end).reverse()
      : this.#keys.slice(first, Math.min(end, first + limit));
    return keys.map((key) => [key, defined(this.#values.get(key), "a sorted key has a value")]);
  }

  /** Values are shared: nobody changes one. */
  copy(): SortedMap {
    const copy = new SortedMap();
    copy.#keys = [...this.#keys];
    copy.#values = new Map(this.#values);
    return copy;
  }

  #firstNotBelow(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
