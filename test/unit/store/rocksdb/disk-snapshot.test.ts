import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { defined } from "../../../../src/base/assert.js";
import { utf8 } from "../../../../src/base/bytes.js";
import {
  fillSnapshot,
  openDiskSnapshot,
  removeOldSnapshots,
} from "../../../../src/store/rocksdb/disk-snapshot.js";
import { openRocksDb } from "../../../../src/store/rocksdb/rocksdb-store.js";
import { everything, put, textOf } from "../key-value-store.contract.js";

const cacheBytes = 1024 * 1024;

describe("a snapshot of a store that is open", () => {
  let path: string;
  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), "bss-snapshot-"));
  });
  afterEach(() => rm(path, { recursive: true, force: true }));

  const snapshots = async () => (await readdir(path)).filter((name) => /^snapshot-/.test(name));

  test("has what was written before it, and nothing that comes later", async () => {
    const kv = await openRocksDb(path);
    await kv.write([put("a", "1")], "sync");
    const snapshot = await openDiskSnapshot(path, cacheBytes);
    await kv.write([put("b", "2")], "sync");
    assert.deepEqual(await textOf(snapshot), ["a=1"]);
    assert.deepEqual(await textOf(kv), ["a=1", "b=2"]);
    await snapshot.close();
    await kv.close();
  });

  test("shares no log with its owner: opening cuts off the end of the last one", async () => {
    const kv = await openRocksDb(path);
    await kv.write([put("a", "1")], "sync");
    const inodes = async (directory: string) => {
      const names = (await readdir(directory)).filter((name) => name.endsWith(".log"));
      return Promise.all(names.map(async (name) => (await stat(join(directory, name))).ino));
    };
    const snapshot = join(path, "snapshot-1");
    await fillSnapshot(path, snapshot);
    const [before, shared] = [await inodes(path), await inodes(snapshot)];
    assert.ok(shared.length > 0 && before.length > 0);
    for (const inode of shared) assert.ok(!before.includes(inode));
    await kv.close();
  });

  test("takes no writes, and leaves nothing behind", async () => {
    const kv = await openRocksDb(path);
    await kv.write([put("a", "1")], "sync");
    const snapshot = await openDiskSnapshot(path, cacheBytes);
    await assert.rejects(snapshot.write([put("a", "2")], "sync"), { code: "IO" });
    await snapshot.close();
    assert.deepEqual(await snapshots(), []);
    await kv.close();
    const again = await openRocksDb(path);
    assert.deepEqual(await textOf(again), ["a=1"]);
    await again.close();
  });

  test("sees damage on the disk that its owner has an undamaged copy of in memory", async () => {
    const value = "x".repeat(64);
    const written = await openRocksDb(path);
    await written.write([put("a", value)], "sync");
    await written.close();
    const kv = await openRocksDb(path);
    assert.deepEqual(await kv.get(utf8("a")), utf8(value));
    const table = defined(
      (await readdir(path)).find((name) => name.endsWith(".sst")),
      "a table",
    );
    const bytes = await readFile(join(path, table));
    const place = bytes.indexOf(value) + 3;
    bytes[place] = (bytes[place] ?? 0) ^ 1;
    await writeFile(join(path, table), bytes);
    assert.deepEqual(await kv.get(utf8("a")), utf8(value));
    const snapshot = await openDiskSnapshot(path, cacheBytes);
    await assert.rejects(textOf(snapshot), { name: "StoreError", code: "CORRUPT" });
    await snapshot.close();
    await kv.close();
  });

  test("holds while its owner writes and compacts: nothing that was there is missing", async () => {
    const kv = await openRocksDb(path, { values: "few" });
    const value = "y".repeat(1_000);
    let written = 0;
    let going = true;
    const writing = (async () => {
      while (going && written < 4_000) {
        await kv.write([put(`k${String(written).padStart(6, "0")}`, value)], "buffered");
        written += 1;
      }
    })();
    for (let look = 0; look < 10; look += 1) {
      const least = written;
      const snapshot = await openDiskSnapshot(path, cacheBytes).catch((error: unknown) => {
        // A file went away between two steps; the caller looks again.
        assert.match(String(error), /No such file|CORRUPT|IO error|Corruption/);
        return undefined;
      });
      if (snapshot === undefined) continue;
      let found = 0;
      for await (const _entry of snapshot.scan(everything)) found += 1;
      assert.ok(found >= least, `${found} of at least ${least}`);
      await snapshot.close();
    }
    going = false;
    await writing;
    await kv.close();
  });

  test("of a process that is gone is removed", async () => {
    await mkdir(join(path, "snapshot-1"));
    await writeFile(join(path, "snapshot-1", "000001.sst"), "");
    await removeOldSnapshots(path);
    assert.deepEqual(await snapshots(), []);
  });
});
