/** Stored values that hold varints (base/varint.ts): written one after the other, and read back. */
import { putVarint, varintBytes } from "../../base/varint.js";
import { damaged } from "./stored-values.js";

/** The numbers one after the other. */
export function encodeVarints(values: readonly number[]): Uint8Array {
  let length = 0;
  for (const value of values) length += varintBytes(value);
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const value of values) at = putVarint(bytes, at, value);
  return bytes;
}

/** Reads a stored value from its beginning; whatever does not fit is damage of `what`. */
export class StoredReader {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  #at = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** @throws StoreError CORRUPT */
  varint(): number {
    let value = 0;
    for (let weight = 1; ; weight *= 0x80) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw this.damage();
      this.#at += 1;
      value += (byte & 0x7f) * weight;
      if (value > Number.MAX_SAFE_INTEGER) throw this.damage();
      if (byte < 0x80) return value;
    }
  }

  /** Where the skipped bytes begin. @throws StoreError CORRUPT */
  skip(length: number): number {
    const at = this.#at;
    if (length > this.left) throw this.damage();
    this.#at += length;
    return at;
  }

  /** A view. @throws StoreError CORRUPT */
  take(length: number): Uint8Array {
    const at = this.skip(length);
    return this.#bytes.subarray(at, this.#at);
  }

  rest(): Uint8Array {
    return this.take(this.left);
  }

  damage() {
    return damaged(this.#what, "does not decode");
  }
}
