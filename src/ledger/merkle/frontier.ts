/**
 * The frontier: all that appending needs to know of a tree of any size.
 *
 * A tree of `size` leaves falls apart into complete subtrees, one for each 1 in the binary form of
 * its size, biggest first. Their roots, the peaks, are at most 53 hashes; folded from the right
 * they give the root of the tree. An appended leaf becomes the last peak, and while the last peak
 * is a right child it is merged with the peak before it: like a carry in binary addition. So an
 * append costs O(log n) node hashes at worst and one on average.
 */
import { assert, defined } from "../../base/assert.js";
import { concatBytes, readU64be, u64be } from "../../base/bytes.js";
import { err, ok, type Result } from "../../base/result.js";
import { hashBytes } from "../../crypto/hash.js";
import {
  coveringNodes,
  emptyRoot,
  isTreeSize,
  leafHash,
  nodeHash,
  type StoredNode,
  treeSizeMax,
} from "./nodes.js";

/** A tree as its size in leaves and the roots of its complete subtrees, biggest first. */
export type Frontier = { readonly size: number; readonly peaks: readonly Uint8Array[] };

type FrontierDecodeError =
  | { readonly code: "TOO_SHORT"; readonly lengthBytes: number }
  | { readonly code: "SIZE_TOO_LARGE"; readonly size: bigint }
  | { readonly code: "WRONG_LENGTH"; readonly lengthBytes: number; readonly expectedBytes: number };

const sizeBytes = 8;

/** The tree without leaves. */
export const emptyFrontier: Frontier = Object.freeze({ size: 0, peaks: Object.freeze([]) });

/**
 * Appends leaf hashes (32 bytes each) in order. Returns the new frontier and every subtree that
 * became complete, each after its children, leaves included: what a store has to keep for proofs.
 */
export function appendLeaves(
  frontier: Frontier,
  leafHashes: readonly Uint8Array[],
): { readonly frontier: Frontier; readonly nodes: readonly StoredNode[] } {
  assert(frontier.size <= treeSizeMax - leafHashes.length, "a tree holds at most 2^53-1 leaves");
  const peaks = [...frontier.peaks];
  const nodes: StoredNode[] = [];
  let size = frontier.size;
  for (const hash of leafHashes) {
    assert(hash.length === hashBytes, "a leaf hash has 32 bytes");
    let node: StoredNode = { level: 0, index: size, hash };
    nodes.push(node);
    while (node.index % 2 === 1) {
      const left = defined(peaks.pop(), "a right child's left sibling is the last peak");
      const index: number = (node.index - 1) / 2;
      node = { level: node.level + 1, index, hash: nodeHash(left, node.hash) };
      nodes.push(node);
    }
    peaks.push(node.hash);
    size += 1;
  }
  return { frontier: { size, peaks }, nodes };
}

/** The root of the tree: MTH of RFC 9162 §2.1.1 over all its leaves. */
export function rootOf(frontier: Frontier): Uint8Array {
  return foldHashes(frontier.peaks);
}

/** The root over an ordered list of leaf hashes, 32 bytes each. */
export function rootOfLeafHashes(leafHashes: readonly Uint8Array[]): Uint8Array {
  return rootOf(appendLeaves(emptyFrontier, leafHashes).frontier);
}

/** MTH(entries) of RFC 9162 §2.1.1, 32 bytes: one digest for an ordered list of byte strings. */
export function merkleRoot(entries: readonly Uint8Array[]): Uint8Array {
  return rootOfLeafHashes(entries.map(leafHash));
}

/** Folds the roots of neighbouring subtrees from the right into one; none give the empty root. */
export function foldHashes(hashes: readonly Uint8Array[]): Uint8Array {
  if (hashes.length === 0) return emptyRoot;
  return hashes.reduceRight((right, left) => nodeHash(left, right));
}

/** 8 bytes of size, big-endian, then the peaks. */
export function encodeFrontier(frontier: Frontier): Uint8Array {
  return concatBytes(u64be(frontier.size), ...frontier.peaks);
}

/** The inverse of {@link encodeFrontier}; the result shares no memory with `bytes`. */
export function decodeFrontier(bytes: Uint8Array): Result<Frontier, FrontierDecodeError> {
  const lengthBytes = bytes.length;
  if (lengthBytes < sizeBytes) return err({ code: "TOO_SHORT", lengthBytes });
  const wideSize = readU64be(bytes);
  const size = Number(wideSize);
  if (!isTreeSize(size)) return err({ code: "SIZE_TOO_LARGE", size: wideSize });
  const peakCount = coveringNodes(0, size).length;
  const expectedBytes = sizeBytes + peakCount * hashBytes;
  if (lengthBytes !== expectedBytes)
    return err({ code: "WRONG_LENGTH", lengthBytes, expectedBytes });
  const peaks: Uint8Array[] = [];
  for (let at = sizeBytes; at < lengthBytes; at += hashBytes) {
    // A Buffer's own slice() would share memory.
    peaks.push(new Uint8Array(bytes.subarray(at, at + hashBytes)));
  }
  return ok({ size, peaks });
}
