/** An ordered map from byte strings to byte strings: the content of the stores in memory. */
import { defined } from "../../src/base/assert.js";
import { binaryText } from "../../src/base/bytes.js";
import type { Entry, RangeOptions, WriteOperation } from "../../src/store/key-value-store.js";

/**
 * Keys are kept as strings of one code unit per byte, whose order is the order of the bytes. A new
 * key costs O(n) moves in the array, which is fast enough for some 100,000 keys.
 */
export class SortedMap {
  #keys: string[] = [];
  #values = new Map<string, Uint8Array>();

  /** The value itself, not a copy. */
  get(key: Uint8Array): Uint8Array | undefined {
    return this.#values.get(binaryText(key));
  }

  /** Copies. */
  getMany(keys: readonly Uint8Array[]): (Uint8Array | undefined)[] {
    return keys.map((key) => {
      const value = this.get(key);
      return value && copyOf(value);
    });
  }

  /** Removes the key when the value is undefined. Nobody may change the value any more. */
  put(key: Uint8Array, value: Uint8Array | undefined): void {
    const text = binaryText(key);
    const isThere = this.#values.has(text);
    if (value === undefined) {
      if (isThere) this.#keys.splice(this.#firstNotBelow(text), 1);
      this.#values.delete(text);
    } else {
      if (!isThere) this.#keys.splice(this.#firstNotBelow(text), 0, text);
      this.#values.set(text, value);
    }
  }

  /** Copies, in order. */
  range({ gte, lt, reverse = false, limit }: RangeOptions): readonly Entry[] {
    const first = this.#firstNotBelow(binaryText(gte));
    const end = Math.max(first, this.#firstNotBelow(binaryText(lt)));
    const keys = reverse
      ? this.#keys.slice(Math.max(first, end - limit), end).reverse()
      : this.#keys.slice(first, Math.min(end, first + limit));
    return keys.map((key) => {
      const value = defined(this.#values.get(key), "a sorted key has a value");
      return [new Uint8Array(Buffer.from(key, "latin1")), copyOf(value)];
    });
  }

  /** Another map with the same values. */
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

/** Not `slice`: on a Buffer, which is a `Uint8Array` too, that shares the memory. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

export function copyOfOperation(operation: WriteOperation): WriteOperation {
  const key = copyOf(operation.key);
  return operation.type === "put"
    ? { type: "put", key, value: copyOf(operation.value) }
    : { type: "delete", key };
}
