import assert from "node:assert/strict";
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { openRocksDb } from "../../../../src/store/rocksdb/rocksdb-store.js";
import { repositoryRoot } from "../../../support/tree.js";
import { put, textOf } from "../key-value-store.contract.js";

const vectors = join(repositoryRoot(), "test", "vectors", "rocksdb-5.2.1");
const refusal = {
  name: "StoreError",
  code: "MISMATCH",
  message: /RocksDB 6\.17\.3 by a preview .* start again with an empty one/,
};

describe("a store of before version 0.1.0", () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "bss-old-store-"));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  for (const form of ["log", "table"]) {
    test(`is refused, with what to do, and not touched: ${form}`, async () => {
      const path = join(root, form);
      await cp(join(vectors, form), path, { recursive: true });
      await assert.rejects(openRocksDb(path), refusal);
      await assert.rejects(openRocksDb(path, { createIfMissing: false }), refusal);
      const names = (await readdir(path)).sort();
      assert.deepEqual(names, (await readdir(join(vectors, form))).sort());
      for (const name of names) {
        const [now, before] = [readFile(join(path, name)), readFile(join(vectors, form, name))];
        assert.deepEqual(await now, await before, name);
      }
    });
  }

  test("is told from one of today, however often that was opened", async () => {
    const path = join(root, "new");
    for (let opening = 0; opening < 3; opening += 1) {
      const kv = await openRocksDb(path);
      await kv.write([put("a", "1")], "sync");
      assert.deepEqual(await textOf(kv), ["a=1"]);
      await kv.close();
    }
  });
});
