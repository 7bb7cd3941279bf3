/**
 * The store of a running node: RocksDB in one directory, through the callback API of the `rocksdb`
 * package.
 *
 * RocksDB appends every batch to its write-ahead log; `"sync"` also flushes that log to the device,
 * and with it all batches before. Opening replays the log. The calls run on libuv's thread pool
 * (four threads unless UV_THREADPOOL_SIZE says otherwise), which they share with node:crypto and
 * file access.
 *
 * Every value is read back under a checksum of ours. What no checksum shows is a log that was
 * damaged in its middle: RocksDB takes it for one torn by a crash and replays up to there, and the
 * package offers no stricter mode. A node that its peers show to have signed more than its store
 * holds has lost that part.
 */
import { mkdir, open as openFile, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { toHex } from "../base/bytes.js";
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
} from "./key-value-store.js";
import {
  call,
  collect,
  type NativeEntry,
  RocksDb,
  type RocksDbDatabase,
  toBuffer,
  toBytes,
} from "./rocksdb-binding.js";
import { closedError, refusedAfterFailure, type StoreError, toStoreError } from "./store-error.js";
import { withChecksum, withoutChecksum } from "./value-checksum.js";

export type RocksDbOptions = {
  /** With false, opening fails where there is no store yet. Default true. */
  readonly createIfMissing?: boolean;
  /**
   * Reads what is on disk now, beside the store that writes there; writes are refused. Files may go
   * away under it, so it is for a short look. Default false.
   */
  readonly readOnly?: boolean;
  /** Memory for blocks read from disk. Default 32 MiB. */
  readonly blockCacheBytes?: number;
  /**
   * Memory for writes before they become a sorted file; twice this may be in use. Default 16 MiB.
   */
  readonly writeBufferBytes?: number;
  /** File descriptors held. Default 512, well below the usual limit of 1,024 per process. */
  readonly openFilesMax?: number;
  /**
   * Snappy, block by block. Default true; sealed records do not shrink, but everything else does.
   */
  readonly compression?: boolean;
  /** Lowest level of RocksDB's own `LOG` file in the directory. Default: no such file. */
  readonly infoLogLevel?: "debug" | "info" | "warn" | "error" | "fatal";
};

/** Bytes that a range reads ahead per visit to the thread pool. */
const readAheadBytes = 1_024 * 1_024;

/** In no bucket; deleting it is how an empty synced batch reaches the log. */
const barrierKey = Buffer.of(0);

/**
 * Opens the store in `directory`, made with mode 0700 if it is not there.
 * Rejects with `LOCKED`, `CORRUPT`, `DISK_FULL` or `IO`.
 */
export async function openRocksDb(
  directory: string,
  options: RocksDbOptions = {},
): Promise<KeyValueStore> {
  const path = resolve(directory);
  const createIfMissing = options.createIfMissing ?? true;
  try {
    if (createIfMissing) await makePrivateDirectory(path);
    else await stat(join(path, "CURRENT"));
    const database = new RocksDb(path);
    await call<void>((done) => database.open(nativeOptions(options, createIfMissing), done));
    return storeOver(database, path);
  } catch (cause) {
    throw toStoreError(cause, path);
  }
}

/**
 * Lets RocksDB mend a directory that nobody has open. Whatever cannot be read is put aside in
 * `lost/`: keys may be gone or have an older value afterwards. Rejects with `LOCKED` or `IO`.
 */
export async function repairRocksDb(directory: string): Promise<void> {
  const path = resolve(directory);
  try {
    await stat(path);
    await call<void>((done) => RocksDb.repair(path, done));
  } catch (cause) {
    throw toStoreError(cause, path);
  }
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
    // The package's `get` reports an absent key as an error with a stack; `getMany` as undefined.
    const values = await this.getMany([key]);
    return values[0];
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    assertKeys(keys);
    return this.#run(async () => {
      const values = await call<(Buffer | undefined)[]>((done) =>
        this.#database.getMany(keys.map(toBuffer), done),
      );
      return values.map((value, i) => value && this.#verified(keys[i] as Uint8Array, value));
    });
  }

  async range(options: RangeOptions): Promise<readonly Entry[]> {
    assertRange(options);
    return this.#run(async () => {
      const iterator = this.#database.iterator({
        gte: toBuffer(options.gte),
        lt: toBuffer(options.lt),
        reverse: options.reverse ?? false,
        limit: options.limit,
        highWaterMark: readAheadBytes,
      });
      try {
        const entries = await call<NativeEntry[]>((done) => collect(iterator, options.limit, done));
        return entries.map(([key, value]) => [toBytes(key), this.#verified(key, value)] as const);
      } finally {
        await call<void>((done) => iterator.end(done));
      }
    });
  }

  scan(options: ScanOptions): AsyncIterable<Entry> {
    return scanPages(this, options);
  }

  async write(batch: readonly WriteOperation[], durability: Durability): Promise<void> {
    assertBatch(batch);
    const sync = durability === "sync";
    return this.#run(async () => {
      if (this.#writeFailure !== undefined) throw refusedAfterFailure(this.#writeFailure);
      const operations = batch.map(toNative);
      // The package skips an empty batch, and with it the flush.
      if (operations.length === 0 && sync) operations.push({ type: "del", key: barrierKey });
      try {
        await call<void>((done) => this.#database.batch(operations, { sync }, done));
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
      await call<void>((done) => this.#database.close(done));
    } catch (cause) {
      throw toStoreError(cause, this.#directory);
    }
  }

  #verified(key: Uint8Array, stored: Buffer): Uint8Array {
    const value = withoutChecksum(key, stored);
    if (value !== undefined) return value;
    const detail = `Corruption: checksum mismatch of the value under key 0x${toHex(key)}`;
    throw toStoreError(detail, this.#directory);
  }

  /** The package crashes the process when used after closing, so nothing reaches it unguarded. */
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

function toNative(operation: WriteOperation): { type: "put" | "del"; key: Buffer; value?: Buffer } {
  const key = toBuffer(operation.key);
  return operation.type === "put"
    ? { type: "put", key, value: withChecksum(key, operation.value) }
    : { type: "del", key };
}

function nativeOptions(options: RocksDbOptions, createIfMissing: boolean): object {
  const mebibyte = 1_024 * 1_024;
  return {
    createIfMissing,
    readOnly: options.readOnly ?? false,
    cacheSize: options.blockCacheBytes ?? 32 * mebibyte,
    writeBufferSize: options.writeBufferBytes ?? 16 * mebibyte,
    maxOpenFiles: options.openFilesMax ?? 512,
    compression: options.compression ?? true,
    ...(options.infoLogLevel === undefined ? {} : { infoLogLevel: options.infoLogLevel }),
  };
}

/**
 * Makes what is missing of the path, and its names durable: a synced batch is lost with its
 * directory.
 */
async function makePrivateDirectory(path: string): Promise<void> {
  const firstMade = await mkdir(path, { recursive: true, mode: 0o700 });
  if (firstMade === undefined) return;
  const top = dirname(firstMade);
  for (let parent = dirname(path); ; parent = dirname(parent)) {
    const handle = await openFile(parent, "r");
    await handle.sync().finally(() => handle.close());
    if (parent === top) return;
  }
}
