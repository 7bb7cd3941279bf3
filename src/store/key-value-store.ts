/**
 * The one interface under everything that a node keeps on disk: an ordered map from byte strings to
 * byte strings. Keys are in the order of their unsigned bytes. Nodes have it from RocksDB, tests
 * from memory; both pass one contract suite. Around it:
 *
 *     what is kept under which key         buckets.ts, key-codec.ts, chain/chain-writes.ts
 *     a block is written in one batch      `append` of manager-store.ts and storage-node-store.ts
 *     whose store it is                    store-identity.ts
 *     what guards against signing twice    double-sign-protection/: what was signed about the
 *                                          open height (vote-log.ts, attestation-log.ts), and the
 *                                          highest place signed, kept beside the key
 *                                          (last-sign-state.ts, attestation-mark.ts)
 *     the disk is full, or fails           store-error.ts tells which; rocksdb/rocksdb-store.ts
 *                                          takes no write after one that failed
 *     where damage is found                at each read, by RocksDB's checksums; at opening
 *                                          (chain/chain-head.ts, rocksdb/rocksdb-log.ts); by `bss
 *                                          check` (damage/store-comparison.ts); by a storage node
 *                                          that checks its whole store (damage/chain-walk.ts)
 *     where damage is mended               damage/mendable-store.ts, rocksdb/rocksdb-repair.ts
 *
 * The contract:
 *
 * - A batch is atomic: after any crash either all of it is there or nothing.
 * - A write is seen by every read that starts after its promise resolved.
 * - `"sync"` resolves once the batch is on stable storage, together with every write that had
 *   resolved before it. `"buffered"` survives the end of the process but not of the machine.
 * - Two writes have no order unless the first was awaited: callers write one after the other.
 * - After a write that rejects, only the next opening shows whether its batch is there. Until then
 *   the store accepts no further write.
 * - Every operation may reject with a `StoreError`.
 */
import { assert } from "../base/assert.js";

export type WriteOperation =
  | { readonly type: "put"; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: "delete"; readonly key: Uint8Array };

export type Durability = "sync" | "buffered";

/** A key and its value. */
export type Entry = readonly [Uint8Array, Uint8Array];

export type RangeOptions = {
  /** The first key that belongs to the range, if it exists. */
  readonly gte: Uint8Array;
  /** The first key after the range. */
  readonly lt: Uint8Array;
  /** From the last key down to the first. */
  readonly reverse?: boolean;
  /** Entries to return at most: an integer in 0..`rangeLimitMax`. */
  readonly limit: number;
};

export type ScanOptions = Omit<RangeOptions, "limit"> & {
  /** Entries held in memory at once: an integer in 1..`rangeLimitMax`, by default 256. */
  readonly pageEntries?: number;
};

export type KeyValueStore = {
  /** The value, or undefined when the key is not there. */
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  /** The values in the order of the keys, all of one moment. At most `getManyKeysMax` keys. */
  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>;
  /** The entries of `[gte, lt)` in order, all of one moment. */
  range(options: RangeOptions): Promise<readonly Entry[]>;
  /**
   * Every entry of `[gte, lt)`, page after page. Not a snapshot: it shows what is written ahead of
   * it meanwhile, and not what is written behind it. A key comes at most once.
   */
  scan(options: ScanOptions): AsyncIterable<Entry>;
  /** Applies the operations in order as one batch. An empty batch with `"sync"` is a barrier. */
  write(batch: readonly WriteOperation[], durability: Durability): Promise<void>;
  /**
   * Waits for the operations in flight, then releases the store. Operations that come later reject
   * with `CLOSED`. Closing again is allowed.
   */
  close(): Promise<void>;
};

export const keyBytesMax = 1_024;
const valueBytesMax = 64 * 1_024 * 1_024;
export const rangeLimitMax = 65_536;
export const getManyKeysMax = 65_536;

const scanPageEntries = 256;

/** `KeyValueStore.scan` over any `range`. */
export async function* scanPages(
  store: Pick<KeyValueStore, "range">,
  options: ScanOptions,
): AsyncGenerator<Entry, void, void> {
  const limit = options.pageEntries ?? scanPageEntries;
  assert(limit >= 1, `a page holds at least one entry, not ${limit}`);
  const reverse = options.reverse ?? false;
  let { gte, lt } = options;
  for (;;) {
    const page = await store.range({ gte, lt, reverse, limit });
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < limit) return;
    if (reverse) lt = last[0];
    else gte = keyAfter(last[0]);
  }
}

export function assertKeys(keys: readonly Uint8Array[]): void {
  assert(keys.length <= getManyKeysMax, `${keys.length} keys in one read`);
  for (const key of keys) assertKey(key);
}

export function assertRange(options: RangeOptions): void {
  const { gte, lt, limit } = options;
  assert(Number.isInteger(limit) && limit >= 0 && limit <= rangeLimitMax, `range limit ${limit}`);
  assert(gte.length > 0 && lt.length > 0, "a range has two bounds");
}

export function assertBatch(batch: readonly WriteOperation[]): void {
  for (const operation of batch) {
    assertKey(operation.key);
    if (operation.type === "put") {
      const { length } = operation.value;
      assert(length <= valueBytesMax, `a value of ${length} bytes`);
    }
  }
}

function assertKey(key: Uint8Array): void {
  assert(key.length > 0 && key.length <= keyBytesMax, `a key of ${key.length} bytes`);
}

/** The smallest key above `key`. */
export function keyAfter(key: Uint8Array): Uint8Array {
  const out = new Uint8Array(key.length + 1);
  out.set(key);
  return out;
}
