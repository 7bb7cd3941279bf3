import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { defined } from "../../../../src/base/assert.js";
import type { KeyValueStore } from "../../../../src/store/key-value-store.js";
import {
  openDatabase,
  type RocksDbDatabase,
} from "../../../../src/store/rocksdb/rocksdb-database.js";
import { openRocksDb, storeOver } from "../../../../src/store/rocksdb/rocksdb-store.js";
import { describeKeyValueStore, put, textOf } from "../key-value-store.contract.js";

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
  test("never gives out a changed or missing value, wherever a table is damaged", async () => {
    const whole = newPath();
    const entries = Array.from({ length: 300 }, (_, i) => ({
      key: Uint8Array.of(1, i >> 8, i & 0xff),
      value: new Uint8Array(40).fill(i),
    }));
    const written = await openRocksDb(whole);
    await written.write(
      entries.map((entry) => ({ type: "put", ...entry })),
      "sync",
    );
    await written.close();
    // Opening turns the log into a table.
    const opened = await openRocksDb(whole);
    const expected = await textOf(opened);
    await opened.close();
    const name = defined(
      (await readdir(whole)).find((file) => file.endsWith(".sst")),
      "a table",
    );
    const table = await readFile(join(whole, name));

    const places = Array.from({ length: 60 }, (_, i) => Math.floor((i * table.length) / 60));
    const found = { refused: 0, right: 0 };
    for (const place of places) {
      const path = newPath();
      await cp(whole, path, { recursive: true });
      const changed = Buffer.from(table);
      changed[place] = (changed[place] ?? 0) ^ 0x10;
      await writeFile(join(path, name), changed);
      const open = await openRocksDb(path).catch(refusal);
      if (open === undefined) {
        found.refused += 1;
        continue;
      }
      const one = await open.getMany(entries.map(({ key }) => key)).catch(refusal);
      const range = await textOf(open).catch(refusal);
      if (one !== undefined)
        assert.deepEqual(
          one,
          entries.map(({ value }) => value),
        );
      if (range !== undefined) assert.deepEqual(range, expected);
      if (one === undefined || range === undefined) found.refused += 1;
      else found.right += 1;
      await open.close();
      await rm(path, { recursive: true });
    }
    assert.ok(found.refused >= places.length / 2, `${found.refused} of ${places.length} refused`);
  });

  function refusal(error: unknown): undefined {
    assert.ok(error instanceof Error);
    assert.equal(Reflect.get(error, "code"), "CORRUPT", error.message);
    return undefined;
  }
});

describe("a RocksDB store over its database", () => {
  async function openOverridden(
    override: (database: RocksDbDatabase) => Partial<RocksDbDatabase>,
  ): Promise<KeyValueStore> {
    const path = newPath();
    const sizes = { cacheSize: 0, compression: false, walCompression: false };
    const database = await openDatabase(path, { createIfMissing: true, ...sizes });
    return storeOver({ ...database, ...override(database) }, path);
  }

  test("asks for a flush exactly for synced batches, also when they are empty", async () => {
    const batches: { operations: number; sync: boolean }[] = [];
    const store = await openOverridden((database) => ({
      write: (batch, sync) => {
        batches.push({ operations: batch.length, sync });
        return database.write(batch, sync);
      },
    }));
    await store.write([put("a", "1"), put("b", "1")], "sync");
    await store.write([put("a", "2")], "buffered");
    await store.write([], "sync");
    await store.close();
    assert.deepEqual(batches, [
      { operations: 2, sync: true },
      { operations: 1, sync: false },
      { operations: 0, sync: true },
    ]);
  });

  test("says why a close failed", async () => {
    const store = await openOverridden((database) => ({
      close: async () => {
        await database.close();
        throw new Error("IO error: stale");
      },
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
      detail: "IO error: While open a file for random read: /x/000009.sst: Too many open files",
      code: "TOO_MANY_FILES",
      advice: /LimitNOFILE=65536/,
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
        write: async (batch, sync) => {
          batches += 1;
          if (isFailing) throw new Error(detail);
          await database.write(batch, sync);
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
