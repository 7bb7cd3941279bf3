/**
 * The store in memory, for tests and simulation. A `MemoryDisk` outlives a process: a node opens
 * it, is killed or crashes, and opens it again. It fails the way a disk fails:
 *
 * - `crash()` is a loss of power: buffered writes are gone unless a synced write followed them. The
 *   log is sequential, so a synced write also saves all writes before it.
 * - `failNextWrite()` makes one write reject; after the next opening its batch is either lost or
 *   there.
 * - An opener while another one has the disk gets `LOCKED`.
 */
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
} from "../../src/store/key-value-store.js";
import {
  closedError,
  refusedAfterFailure,
  StoreError,
  type StoreErrorCode,
} from "../../src/store/store-error.js";
import { copyOf, copyOfOperation, SortedMap } from "./sorted-map.js";

type WriteFailure = {
  /** Default `IO`. */
  readonly code?: StoreErrorCode;
  /** What the next opening finds of the failed batch: nothing (the default) or all of it. */
  readonly outcome?: "lost" | "kept";
};

export type MemoryDisk = {
  /** Rejects with `LOCKED` while a store over this disk is open. */
  open(): Promise<KeyValueStore>;
  /**
   * Takes back what was not synced. The store that was open is dead: its operations reject
   * `CLOSED`.
   */
  crash(): void;
  /** The next write of the open store rejects, and as any failed write stops the ones after it. */
  failNextWrite(failure?: WriteFailure): void;
};

export function createMemoryDisk(): MemoryDisk {
  return new Disk();
}

/** A store over a disk of its own. */
export function openMemoryStore(): Promise<KeyValueStore> {
  return createMemoryDisk().open();
}

class Disk implements MemoryDisk {
  #content = new SortedMap();
  #undoLog: { readonly key: Uint8Array; readonly before: Uint8Array | undefined }[] = [];
  #openStore: MemoryStore | undefined;
  #nextFailure: Required<WriteFailure> | undefined;

  async open(): Promise<KeyValueStore> {
    if (this.#openStore?.isOpen === true) throw new StoreError("LOCKED", "it is open");
    this.#openStore = new MemoryStore(this, this.#content);
    return this.#openStore;
  }

  crash(): void {
    this.#openStore?.kill();
    this.#nextFailure = undefined;
    for (const { key, before } of this.#undoLog.reverse()) this.#content.put(key, before);
    this.#undoLog = [];
  }

  failNextWrite({ code = "IO", outcome = "lost" }: WriteFailure = {}): void {
    this.#nextFailure = { code, outcome };
  }

  takeFailure(): Required<WriteFailure> | undefined {
    const failure = this.#nextFailure;
    this.#nextFailure = undefined;
    return failure;
  }

  apply(batch: readonly WriteOperation[], durability: Durability): void {
    for (const operation of batch) {
      const key = copyOf(operation.key);
      this.#undoLog.push({ key, before: this.#content.get(key) });
      this.#content.put(key, operation.type === "put" ? copyOf(operation.value) : undefined);
    }
    if (durability === "sync") this.#undoLog = [];
  }
}

class MemoryStore implements KeyValueStore {
  readonly #disk: Disk;
  readonly #content: SortedMap;
  #isOpen = true;
  #writeFailure: StoreError | undefined;
  #keptBatch: readonly WriteOperation[] = [];

  constructor(disk: Disk, content: SortedMap) {
    this.#disk = disk;
    this.#content = content;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return (await this.getMany([key]))[0];
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    assertKeys(keys);
    this.#assertOpen();
    return this.#content.getMany(keys);
  }

  async range(options: RangeOptions): Promise<readonly Entry[]> {
    assertRange(options);
    this.#assertOpen();
    return this.#content.range(options);
  }

  scan(options: ScanOptions): AsyncIterable<Entry> {
    return scanPages(this, options);
  }

  async write(batch: readonly WriteOperation[], durability: Durability): Promise<void> {
    assertBatch(batch);
    this.#assertOpen();
    if (this.#writeFailure !== undefined) throw refusedAfterFailure(this.#writeFailure);
    const failure = this.#disk.takeFailure();
    if (failure === undefined) {
      this.#disk.apply(batch, durability);
      return;
    }
    if (failure.outcome === "kept") this.#keptBatch = batch.map(copyOfOperation);
    this.#writeFailure = new StoreError(failure.code, "a failure that the test asked for");
    throw this.#writeFailure;
  }

  async close(): Promise<void> {
    this.kill();
  }

  /** A batch that failed but reached the log shows once the log is replayed. */
  kill(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (this.#keptBatch.length > 0) this.#disk.apply(this.#keptBatch, "sync");
  }

  #assertOpen(): void {
    if (!this.#isOpen) throw closedError();
  }
}
