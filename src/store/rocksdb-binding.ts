/**
 * The `rocksdb` package (5.2.1, an abstract-leveldown 7.2) as far as the store uses it, with its
 * types.
 */
import rocksdb from "rocksdb";

/** What is used of the package's database object (abstract-leveldown 7.2). */
export type RocksDbDatabase = {
  open(options: object, callback: Callback<void>): void;
  close(callback: Callback<void>): void;
  getMany(keys: Buffer[], callback: Callback<(Buffer | undefined)[]>): void;
  batch(operations: object[], options: { sync: boolean }, callback: Callback<void>): void;
  iterator(options: object): RocksDbIterator;
};

export type RocksDbIterator = {
  next(callback: (error: Error | null | undefined, key?: Buffer, value?: Buffer) => void): void;
  end(callback: Callback<void>): void;
};

export type NativeEntry = readonly [key: Buffer, value: Buffer];

export type Callback<T> = (error: Error | null | undefined, value: T) => void;

// The published types describe a default export; the module is the constructor itself, and has
// getMany.
export const RocksDb = rocksdb as unknown as {
  new (directory: string): RocksDbDatabase;
  /**
   * RocksDB's own repair of a directory that nobody has open: every table that cannot be read as a
   * whole goes to `lost/`, all others are kept, the log becomes a table. So a key may be gone or
   * have an older value afterwards, never a damaged one.
   */
  repair(directory: string, callback: Callback<void>): void;
};

/** The promise of one callback. */
export function call<T>(start: (done: Callback<T>) => void): Promise<T> {
  return new Promise((resolveCall, reject) => {
    start((error, value) => (error ? reject(error) : resolveCall(value)));
  });
}

/** Reads up to `limit` entries; the caller ends the iterator. */
export function collect(
  iterator: RocksDbIterator,
  limit: number,
  done: Callback<NativeEntry[]>,
): void {
  const entries: NativeEntry[] = [];
  const step = (): void => {
    if (entries.length === limit) {
      done(null, entries);
      return;
    }
    iterator.next((error, key, value) => {
      if (error) {
        done(error, entries);
      } else if (key === undefined || value === undefined) {
        done(null, entries);
      } else {
        entries.push([key, value]);
        step();
      }
    });
  };
  step();
}

/** Views, not copies: the package copies what it is given before it returns. */
export function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function toBytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
