/**
 * Keys are a bucket byte and then parts, each encoded so that bytewise order is the order of what
 * the part means and no part runs into the next:
 *
 *   u8, u64       1 or 8 bytes, big-endian
 *   i64 (times)   8 bytes, big-endian, sign bit flipped, so that negative numbers sort first
 *   text (ids)    UTF-8 ‖ 0x00; U+0000 itself is refused, so "a" sorts before "ab", that before "b"
 *   bytes         as they are: of a fixed width (hashes), or last
 */
import { assert } from "../base/assert.js";
import { concatBytes, readU64be, u64be, utf8, utf8Decode } from "../base/bytes.js";
import type { Bucket } from "./buckets.js";

const u64End = 2n ** 64n;
const i64Half = 2n ** 63n;
const textBytesMax = 255;

export function bucketKey(bucket: Bucket, ...parts: readonly Uint8Array[]): Uint8Array {
  let length = 1;
  for (const part of parts) length += part.length;
  const key = new Uint8Array(length);
  key[0] = bucket;
  let at = 1;
  for (const part of parts) {
    key.set(part, at);
    at += part.length;
  }
  return key;
}

/**
 * The bounds of all keys of the bucket that begin with these parts; with no parts, of the bucket.
 */
export function bucketRange(
  bucket: Bucket,
  ...prefix: readonly Uint8Array[]
): { readonly gte: Uint8Array; readonly lt: Uint8Array } {
  const gte = bucketKey(bucket, ...prefix);
  return { gte, lt: prefixEnd(gte) };
}

export function u8Part(value: number): Uint8Array {
  assert(Number.isInteger(value) && value >= 0 && value <= 0xff, `${value} is not a u8`);
  return Uint8Array.of(value);
}

/** A number must be a safe integer: above 2^53 − 1 pass a bigint. */
export function u64Part(value: number | bigint): Uint8Array {
  if (typeof value === "number") return safePart(value);
  const exact = toBigInt(value);
  assert(exact >= 0n && exact < u64End, `${value} is not a u64`);
  return u64be(exact);
}

/** For times: any signed 64-bit count of one unit. */
export function i64Part(value: number | bigint): Uint8Array {
  const exact = toBigInt(value);
  assert(exact >= -i64Half && exact < i64Half, `${value} is not an i64`);
  return u64be(exact + i64Half);
}

/** Without a bigint, as most keys have one or two of them. */
function safePart(value: number): Uint8Array {
  assert(Number.isSafeInteger(value) && value >= 0, `${value} is not a u64`);
  const out = new Uint8Array(8);
  let rest = Math.floor(value / 2 ** 32);
  for (let i = 3; i >= 0; i -= 1) {
    out[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  rest = value % 2 ** 32;
  for (let i = 7; i >= 4; i -= 1) {
    out[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return out;
}

/** At most 255 bytes of UTF-8 without U+0000. */
export function textPart(text: string): Uint8Array {
  const bytes = utf8(text);
  assert(bytes.length <= textBytesMax, `a text of ${bytes.length} bytes in a key`);
  assert(!bytes.includes(0), "a text in a key holds no U+0000");
  return concatBytes(bytes, Uint8Array.of(0));
}

/**
 * Takes a key apart in the order in which it was built. Any misfit is an assertion: we wrote the
 * key.
 */
export class KeyReader {
  readonly #key: Uint8Array;
  #offset = 1;

  constructor(key: Uint8Array, bucket: Bucket) {
    assert(key[0] === bucket, `a key of bucket ${key[0]} is not one of bucket ${bucket}`);
    this.#key = key;
  }

  u8(): number {
    return this.bytes(1)[0] as number;
  }

  u64(): bigint {
    return readU64be(this.bytes(8));
  }

  i64(): bigint {
    return this.u64() - i64Half;
  }

  text(): string {
    const end = this.#key.indexOf(0, this.#offset);
    assert(end >= 0, "a text in a key is not terminated");
    const text = utf8Decode(this.bytes(end - this.#offset));
    assert(text !== undefined, "a text in a key is not UTF-8");
    this.#offset += 1;
    return text;
  }

  bytes(length: number): Uint8Array {
    const end = this.#offset + length;
    assert(end <= this.#key.length, `a key of ${this.#key.length} bytes is too short`);
    const out = this.#key.subarray(this.#offset, end);
    this.#offset = end;
    return out;
  }

  rest(): Uint8Array {
    return this.bytes(this.#key.length - this.#offset);
  }

  end(): void {
    const left = this.#key.length - this.#offset;
    assert(left === 0, `${left} bytes are left at the end of a key`);
  }
}

function toBigInt(value: number | bigint): bigint {
  if (typeof value === "bigint") return value;
  assert(Number.isSafeInteger(value), `${value} is not a safe integer`);
  return BigInt(value);
}

/**
 * The smallest key above every key that begins with `prefix`. Bucket numbers below 255 make it
 * exist.
 */
function prefixEnd(prefix: Uint8Array): Uint8Array {
  const last = prefix.findLastIndex((byte) => byte !== 0xff);
  assert(last >= 0, "a prefix of 0xff bytes only has no end");
  const end = prefix.slice(0, last + 1);
  end[last] = (end[last] as number) + 1;
  return end;
}
