/**
 * Byte strings as the whole code base handles them: plain `Uint8Array`, never mutated once shared.
 *
 * V8 keeps arrays of up to 64 bytes among its objects. A longer one, and one whose `buffer` is
 * asked for, takes memory from the system: twenty times as long. So short ones are read and written
 * by index.
 */
import { bytesOfHex, hexOf, latin1Of, sameContent } from "#platform/base";

const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder("utf-8", { fatal: true });

/** Up to here a loop is faster than a call of what is not JavaScript. */
const shortBytes = 128;

export const emptyBytes: Uint8Array = new Uint8Array(0);

export function utf8(text: string): Uint8Array {
  const { length } = text;
  if (length > shortBytes) return textEncoder.encode(text);
  const out = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) return textEncoder.encode(text);
    out[i] = code;
  }
  return out;
}

/** Decodes UTF-8; returns undefined when the bytes are not valid UTF-8. */
export function utf8Decode(bytes: Uint8Array): string | undefined {
  try {
    return textDecoder.decode(bytes);
  } catch {
    return undefined;
  }
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  writeParts(out, parts);
  return out;
}

/** Writes the parts one behind the other, from the start of `out`; returns their length. */
export function writeParts(out: Uint8Array, parts: readonly Uint8Array[]): number {
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return offset;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  if (a.length > shortBytes) return sameContent(a, b);
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Lexicographic order of unsigned bytes; a prefix sorts before what it is a prefix of. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Lower-case hex without a prefix. */
export function toHex(bytes: Uint8Array): string {
  return hexOf(bytes);
}

/**
 * Each byte as the character of that number, from U+0000 to U+00FF, for keys of maps: half the
 * length of hex, and half its time. Not for people.
 */
export function binaryText(bytes: Uint8Array, start = 0, end = bytes.length): string {
  return latin1Of(bytes, start, end);
}

/**
 * Parses hex of either case; returns undefined for an odd length or a character that is not hex.
 */
export function fromHex(hex: string): Uint8Array | undefined {
  if (hex.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(hex)) return undefined;
  return bytesOfHex(hex);
}

/** The number that `bytes` stand for, least significant byte first; `bytes` stay as they are. */
export function fromLittleEndian(bytes: Uint8Array): bigint {
  // Not `slice`: that of a Buffer, which bundlers bring to browsers too, is the same memory.
  return BigInt(`0x${toHex(Uint8Array.from(bytes).reverse())}`);
}

/** 8 bytes, big-endian. */
export function u64be(value: number | bigint): Uint8Array {
  const out = new Uint8Array(8);
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 0) {
    new DataView(out.buffer).setBigUint64(0, BigInt(value));
    return out;
  }
  let [high, low] = [Math.floor(number / 2 ** 32), number >>> 0];
  for (let i = 3; i >= 0; i--) {
    out[i] = high;
    out[i + 4] = low;
    high >>>= 8;
    low >>>= 8;
  }
  return out;
}

/** Reads 8 big-endian bytes at `offset`. */
export function readU64be(bytes: Uint8Array, offset = 0): bigint {
  if (offset < 0 || offset + 8 > bytes.length) throw new RangeError("8 bytes are not there");
  const high = readU32be(bytes, offset);
  const low = readU32be(bytes, offset + 4);
  return high < 2 ** 21 ? BigInt(high * 2 ** 32 + low) : (BigInt(high) << 32n) | BigInt(low);
}

function readU32be(bytes: Uint8Array, offset: number): number {
  let value = 0;
  for (let i = offset; i < offset + 4; i++) value = value * 256 + (bytes[i] as number);
  return value;
}
