/**
 * Making proofs from stored nodes.
 *
 * A proof is a list of subtree roots. Most are complete subtrees, which a store holds under their
 * name; at most one lies on the ragged right edge of the tree that the proof is for, and is folded
 * from several complete ones. So a proof is first planned (which nodes, in which groups), which
 * takes no hashes and no I/O; then the store reads the nodes that `plan.flat()` names, and
 * `foldPlan` turns each group into one hash. Because complete nodes never change, a plan for any
 * past size works on the nodes of today.
 */
import { assert } from "../../base/assert.js";
import { foldHashes } from "./frontier.js";
import { coveringNodes, floorLog2, isTreeSize, type NodeRef } from "./nodes.js";

/** One group for each hash of the proof, in the proof's order; a group is folded right to left. */
export type ProofPlan = readonly (readonly NodeRef[])[];

/**
 * Plan of the inclusion proof for leaf `leafIndex` in the tree of `treeSize` leaves, for
 * 0 ≤ leafIndex < treeSize ≤ 2^53−1: PATH of RFC 9162 §2.1.3.1. The caller has checked the range.
 */
export function inclusionProofPlan(leafIndex: number, treeSize: number): ProofPlan {
  assert(isTreeSize(leafIndex) && isTreeSize(treeSize), "indexes and sizes are safe integers");
  assert(leafIndex < treeSize, "a proof is made for a leaf that the tree has");
  const siblings: (readonly NodeRef[])[] = [];
  let start = 0;
  let end = treeSize;
  while (end - start > 1) {
    const middle = splitPoint(start, end);
    if (leafIndex < middle) {
      siblings.push(coveringNodes(middle, end));
      end = middle;
    } else {
      siblings.push(coveringNodes(start, middle));
      start = middle;
    }
  }
  return siblings.reverse();
}

/**
 * Plan of the consistency proof from the tree of `fromSize` leaves to that of `toSize`, for
 * 0 ≤ fromSize ≤ toSize ≤ 2^53−1: PROOF of RFC 9162 §2.1.4.1. It is empty between equal sizes, and
 * from the empty tree, which every tree extends. The caller has checked the range.
 */
export function consistencyProofPlan(fromSize: number, toSize: number): ProofPlan {
  assert(isTreeSize(fromSize) && isTreeSize(toSize), "sizes are safe integers");
  assert(fromSize <= toSize, "a tree is consistent only with one that is not smaller");
  if (fromSize === 0) return [];
  const siblings: (readonly NodeRef[])[] = [];
  let start = 0;
  let end = toSize;
  while (end !== fromSize) {
    const middle = splitPoint(start, end);
    if (fromSize <= middle) {
      siblings.push(coveringNodes(middle, end));
      end = middle;
    } else {
      siblings.push(coveringNodes(start, middle));
      start = middle;
    }
  }
  // From leaf 0 the subtree is the old tree itself, whose root the verifier has.
  if (start > 0) siblings.push(coveringNodes(start, end));
  return siblings.reverse();
}

/** The nodes that fold to the root of the tree at `treeSize` leaves, today's or an earlier size. */
export function rootPlan(treeSize: number): readonly NodeRef[] {
  assert(isTreeSize(treeSize), "sizes are safe integers");
  return coveringNodes(0, treeSize);
}

/** The proof that a plan describes. `lookup` returns the 32-byte hash of a stored node. */
export function foldPlan(plan: ProofPlan, lookup: (ref: NodeRef) => Uint8Array): Uint8Array[] {
  return plan.map((group) => foldNodes(group, lookup));
}

/** The one hash that a group of neighbouring nodes folds to; the empty root for no nodes. */
export function foldNodes(
  group: readonly NodeRef[],
  lookup: (ref: NodeRef) => Uint8Array,
): Uint8Array {
  return foldHashes(group.map((ref) => lookup(ref)));
}

/** Where RFC 9162 splits two leaves or more: after the largest power of two below their number. */
function splitPoint(start: number, end: number): number {
  return start + 2 ** floorLog2(end - start - 1);
}
