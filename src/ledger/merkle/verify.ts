/**
 * Checking proofs, as RFC 9162 writes it down step by step.
 *
 * `fn` is the path of a node from its level to the root, bit by bit: a 1 says that the node is a
 * right child. `sn` is the path of the last node of that level. Where the two are equal and the bit
 * is 0, the node is the last of its level and has no sibling there, so the walk climbs until it
 * has. Every argument may come from a stranger: what does not prove is `false`, nothing throws.
 */
import { equalBytes } from "../../base/bytes.js";
import { hashBytes } from "../../crypto/hash.js";
import { emptyRoot, isTreeSize, nodeHash } from "./nodes.js";

/** Hashes in the longest proof: one for each of 53 levels, and where a consistency proof starts. */
export const proofHashesMax = 54;

export type InclusionClaim = {
  readonly leafHash: Uint8Array;
  readonly leafIndex: number;
  readonly treeSize: number;
  readonly proof: readonly Uint8Array[];
  readonly root: Uint8Array;
};

export type ConsistencyClaim = {
  readonly fromSize: number;
  readonly toSize: number;
  readonly fromRoot: Uint8Array;
  readonly toRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
};

/**
 * Whether `proof` shows that `leafHash` is leaf `leafIndex` under `root`. RFC 9162 §2.1.3.2. Size
 * and root are taken as belonging together (one signed header has both), because a proof does not
 * bind the size: the path of leaf 0 has one shape in trees of 5, 6, 7 and 8 leaves.
 */
export function verifyInclusion(claim: InclusionClaim): boolean {
  const { leafHash, leafIndex, treeSize, proof, root } = claim;
  if (!isTreeSize(leafIndex) || !isTreeSize(treeSize) || leafIndex >= treeSize) return false;
  if (!isHash(leafHash) || !isHash(root) || !isProof(proof)) return false;
  let fn = leafIndex;
  let sn = treeSize - 1;
  let r = leafHash;
  for (const p of proof) {
    if (sn === 0) return false;
    if (isOdd(fn) || fn === sn) {
      r = nodeHash(p, r);
      while (!isOdd(fn) && fn !== 0) {
        fn = half(fn);
        sn = half(sn);
      }
    } else {
      r = nodeHash(r, p);
    }
    fn = half(fn);
    sn = half(sn);
  }
  return sn === 0 && equalBytes(r, root);
}

/**
 * Whether `proof` shows that the tree under `toRoot` begins with all leaves of the tree under
 * `fromRoot`. RFC 9162 §2.1.4.2, which covers 0 < fromSize < toSize. Outside of that only an empty
 * proof holds: between equal sizes with equal roots, and from size 0 with the empty tree's root.
 * Here too, each root is taken as belonging to its size.
 */
export function verifyConsistency(claim: ConsistencyClaim): boolean {
  const { fromSize, toSize, fromRoot, toRoot, proof } = claim;
  if (!isTreeSize(fromSize) || !isTreeSize(toSize) || fromSize > toSize) return false;
  if (!isHash(fromRoot) || !isHash(toRoot) || !isProof(proof)) return false;
  if (fromSize === 0 && !equalBytes(fromRoot, emptyRoot)) return false;
  if (fromSize === toSize) return proof.length === 0 && equalBytes(fromRoot, toRoot);
  if (fromSize === 0) return proof.length === 0;

  let fn = fromSize - 1;
  let sn = toSize - 1;
  while (isOdd(fn)) {
    fn = half(fn);
    sn = half(sn);
  }
  // fn is 0 here exactly when fromSize is a power of two; then the proof starts from the old root.
  const [first, ...rest] = fn === 0 ? [fromRoot, ...proof] : proof;
  if (first === undefined || proof.length === 0) return false;
  let fr = first;
  let sr = first;
  for (const c of rest) {
    if (sn === 0) return false;
    if (isOdd(fn) || fn === sn) {
      fr = nodeHash(c, fr);
      sr = nodeHash(c, sr);
      while (!isOdd(fn) && fn !== 0) {
        fn = half(fn);
        sn = half(sn);
      }
    } else {
      sr = nodeHash(sr, c);
    }
    fn = half(fn);
    sn = half(sn);
  }
  return sn === 0 && equalBytes(fr, fromRoot) && equalBytes(sr, toRoot);
}

function isProof(value: readonly Uint8Array[]): boolean {
  if (!Array.isArray(value) || value.length > proofHashesMax) return false;
  for (const hash of value) if (!isHash(hash)) return false;
  return true;
}

function isHash(value: Uint8Array): boolean {
  return value instanceof Uint8Array && value.length === hashBytes;
}

// Bit operators would cut indexes to 32 bits.
function isOdd(n: number): boolean {
  return n % 2 === 1;
}

function half(n: number): number {
  return Math.floor(n / 2);
}
