/**
 * One proof for several leaves of one tree: the roots of the largest subtrees that hold none of
 * them, left to right. The walk from the root down to the leaves is the same for who makes the
 * proof and who checks it, so that the proof needs no names of nodes.
 *
 *     leaves 0 and 3 of 5:        root             proof: 1, 2, 4
 *                              ┌───┴───┐
 *                           ┌──┴──┐    4
 *                          ┌┴┐   ┌┴┐
 *                          0 1   2 3
 */
import { assert } from "../../base/assert.js";
import { hashBytes } from "../../crypto/hash.js";
import { rootOfLeafHashes } from "./frontier.js";
import { floorLog2, isTreeSize, nodeHash } from "./nodes.js";

/** A leaf by its index; the hash has 32 bytes. */
export type PlacedLeaf = { readonly index: number; readonly hash: Uint8Array };

/**
 * The proof for the leaves at `indexes`, of the tree over all `leafHashes`. The caller has checked
 * that the indexes are leaves of the tree, ascend, and that there is one.
 */
export function subsetProof(
  leafHashes: readonly Uint8Array[],
  indexes: readonly number[],
): readonly Uint8Array[] {
  assert(isSubset(indexes, leafHashes.length), "a proof is for leaves of the tree, in order");
  const proof: Uint8Array[] = [];
  const walk = (start: number, end: number, wanted: readonly number[]) => {
    if (wanted.length === 0) proof.push(rootOfLeafHashes(leafHashes.slice(start, end)));
    else if (end - start > 1) {
      const middle = splitPoint(start, end);
      const right = firstFrom(wanted, middle);
      walk(start, middle, wanted.slice(0, right));
      walk(middle, end, wanted.slice(right));
    }
  };
  walk(0, leafHashes.length, indexes);
  return proof;
}

/**
 * The root of the tree of `size` leaves to which the proof leads from these leaves. Undefined where
 * they and the proof make no tree. Every argument may come from a stranger.
 */
export function rootOfSubset(
  size: number,
  leaves: readonly PlacedLeaf[],
  proof: readonly Uint8Array[],
): Uint8Array | undefined {
  const indexes = leaves.map(({ index }) => index);
  const hashes = [...proof, ...leaves.map(({ hash }) => hash)];
  if (!isTreeSize(size) || !isSubset(indexes, size)) return undefined;
  if (hashes.some(({ length }) => length !== hashBytes)) return undefined;
  let used = 0;
  const rootOver = (start: number, end: number, from: number, to: number): Uint8Array => {
    if (from === to) {
      used += 1;
      return proof[used - 1] ?? new Uint8Array(hashBytes);
    }
    if (end - start === 1) return leaves[from]?.hash ?? new Uint8Array(hashBytes);
    const middle = splitPoint(start, end);
    const right = from + firstFrom(indexes.slice(from, to), middle);
    const left = rootOver(start, middle, from, right);
    return nodeHash(left, rootOver(middle, end, right, to));
  };
  const root = rootOver(0, size, 0, leaves.length);
  return used === proof.length ? root : undefined;
}

/** Whether the indexes ascend below `size`, and there is one. */
function isSubset(indexes: readonly number[], size: number): boolean {
  let least = 0;
  for (const index of indexes) {
    if (!Number.isSafeInteger(index) || index < least || index >= size) return false;
    least = index + 1;
  }
  return indexes.length > 0;
}

/** Where RFC 9162 §2.1.1 divides the leaves: left of it is the largest power of two below all. */
function splitPoint(start: number, end: number): number {
  return start + 2 ** floorLog2(end - start - 1);
}

/** How many of the ascending numbers are below `least`. */
function firstFrom(ascending: readonly number[], least: number): number {
  const at = ascending.findIndex((index) => index >= least);
  return at < 0 ? ascending.length : at;
}
