/** Integers of any length in the byte order of Curve25519 (RFC 8032 §5.1.2). */
import { defined } from "../../../src/base/assert.js";
import { fromHex, toHex } from "../../../src/base/bytes.js";

/** The number that `bytes` stand for, least significant byte first; 0 for no bytes. */
export function littleEndian(bytes: Uint8Array): bigint {
  const hex = toHex(bytes.slice().reverse());
  return hex === "" ? 0n : BigInt(`0x${hex}`);
}

/** The `length` bytes of a number that fits in them, least significant first. */
export function toLittleEndian(value: bigint, length: number): Uint8Array {
  const hex = value.toString(16).padStart(length * 2, "0");
  return defined(fromHex(hex), "a number in base 16 is hex").reverse();
}
