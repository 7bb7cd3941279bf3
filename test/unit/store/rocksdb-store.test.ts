import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { defined } from "../../../src/base/assert.js";
import type { KeyValueStore } from "../../../src/store/key-value-store.js";
import { call, RocksDb, type RocksDbDatabase } from "../../../src/store/rocksdb-binding.js";
import { openRocksDb, storeOver } from "../../../src/store/rocksdb-store.js";
import { describeKeyValueStore, put, textOf } from "./key-value-store.contract.js";

let root: string;
let directories = 0;
before(async () => {
  root = await mkdtemp(join(tmpdir(), "bss-store-"));
});
after(async () => {
  await rm(root, { recursive: true, force: true });
});
const newPath = (): string => join(root, `${directories++}`);

describeKeyValueStore("RocksDB", async () => {
  const path = newPath();
  return {
    open: () => openRocksDb(path),
    remove: () => rm(path, { recursive: true, force: true }),
  };
});

describe("opening a RocksDB store", () => {
  test("makes the missing directories, for their owner only", async () => {
    const path = join(newPath(), "deep", "store");
    const store = await openRocksDb(path);
    await store.close();
    for (const each of [path, join(path, "..")]) {
      assert.equal((await stat(each)).mode & 0o777, 0o700);
    }
  });

  test("leaves the mode of a directory that is there as it is", async () => {
    const path = newPath();
    await mkdir(path, { mode: 0o750 });
    await (await openRocksDb(path)).close();
    assert.equal((await stat(path)).mode & 0o777, 0o750);
  });

  test("makes nothing when it is told not to", async () => {
    const path = newPath();
    await assert.rejects(openRocksDb(path, { createIfMissing: false }), {
      name: "StoreError",
      code: "IO",
      message: /check the path/,
    });
    await assert.rejects(stat(path), { code: "ENOENT" });
    await (await openRocksDb(path)).close();
    await (await openRocksDb(path, { createIfMissing: false })).close();
  });

  test("keeps RocksDB's own log only when a level is given", async () => {
    const path = newPath();
    await (await openRocksDb(path)).close();
    assert.ok(!(await readdir(path)).includes("LOG"));
    await (await openRocksDb(path, { infoLogLevel: "warn", compression: false })).close();
    assert.ok((await readdir(path)).includes("LOG"));
  });

  test("says that the store is damaged when it is", async () => {
    const path = newPath();
    await (await openRocksDb(path)).close();
    await writeFile(join(path, "CURRENT"), "garbage");
    await assert.rejects(openRocksDb(path), { code: "CORRUPT", message: /damaged/ });
  });

  test("says what is wrong with a path that is a file", async () => {
    const path = newPath();
    await writeFile(path, "");
    await assert.rejects(openRocksDb(path), { code: "IO", message: /check the path/ });
  });
});

describe("a RocksDB store whose files were damaged", () => {
  test("never gives out a changed value, neither alone nor in a range", async () => {
    const path = newPath();
    const value = new Uint8Array(64).fill(0xab);
    const entries = Array.from({ length: 100 }, (_, i) => ({ key: Uint8Array.of(1, i), value }));
    const open = (): Promise<KeyValueStore> => openRocksDb(path, { compression: false });

    const written = await open();
    await written.write(
      entries.map((entry) => ({ type: "put", ...entry })),
      "sync",
    );
    await written.close();
    // Opening turns the log into a table file, and only there do iterators skip RocksDB's
    // checksums.
    await (await open()).close();
    await flipBit(path, /\.sst$/, value);

    const store = await open();
    const corrupt = { name: "StoreError", code: "CORRUPT", message: /damaged/ };
    await assert.rejects(store.getMany(entries.map(({ key }) => key)), corrupt);
    await assert.rejects(textOf(store), corrupt);
    await store.close();
  });

  async function flipBit(path: string, fileName: RegExp, near: Uint8Array): Promise<void> {
    const names = (await readdir(path)).filter((name) => fileName.test(name));
    assert.equal(names.length, 1);
    const file = join(path, defined(names[0], "one file has the name"));
    const bytes = await readFile(file);
    const offset = bytes.indexOf(near);
    assert.ok(offset >= 0, "the value is in the file");
    bytes[offset + 3] = (bytes[offset + 3] as number) ^ 1;
    await writeFile(file, bytes);
  }
});

