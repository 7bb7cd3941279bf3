/**
 * The store of a running node: RocksDB in one directory.
 *
 * RocksDB appends every batch to its write-ahead log; `"sync"` also flushes that log to the device,
 * and with it all batches before. Opening replays the log. Reads and writes run in threads of their
 * own (rocksdb-database.ts); opening and closing on libuv's.
 *
 * RocksDB verifies its checksums on every read. They do not show a log that was damaged in its
 * middle: RocksDB takes it for a log torn by a crash, replays it up to there, and the package
 * offers no stricter mode. So nodes check the log first (rocksdb-log.ts).
 */
import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { toHex } from "../../base/bytes.js";
import {
  assertBatch,
  assertKeys,
  assertRange,
  type Durability,
  type Entry,
  type KeyValueStore,
  type RangeOptions,
  type ScanOptions,
  scanPages,
  type WriteOperation,
} from "../key-value-store.js";
import {
  closedError,
  isDamage,
  refusedAfterFailure,
  StoreError,
  toStoreError,
} from "../store-error.js";
import type { NativeOptions } from "./rocksdb-binding.js";
import { openDatabase, type RocksDbDatabase } from "./rocksdb-database.js";
import {
  finishRepair,
  refuseUnfinishedRepair,
  repairDirectory,
  syncDirectory,
} from "./rocksdb-repair.js";

type RocksDbOptions = {
  /** With false, opening fails where there is no store yet. Default true. */
  readonly createIfMissing?: boolean;
  /** Memory for blocks read from disk, in bytes. Default 32 MiB. */
  readonly blockCacheBytes?: number;
  /**
   * "few" for a store with a few values that are written again and again: RocksDB then keeps at
   * most 1.5 MiB of writes in memory. Default "many": 48 MiB, and up to 96 MiB when the disk is
   * slower than the writes.
   */
  readonly values?: "few" | "many";
};

const mebibyte = 1_024 * 1_024;
const defaultBlockCacheBytes = 32 * mebibyte;
/**
 * RocksDB then has memtables of 16 MiB, at most six of them, and files of 8 MiB. Its own defaults,
 * of 64 MiB each, take 4 % less processor time for a write and 35 MiB more memory. Half of this
 * would save another 23 MiB, but files are kept open, and there would be twice as many.
 */
const memtableMemoryBudget = 64 * mebibyte;
/** The most memory of a store of "many" values by default: six memtables, and blocks read. */
export const storeMemoryBytes = 6 * (memtableMemoryBudget / 4) + defaultBlockCacheBytes;

/**
 * Opens the store in `directory`, made with mode 0700 if it is not there.
 * Rejects with `LOCKED`, `CORRUPT`, `MISMATCH`, `DISK_FULL` or `IO`.
 */
export async function openRocksDb(
  directory: string,
  options: RocksDbOptions = {},
): Promise<KeyValueStore> {
  const path = resolve(directory);
  const createIfMissing = options.createIfMissing ?? true;
  try {
    if (createIfMissing) {
      await makePrivateDirectory(path);
      await finishRepair(path);
    } else {
      refuseUnfinishedRepair(path);
      await stat(join(path, "CURRENT"));
    }
    await refuseOlderRocksDb(path);
    const database = await openDatabase(path, nativeOptions(options, createIfMissing));
    return storeOver(database, path);
  } catch (cause) {
    throw toStoreError(cause, path);
  }
}

/**
 * Mends a directory. Keys may be gone afterwards, but no value is changed. `opened` is the store
 * over the directory if it is open; it is closed in any case. Rejects with `CORRUPT` if the
 * directory cannot be opened at all, with `DISK_FULL` if there is no space for a copy of what can
 * be read, with `LOCKED` or `IO`; then the directory is as it was.
 */
export function repairRocksDb(directory: string, opened?: KeyValueStore): Promise<void> {
  const open = (path: string, createIfMissing: boolean) => openRocksDb(path, { createIfMissing });
  return repairDirectory(directory, open, opened);
}

/** The store over a database that is open; `directory` is for messages. */
export function storeOver(database: RocksDbDatabase, directory: string): KeyValueStore {
  return new RocksDbStore(database, directory);
}

class RocksDbStore implements KeyValueStore {
  readonly #database: RocksDbDatabase;
  readonly #directory: string;
  #inFlight = 0;
  #onIdle: (() => void) | undefined;
  #closed: Promise<void> | undefined;
  #writeFailure: StoreError | undefined;

  constructor(database: RocksDbDatabase, directory: string) {
    this.#database = database;
    this.#directory = directory;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const values = await this.getMany([key]);
    return values[0];
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    assertKeys(keys);
    const first = keys[0];
    if (first === undefined) return [];
    return this.#run(() => this.#read("at or after", first, this.#database.getMany(keys)));
  }

