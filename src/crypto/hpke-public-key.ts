import { toHex } from "../base/bytes.js";

/**
 * Whether an epoch key can be wrapped for this key: 32 bytes, and not one of the few points with
 * which every exchange gives zero (RFC 7748 §6.1). To be asked before a manager is admitted.
 */
export function isValidHpkePublicKey(bytes: Uint8Array): boolean {
  if (bytes.length !== 32) return false;
  // The highest bit is no part of the point (RFC 7748 §5).
  const point = Uint8Array.from(bytes, (byte, i) => (i === 31 ? byte & 0x7f : byte));
  return !smallOrder.has(toHex(point));
}

/** In the order of the bytes: u = 0 and 1, those of order 8, p − 1, and p and p + 1 for 0 and 1. */
const smallOrder = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]);
