/**
 * The tree as RFC 9162 defines it: recursively, over all entries at once. Slow and obvious; the
 * tests hold the incremental code against it.
 */
import { sha256 } from "../../../../src/crypto/hash.js";

type Entries = readonly Uint8Array[];

/** MTH. RFC 9162 §2.1.1. */
export function mth(entries: Entries): Uint8Array {
  const [first] = entries;
  if (first === undefined) return sha256();
  if (entries.length === 1) return sha256(Uint8Array.of(0x00), first);
  const k = largestPowerOfTwoBelow(entries.length);
  return sha256(Uint8Array.of(0x01), mth(entries.slice(0, k)), mth(entries.slice(k)));
}

/** PATH. RFC 9162 §2.1.3.1. */
export function path(m: number, entries: Entries): Uint8Array[] {
  if (entries.length === 1) return [];
  const k = largestPowerOfTwoBelow(entries.length);
  if (m < k) return [...path(m, entries.slice(0, k)), mth(entries.slice(k))];
  return [...path(m - k, entries.slice(k)), mth(entries.slice(0, k))];
}

/** PROOF. RFC 9162 §2.1.4.1. */
export function consistencyProof(m: number, entries: Entries): Uint8Array[] {
  return subproof(m, entries, true);
}

function subproof(m: number, entries: Entries, isOldTree: boolean): Uint8Array[] {
  if (m === entries.length) return isOldTree ? [] : [mth(entries)];
  const k = largestPowerOfTwoBelow(entries.length);
  if (m <= k) return [...subproof(m, entries.slice(0, k), isOldTree), mth(entries.slice(k))];
  return [...subproof(m - k, entries.slice(k), false), mth(entries.slice(0, k))];
}

function largestPowerOfTwoBelow(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}
