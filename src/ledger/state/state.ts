/**
 * The state: what rules need to know of the past, as a flat map from keys (state-keys.ts) to the
 * bytes of messages (proto/bss/store/v1/state.proto). It follows from the chain by replay alone,
 * and managers compare it by a digest that each block continues:
 *
 *     state_digest(h) = SHA-256(state_digest(h−1) ‖ for each write of h, by key: u32 length ‖ key ‖ u32 length ‖ value)
 *
 * Rules read it synchronously. So whoever executes records first fetches the keys that they name
 * (effects.ts), and hands over a `PrefetchedState`. Reading a key that was not fetched is a bug of
 * ours, and not the same as a key without a value.
 */
import { assert } from "../../base/assert.js";
import { compareBytes, toHex } from "../../base/bytes.js";
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
   * `values`: key in lower-case hex → value, undefined for a key that was fetched and is not there.
   */
  constructor(values: ReadonlyMap<string, Uint8Array | undefined>) {
    this.#values = values;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const hex = toHex(key);
    const value = this.#values.get(hex);
    assert(value !== undefined || this.#values.has(hex), `state key ${hex} was not fetched`);
    return value;
  }
}

/**
 * The digest after `writes`, 32 bytes. The order of `writes` does not matter; a key stands once.
 */
export function stateDigest(previous: Uint8Array, writes: readonly StateWrite[]): Uint8Array {
  const sorted = writes.toSorted((a, b) => compareBytes(a.key, b.key));
  const lengthBytes = sorted.reduce(
    (sum, { key, value }) => sum + 8 + key.length + value.length,
    0,
  );
  const joined = new Uint8Array(lengthBytes);
  const view = new DataView(joined.buffer);
  let at = 0;
  let before: Uint8Array | undefined;
  for (const { key, value } of sorted) {
    assert(before === undefined || compareBytes(before, key) < 0, "a key is written once");
    before = key;
    for (const part of [key, value]) {
      view.setUint32(at, part.length);
      joined.set(part, at + 4);
      at += 4 + part.length;
    }
  }
  return sha256(previous, joined);
}
