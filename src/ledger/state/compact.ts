/**
 * The bytes of the state's packed values. An integer is a varint (base/varint.ts) in its shortest
 * form. Who writes a value says what stands where; nothing here has a name or a number.
 */
import { assert } from "../../base/assert.js";
import { putVarint, varintBytes } from "../../base/varint.js";

/** The longest packed value is a window of 96 intervals (windows.ts). */
const capacityBytes = 4096;

/** Collects one value after another. */
export class CompactWriter {
  readonly #bytes = new Uint8Array(capacityBytes);
  #length = 0;

  byte(value: number): void {
    assert(this.#length < capacityBytes, "a packed value is short");
    this.#bytes[this.#length++] = value;
  }

  uint(value: number): void {
    assert(this.#length + varintBytes(value) <= capacityBytes, "a packed value is short");
    this.#length = putVarint(this.#bytes, this.#length, value);
  }

  bytes(value: Uint8Array): void {
    assert(this.#length + value.length <= capacityBytes, "a packed value is short");
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  /** The value so far; the next one begins. */
  take(): Uint8Array {
    const value = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return value;
  }
}

/**
 * Reads a value to its end. What is not there, or not in its shortest form, is read as 0 or as
 * nothing, and makes the value not whole: the caller asks once, at the end.
 */
export class CompactReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #broken = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Whether there is more to read. */
  get hasMore(): boolean {
    return !this.#broken && this.#at < this.#bytes.length;
  }

  /** Whether all was right, and nothing is left. */
  get isWhole(): boolean {
    return !this.#broken && this.#at === this.#bytes.length;
  }

  /** Says that what was read is not what it should be. */
  refuse(): void {
    this.#broken = true;
  }

  byte(): number {
    const value = this.#bytes[this.#at];
    if (value === undefined) {
      this.#broken = true;
      return 0;
    }
    this.#at += 1;
    return value;
  }

  uint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte % 128) * scale;
      if (byte < 128) {
        if ((byte === 0 && scale > 1) || value > Number.MAX_SAFE_INTEGER) this.#broken = true;
        return this.#broken ? 0 : value;
      }
      scale *= 128;
      // Eight bytes hold 56 bits.
      if (scale > 2 ** 49) {
        this.#broken = true;
        return 0;
      }
    }
  }

  /** A copy of the next bytes. */
  bytes(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) this.#broken = true;
    // A Buffer's own `slice` would not copy.
    const value = Uint8Array.prototype.slice.call(this.#bytes, this.#at, end);
    this.#at = end;
    return value;
  }
}