  async range(options: RangeOptions): Promise<readonly Entry[]> {
    assertRange(options);
    const { gte, lt, reverse = false } = options;
    const [where, key] = reverse ? (["before", lt] as const) : (["at or after", gte] as const);
    return this.#run(() => this.#read(where, key, this.#database.range(options)));
  }

  scan(options: ScanOptions): AsyncIterable<Entry> {
    return scanPages(this, options);
  }

  async write(batch: readonly WriteOperation[], durability: Durability): Promise<void> {
    assertBatch(batch);
    return this.#run(async () => {
      if (this.#writeFailure !== undefined) throw refusedAfterFailure(this.#writeFailure);
      try {
        await this.#database.write(batch, durability === "sync");
      } catch (cause) {
        this.#writeFailure ??= toStoreError(cause, this.#directory);
        throw cause;
      }
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#closeWhenIdle();
    return this.#closed;
  }

  async #closeWhenIdle(): Promise<void> {
    if (this.#inFlight > 0) {
      await new Promise<void>((idle) => {
        this.#onIdle = idle;
      });
    }
    try {
      await this.#database.close();
    } catch (cause) {
      throw toStoreError(cause, this.#directory);
    }
  }

  /** Adds where it read, as RocksDB only says which part of which file is damaged. */
  async #read<T>(side: string, key: Uint8Array, reading: Promise<T>): Promise<T> {
    try {
      return await reading;
    } catch (cause) {
      const error = toStoreError(cause, this.#directory);
      if (!isDamage(error)) throw error;
      const detail = cause instanceof Error ? cause.message : String(cause);
      const where = `${side} the value under key 0x${toHex(key)}`;
      throw toStoreError(new Error(`${detail}, ${where}`, { cause }), this.#directory);
    }
  }

  /** Every use of RocksDB passes here: used after closing, it would end the process. */
  async #run<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) throw closedError();
    this.#inFlight += 1;
    try {
      return await operation();
    } catch (cause) {
      throw toStoreError(cause, this.#directory);
    } finally {
      this.#inFlight -= 1;
      if (this.#inFlight === 0) this.#onIdle?.();
    }
  }
}

function nativeOptions(options: RocksDbOptions, createIfMissing: boolean): NativeOptions {
  const common = {
    createIfMissing,
    cacheSize: options.blockCacheBytes ?? defaultBlockCacheBytes,
    // Sealed records, hashes and signatures, most of what is written, do not shrink; and damage to
    // the dictionary that the package's compression shares among blocks would take a whole file.
    // What is older is compressed all the same, block by block, and is a tenth smaller.
    compression: false,
    walCompression: false,
    compaction: "level",
  } as const;
  return {
    ...common,
    memtableMemoryBudget: options.values === "few" ? mebibyte : memtableMemoryBudget,
  };
}

/**
 * Makes the missing directories of a path, and makes their names durable: otherwise even a synced
 * batch would be lost with its directory.
 */
async function makePrivateDirectory(path: string): Promise<void> {
  const firstMade = await mkdir(path, { recursive: true, mode: 0o700 });
  if (firstMade === undefined) return;
  const top = dirname(firstMade);
  for (let parent = dirname(path); ; parent = dirname(parent)) {
    await syncDirectory(parent);
    if (parent === top) return;
  }
}

/**
 * The oldest RocksDB whose files are read. Before version 0.1.0 this software used RocksDB 6, with
 * Snappy compression, which today's binary does not know, and with its own checksum in each value.
 */
const majorMin = 9;

/**
 * Asked before RocksDB touches the directory.
 *
 * @throws StoreError MISMATCH when the store was written by a RocksDB that is too old
 */
async function refuseOlderRocksDb(path: string): Promise<void> {
  const version = await writtenByVersion(path);
  if (version === undefined || Number(version.split(".")[0]) >= majorMin) return;
  throw new StoreError(
    "MISMATCH",
    `the store at ${path} was written with RocksDB ${version} by a preview of this software, ` +
      "before version 0.1.0, and cannot be read any more: keep the directory elsewhere and start " +
      "again with an empty one; a node then fetches the ledger from the others",
  );
}

/** RocksDB writes a file OPTIONS-<number> whenever it opens a directory. */
async function writtenByVersion(path: string): Promise<string | undefined> {
  const names = (await readdir(path)).filter((name) => /^OPTIONS-\d+$/.test(name)).sort();
  const newest = names.at(-1);
  if (newest === undefined) return undefined;
  const text = await readFile(join(path, newest), "latin1");
  return /^\s*rocksdb_version=([\d.]+)$/m.exec(text)?.[1];
}
