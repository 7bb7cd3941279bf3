/**
 * The nodes of the tree: how they are named and hashed.
 *
 * Node (level, index) is the root of the complete subtree over the 2^level leaves that start at
 * leaf index · 2^level; level 0 is the leaves. Once its last leaf is appended it never changes, so
 * complete nodes are all that a store keeps. The ragged right edge of the tree (nodes whose subtree
 * is not complete yet) changes with every append and is computed from complete nodes when needed.
 *
 *     level 2          (2,0)               a tree of 7 leaves: the stored nodes are shown;
 *     level 1     (1,0)     (1,1)     (1,2)        its root is H((2,0), H((1,2), (0,6)))
 *     level 0    0     1   2     3   4     5    6
 */
import { assert } from "../../base/assert.js";
import { sha256 } from "../../crypto/hash.js";

/** A complete subtree: `level` 0..52 and `index`, its place among the subtrees of that level. */
export type NodeRef = { readonly level: number; readonly index: number };

/** A complete subtree with its hash of 32 bytes. */
export type StoredNode = NodeRef & { readonly hash: Uint8Array };

/** Leaves that a tree can hold at most: sizes and indexes stay exact integers. */
export const treeSizeMax = Number.MAX_SAFE_INTEGER;

/** True for the integers 0..2^53−1. */
export function isTreeSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** ⌊log2(n)⌋ for 1 ≤ n ≤ 2^53−1. Math.log2 would round 2^53−1 up. */
export function floorLog2(n: number): number {
  assert(isTreeSize(n) && n > 0, "the logarithm is of a positive safe integer");
  const high = Math.floor(n / 2 ** 32);
  return high > 0 ? 63 - Math.clz32(high) : 31 - Math.clz32(n);
}

/**
 * The fewest complete subtrees that cover the leaves `start` to `end` (exclusive), left to right,
 * which is biggest first. `start` must be 0 or a multiple of a power of two that is at least
 * `end − start`, as each subtree of RFC 9162's recursion is.
 */
export function coveringNodes(start: number, end: number): readonly NodeRef[] {
  const nodes: NodeRef[] = [];
  let at = start;
  while (at < end) {
    const level = floorLog2(end - at);
    const index = at / 2 ** level;
    assert(Number.isInteger(index), "a covered range starts where a subtree of its size starts");
    nodes.push({ level, index });
    at += 2 ** level;
  }
  return nodes;
}

// Leaves and nodes are hashed under different first bytes, so no node can be passed off as a leaf.
const leafPrefix = 0x00;
const nodePrefix = 0x01;

/** Root of the tree without leaves: SHA-256 of nothing. RFC 9162 §2.1.1. */
export const emptyRoot: Uint8Array = sha256();

/** SHA-256(0x00 ‖ entry), for an entry of any length. RFC 9162 §2.1.1. */
export function leafHash(entry: Uint8Array): Uint8Array {
  return sha256(Uint8Array.of(leafPrefix), entry);
}

/** SHA-256(0x00 ‖ left ‖ right): the leaf hash of an entry of two hashes of 32 bytes each. */
export function pairLeafHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return pairHash(leafPrefix, left, right);
}

/** SHA-256(0x01 ‖ left ‖ right), over two hashes of 32 bytes each. RFC 9162 §2.1.1. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return pairHash(nodePrefix, left, right);
}

/** Where pairs are put together to be hashed: a block has thousands. */
const pair = new Uint8Array(65);

function pairHash(prefix: number, left: Uint8Array, right: Uint8Array): Uint8Array {
  const isPair = left.length === 32 && right.length === 32;
  if (!isPair) return sha256(Uint8Array.of(prefix), left, right);
  pair[0] = prefix;
  pair.set(left, 1);
  pair.set(right, 33);
  return sha256(pair);
}