describe("a RocksDB store over its database", () => {
  type Override = (database: RocksDbDatabase) => Partial<RocksDbDatabase>;

  async function openOverridden(override: Override): Promise<KeyValueStore> {
    const path = newPath();
    const database = new RocksDb(path);
    await call<void>((done) => database.open({}, done));
    return storeOver(
      {
        open: database.open.bind(database),
        close: database.close.bind(database),
        getMany: database.getMany.bind(database),
        iterator: database.iterator.bind(database),
        batch: database.batch.bind(database),
        ...override(database),
      },
      path,
    );
  }

  test("asks for a flush exactly for synced batches, also when they are empty", async () => {
    const batches: { operations: number; sync: boolean }[] = [];
    const store = await openOverridden((database) => ({
      batch: (operations, options, callback) => {
        batches.push({ operations: operations.length, sync: options.sync });
        database.batch(operations, options, callback);
      },
    }));
    await store.write([put("a", "1"), put("b", "1")], "sync");
    await store.write([put("a", "2")], "buffered");
    await store.write([], "sync");
    await store.close();
    assert.deepEqual(batches, [
      { operations: 2, sync: true },
      { operations: 1, sync: false },
      { operations: 1, sync: true },
    ]);
  });

  test("ends the iterator of a range that failed: closing does not wait for it", async () => {
    let ended = 0;
    const store = await openOverridden((database) => ({
      iterator: (options) => {
        const iterator = database.iterator(options);
        return {
          next: (callback) => callback(new Error("IO error: Input/output error")),
          end: (callback) => {
            ended += 1;
            iterator.end(callback);
          },
        };
      },
    }));
    await assert.rejects(textOf(store), { name: "StoreError", code: "IO" });
    assert.equal(ended, 1);
    await store.close();
  });

  test("says why a close failed", async () => {
    const store = await openOverridden((database) => ({
      close: (callback) => database.close(() => callback(new Error("IO error: stale"), undefined)),
    }));
    await assert.rejects(store.close(), { name: "StoreError", code: "IO", message: /stale/ });
  });

  const failures = [
    {
      detail: "IO error: No space left on device: While appending to file: /x/000004.log",
      code: "DISK_FULL",
      advice: /free or add space/,
    },
    {
      detail: "IO error: Disk quota exceeded: While fsync: /x/000004.log",
      code: "DISK_FULL",
      advice: /free or add space/,
    },
    {
      detail: "Corruption: block checksum mismatch: expected 1, got 2 in /x/000009.sst",
      code: "CORRUPT",
      advice: /damaged/,
    },
    {
      detail: "Corruption: Can't access /000009.sst: IO error: No space left on device",
      code: "CORRUPT",
      advice: /damaged/,
    },
    { detail: "IO error: Input/output error: While fsync", code: "IO", advice: /check the path/ },
  ] as const;
  for (const { detail, code, advice } of failures) {
    test(`turns "${detail}" into ${code}, and then writes no more`, async () => {
      let isFailing = false;
      let batches = 0;
      const store = await openOverridden((database) => ({
        batch: (operations, options, callback) => {
          batches += 1;
          if (isFailing) setImmediate(() => callback(new Error(detail), undefined));
          else database.batch(operations, options, callback);
        },
      }));
      await store.write([put("a", "1")], "sync");
      isFailing = true;
      const failed = await store.write([put("b", "2")], "sync").catch((error: unknown) => error);
      assert.ok(failed instanceof Error);
      assert.equal(Reflect.get(failed, "code"), code);
      assert.match(failed.message, advice);
      assert.ok(failed.message.includes(detail), "the operator gets RocksDB's own words too");
      isFailing = false;
      await assert.rejects(store.write([put("c", "3")], "sync"), {
        code,
        message: /open the store again/,
      });
      assert.equal(batches, 2, "the refused write does not reach the database");
      assert.deepEqual(await textOf(store), ["a=1"]);
      await store.close();
    });
  }
});
