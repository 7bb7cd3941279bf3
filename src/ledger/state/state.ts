/**
 * The state: what rules need to know of the past, as a flat map from keys (state-keys.ts) to the
 * bytes of values (messages of state.proto, record-state.ts, windows.ts). It follows from the chain
 * by replay alone, and managers compare it by a digest that each block continues:
 *
 *     state_digest(h) = SHA-256(state_digest(h−1) ‖ for each write of h, by key: u32 length ‖ key ‖ u32 length ‖ value)
 *
 * Rules read it synchronously. So whoever executes records first fetches the keys that they name
 * (effects.ts), and hands over a `PrefetchedState`. Reading a key that was not fetched is a bug of
 * ours, and not the same as a key without a value.
 */
import { AssertionFailed, assert } from "../../base/assert.js";
import { binaryText, compareBytes, toHex } from "../../base/bytes.js";
import { sha256 } from "../../crypto/hash.js";

export type StateView = {
  /** The value of a key, undefined when the state does not have it. */
  get(key: Uint8Array): Uint8Array | undefined;
};

/** State is added and replaced, never removed. */
export type StateWrite = { readonly key: Uint8Array; readonly value: Uint8Array };

/** A view over keys that were fetched before. Reading any other key is an assertion failure. */
export class PrefetchedState implements StateView {
  readonly #values: ReadonlyMap<string, Uint8Array | undefined>;

  /**
   * `values`: `binaryText` of a key → value, undefined for a key that was fetched and is not there.
   */
  constructor(values: ReadonlyMap<string, Uint8Array | undefined>) {
    this.#values = values;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const text = binaryText(key);
    const value = this.#values.get(text);
    if (value === undefined && !this.#values.has(text)) {
      throw new AssertionFailed(`state key ${toHex(key)} was not fetched`);
    }
    return value;
  }
}

/**
 * The digest after `writes`, 32 bytes. The order of `writes` does not matter; a key stands once.
 */
export function stateDigest(previous: Uint8Array, writes: readonly StateWrite[]): Uint8Array {
  const sorted = inOrder(writes) ? writes : writes.toSorted((a, b) => compareBytes(a.key, b.key));
  let lengthBytes = 0;
  for (const { key, value } of sorted) lengthBytes += 8 + key.length + value.length;
  const joined = new Uint8Array(previous.length + lengthBytes);
  joined.set(previous);
  let at = previous.length;
  let before: Uint8Array | undefined;
  for (const { key, value } of sorted) {
    assert(before === undefined || compareBytes(before, key) < 0, "a key is written once");
    before = key;
    at = putPart(joined, at, key);
    at = putPart(joined, at, value);
  }
  return sha256(joined);
}

function inOrder(writes: readonly StateWrite[]): boolean {
  let before: Uint8Array | undefined;
  for (const { key } of writes) {
    if (before !== undefined && compareBytes(before, key) > 0) return false;
    before = key;
  }
  return true;
}

/** Writes u32 length ‖ part, and returns where the next one begins. */
function putPart(joined: Uint8Array, at: number, part: Uint8Array): number {
  const { length } = part;
  joined[at] = length >>> 24;
  joined[at + 1] = length >>> 16;
  joined[at + 2] = length >>> 8;
  joined[at + 3] = length;
  joined.set(part, at + 4);
  return at + 4 + length;
}
