import { sha256 } from "../../crypto/hash.js";

/** Length of every hash in the tree, in bytes. */
export const hashBytes = 32;

// Leaves and nodes are hashed under different first bytes, so no node can be passed off as a leaf.
const leafPrefix = Uint8Array.of(0x00);
const nodePrefix = Uint8Array.of(0x01);

/** Root of the tree without leaves: SHA-256 of nothing. RFC 9162 §2.1.1. */
export const emptyRoot: Uint8Array = sha256();

/** SHA-256(0x00 ‖ entry), for an entry of any length. RFC 9162 §2.1.1. */
export function leafHash(entry: Uint8Array): Uint8Array {
  return sha256(leafPrefix, entry);
}

/** SHA-256(0x01 ‖ left ‖ right), over two hashes of 32 bytes each. RFC 9162 §2.1.1. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(nodePrefix, left, right);
}
