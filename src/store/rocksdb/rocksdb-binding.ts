/**
 * The native half of the `rocksdb` package (`@nxtedition/rocksdb` 12.2.12, RocksDB 9.7.4) as far as
 * the store uses it, with its types. The package's JavaScript half is left out, as it would write
 * and flush on the calling thread.
 *
 * Nothing here guards against misuse: using a database that is not open ends the process. And
 * `db_get_many`, the read on libuv's threads, throws past its callback when a block is damaged. So
 * everything but opening and closing runs in threads of our own (rocksdb-database.ts), through
 * calls that return their results.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { StoreError } from "../store-error.js";

/** An open database, or one still to be opened, as one thread holds it. */
export type NativeDatabase = { readonly nativeDatabase: unique symbol };

type NativeBatch = { readonly nativeBatch: unique symbol };

type NativeCallback = (error?: Error | null) => void;

export type NativeOptions = {
  readonly createIfMissing: boolean;
  /** Bytes; 0 for none. */
  readonly cacheSize: number;
  readonly compression: boolean;
  readonly walCompression: boolean;
  /** Sizes buffers and files by `memtableMemoryBudget`. Without it, memtables hold 64 MiB each. */
  readonly compaction?: "level";
  /** Bytes; a memtable holds a quarter of it. */
  readonly memtableMemoryBudget?: number;
};

type NativeRange = {
  readonly gte: Buffer;
  readonly lt: Buffer;
  readonly reverse: boolean;
  readonly limit: number;
  /** The answer ends with the entry that goes past so many bytes. */
  readonly highWaterMarkBytes?: number;
  readonly keyEncoding: "buffer";
  readonly valueEncoding: "buffer";
};

type RocksDbBinding = {
  /** A path makes a new one; a handle gives this thread the one that another thread has open. */
  db_init(pathOrHandle: string | bigint): NativeDatabase;
  db_open(database: NativeDatabase, options: NativeOptions, done: NativeCallback): void;
  db_close(database: NativeDatabase, done: NativeCallback): void;
  db_get_handle(database: NativeDatabase): bigint;
  db_get_many_sync(
    database: NativeDatabase,
    keys: readonly Buffer[],
    options: undefined,
  ): readonly (Buffer | undefined | null)[];
  /** Keys and values in turn; not `finished` where it ended by `highWaterMarkBytes` or at 2 GiB. */
  db_query(
    database: NativeDatabase,
    range: NativeRange,
  ): { readonly rows: readonly Buffer[]; readonly finished: boolean };
  /** `options`: an object, even an empty one, costs more than the rest of the call. */
  batch_init(): NativeBatch;
  batch_put(batch: NativeBatch, key: Buffer, value: Buffer, options: undefined): void;
  batch_del(batch: NativeBatch, key: Buffer, options: undefined): void;
  batch_write(database: NativeDatabase, batch: NativeBatch, options: { sync: boolean }): void;
};

let loaded: RocksDbBinding | undefined;

/** @throws StoreError IO where the package has no binary for this machine */
export function loadBinding(): RocksDbBinding {
  try {
    loaded ??= load();
    return loaded;
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new StoreError(
      "IO",
      `RocksDB does not run on this machine (${process.platform}-${process.arch}): it needs ` +
        "linux-x64 with glibc 2.34 or newer and a processor with AVX2, or darwin-arm64; if this is " +
        `one, install the dependencies again (${detail})`,
      { cause },
    );
  }
}

function load(): RocksDbBinding {
  // Without this check, a processor that lacks the instructions ends the process without a word.
  if (process.platform === "linux" && !/^flags\b.*\bavx2\b/m.test(processors())) {
    throw new Error("the processor has no AVX2");
  }
  return createRequire(import.meta.url)("rocksdb/binding.js") as RocksDbBinding;
}

function processors(): string {
  try {
    return readFileSync("/proc/cpuinfo", "utf8");
  } catch {
    return "flags: avx2";
  }
}
