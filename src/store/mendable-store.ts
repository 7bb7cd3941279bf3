/**
 * A store whose files can be mended while a node runs:
 *
 *     serving ── damage found ──▶ told ── mend() ──▶ repaired, closed, opened ──▶ serving
 *
 * RocksDB reads past a damaged block until it has to rewrite it, and from then on takes no write:
 * so damage in a file is mended at once, whoever finds it. Operations that come meanwhile wait. A
 * write that meets damage mends first and is then made again, as a batch says what holds after it,
 * whatever was there before. A read that meets damage rejects; what it was for is its caller's.
 *
 * Mending brings back files that can be read, not what was in those that cannot: keys may be gone
 * or have an older value. Whoever owns the data finds out what is missing, and gets it elsewhere.
 */
import {
  type Durability,
  type Entry,
  type KeyValueStore,
  type RangeOptions,
  type ScanOptions,
  scanPages,
  type WriteOperation,
} from "./key-value-store.js";
import { isDamage, type StoreError } from "./store-error.js";

type MendableStorePorts = {
  readonly open: () => Promise<KeyValueStore>;
  /**
   * Makes the files readable again, and closes the store over them that is given: what it has read
   * already may be more than can be read anew.
   */
  readonly repair: (damaged: KeyValueStore) => Promise<void>;
  /** Something on disk is not what was written. Must not throw. */
  readonly onDamage: (error: StoreError) => void;
};

export class MendableStore implements KeyValueStore {
  readonly #ports: MendableStorePorts;
  #inner: KeyValueStore;
  #mending: Promise<void> | undefined;
  #inFlight = 0;
  #onIdle: (() => void) | undefined;
  #closed = false;

  private constructor(ports: MendableStorePorts, inner: KeyValueStore) {
    this.#ports = ports;
    this.#inner = inner;
  }

  static async open(ports: MendableStorePorts): Promise<MendableStore> {
    return new MendableStore(ports, await ports.open());
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#run((kv) => kv.get(key));
  }

  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return this.#run((kv) => kv.getMany(keys));
  }

  range(options: RangeOptions): Promise<readonly Entry[]> {
    return this.#run((kv) => kv.range(options));
  }

  scan(options: ScanOptions): AsyncIterable<Entry> {
    return scanPages(this, options);
  }

  async write(batch: readonly WriteOperation[], durability: Durability): Promise<void> {
    try {
      await this.#run((kv) => kv.write(batch, durability));
    } catch (error) {
      if (!isDamage(error)) throw error;
      await this.mend();
      // Synced, as what was buffered before it may have been lost with the log.
      await this.#run((kv) => kv.write(batch, "sync"));
    }
  }

  /**
   * Repairs and opens again; callers at the same time share one. Rejects when it cannot be opened
   * any more; then every operation rejects.
   */
  mend(): Promise<void> {
    this.#mending ??= this.#mend().finally(() => {
      this.#mending = undefined;
    });
    return this.#mending;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#mending?.catch(() => {});
    await this.#inner.close();
  }

  async #mend(): Promise<void> {
    if (this.#closed) return;
    while (this.#inFlight > 0) {
      await new Promise<void>((idle) => {
        this.#onIdle = idle;
      });
    }
    await this.#ports.repair(this.#inner);
    this.#inner = await this.#ports.open();
  }

  async #run<T>(operation: (kv: KeyValueStore) => Promise<T>): Promise<T> {
    while (this.#mending !== undefined) await this.#mending;
    this.#inFlight += 1;
    try {
      return await operation(this.#inner);
    } catch (error) {
      if (isDamage(error)) this.#ports.onDamage(error);
      throw error;
    } finally {
      this.#inFlight -= 1;
      if (this.#inFlight === 0) this.#onIdle?.();
    }
  }
}
