import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Worker } from "node:worker_threads";
import { utf8 } from "../../../../src/base/bytes.js";
import { loadBinding } from "../../../../src/store/rocksdb/rocksdb-binding.js";
import {
  packOperations,
  packParts,
  type ThreadAnswer,
  type ThreadRequest,
  unpackParts,
} from "../../../../src/store/rocksdb/rocksdb-messages.js";

const binding = loadBinding();
const file = new URL("../../../../src/store/rocksdb/rocksdb-worker.js", import.meta.url);
const options = { createIfMissing: true, cacheSize: 0, compression: false, walCompression: false };

const putOf = (key: string) => packOperations([{ type: "put", key: utf8(key), value: utf8("1") }]);

describe("the thread of RocksDB", () => {
  test("makes no write after one that failed, of what was asked for at once", async () => {
    const root = await mkdtemp(join(tmpdir(), "bss-worker-"));
    const database = binding.db_init(root);
    await new Promise((resolve) => binding.db_open(database, options, resolve));
    const handle = binding.db_get_handle(database);
    const write = (id: number, key: string, operations = putOf(key)): ThreadRequest => {
      return { id, handle, kind: "write", operations, sync: true };
    };
    const get = (id: number): ThreadRequest => {
      const keys = packParts([utf8("a"), utf8("b")]);
      return { id, handle, kind: "get", keys };
    };
    const broken = write(2, "x", new ArrayBuffer(1));
    const worker = new Worker(file);
    const ask = async (...requests: readonly ThreadRequest[]) => {
      worker.postMessage(requests);
      const [answers]: (readonly ThreadAnswer[])[] = await once(worker, "message");
      return answers ?? [];
    };
    try {
      const answers = await ask(write(1, "a"), broken, write(3, "b"), get(4));
      assert.deepEqual(
        answers.map((answer) => "failure" in answer),
        [false, true, true, false],
      );
      const [, , , got] = answers;
      assert.ok(got !== undefined && "values" in got && got.values !== undefined);
      assert.deepEqual(unpackParts(got.values).map(String), ["1", "undefined"]);
      assert.ok("values" in ((await ask(write(5, "b")))[0] ?? {}), "another time it may go well");
    } finally {
      await worker.terminate();
      await new Promise((resolve) => binding.db_close(database, resolve));
      await rm(root, { recursive: true });
    }
  });
});
