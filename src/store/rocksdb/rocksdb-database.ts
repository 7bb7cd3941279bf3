/** One open RocksDB database: what the store asks of it, and how that reaches the two threads. */
import type { Entry, RangeOptions, WriteOperation } from "../key-value-store.js";
import { loadBinding, type NativeOptions } from "./rocksdb-binding.js";
import { copiedEntries, copiedValues, packOperations, packParts } from "./rocksdb-messages.js";
import { readingThread, writingThread } from "./rocksdb-threads.js";

/** Every operation rejects with RocksDB's own words. None may come after `close`. */
export type RocksDbDatabase = {
  /** All of one moment. */
  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>;
  /** All of one moment. */
  range(options: RangeOptions): Promise<Entry[]>;
  /** One atomic batch; an empty one with `sync` flushes what was written before. */
  write(batch: readonly WriteOperation[], sync: boolean): Promise<void>;
  close(): Promise<void>;
};

export async function openDatabase(path: string, options: NativeOptions): Promise<RocksDbDatabase> {
  const binding = loadBinding();
  const database = binding.db_init(path);
  await new Promise<void>((resolve, reject) => {
    binding.db_open(database, options, (error) => (error ? reject(error) : resolve()));
  });
  const handle = binding.db_get_handle(database);
  return {
    async getMany(keys) {
      const values = await readingThread.ask({ kind: "get", handle, keys: packParts(keys) });
      return values === undefined ? [] : copiedValues(values);
    },
    async range({ gte, lt, reverse = false, limit }) {
      const found = await readingThread.ask({ kind: "range", handle, gte, lt, reverse, limit });
      return found === undefined ? [] : copiedEntries(found);
    },
    async write(batch, sync) {
      await writingThread.ask({ kind: "write", handle, operations: packOperations(batch), sync });
    },
    close: () =>
      new Promise<void>((resolve, reject) => {
        binding.db_close(database, (error) => (error ? reject(error) : resolve()));
      }),
  };
}
