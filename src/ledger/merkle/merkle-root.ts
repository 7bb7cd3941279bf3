import { appendLeaves, emptyFrontier, rootOf } from "./frontier.js";
import { leafHash } from "./hashes.js";

/** MTH(entries) of RFC 9162 §2.1.1, 32 bytes: one digest for an ordered list of byte strings. */
export function merkleRoot(entries: readonly Uint8Array[]): Uint8Array {
  return rootOf(appendLeaves(emptyFrontier, entries.map(leafHash)).frontier);
}
