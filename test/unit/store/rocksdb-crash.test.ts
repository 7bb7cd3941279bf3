import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { defined } from "../../../src/base/assert.js";
import { bucketRange, KeyReader } from "../../../src/store/key-codec.js";
import type { KeyValueStore } from "../../../src/store/key-value-store.js";
import { openRocksDb } from "../../../src/store/rocksdb/rocksdb-store.js";
import { crashKey, putsPerBatch } from "./crash-writer.js";

let path: string;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), "bss-crash-"));
});
afterEach(async () => {
  await rm(path, { recursive: true, force: true });
});

describe("a process with a RocksDB store", () => {
  test("that is killed with -9 loses no acknowledged batch and no part of any", async () => {
    for (const acknowledgedMin of [1, 150]) {
      const acknowledged = await killWriterAfter(acknowledgedMin);
      const store = await openRocksDb(path);
      const found = await countCompleteBatches(store);
      assert.ok(acknowledged.length >= acknowledgedMin);
      assert.deepEqual(acknowledged, [...acknowledged.keys()]);
      assert.ok(found >= acknowledged.length, `${found} of ${acknowledged.length} batches`);
      await store.close();
    }
  });

  test("keeps others out until it is gone, and they are told why", async () => {
    const { child, lines } = startWriter();
    try {
      await lines.next();
      await assert.rejects(openRocksDb(path), {
        name: "StoreError",
        code: "LOCKED",
        message: /is in use: stop the node/,
      });
    } finally {
      await kill(child);
    }
    const store = await openRocksDb(path);
    assert.ok((await countCompleteBatches(store)) >= 1);
    await store.close();
  });
});

type Writer = { child: ChildProcess; lines: AsyncIterator<string> };

function startWriter(): Writer {
  const script = fileURLToPath(new URL("./crash-writer.js", import.meta.url));
  const child = spawn(process.execPath, [script, path], { stdio: ["ignore", "pipe", "inherit"] });
  const stdout = defined(child.stdout, "the writer's output is a pipe");
  return { child, lines: createInterface({ input: stdout })[Symbol.asyncIterator]() };
}

/**
 * The numbers that the writer acknowledged until it was dead, the last ones printed while being
 * killed.
 */
async function killWriterAfter(acknowledgedMin: number): Promise<number[]> {
  const { child, lines } = startWriter();
  const acknowledged: number[] = [];
  let killed: Promise<void> | undefined;
  try {
    for (;;) {
      const line = await lines.next();
      if (line.done === true) break;
      acknowledged.push(Number(line.value));
      if (acknowledged.length === acknowledgedMin) killed = kill(child);
    }
  } finally {
    await (killed ?? kill(child));
  }
  return acknowledged;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

/**
 * Checks that batches 0, 1, … are there with all their parts and nothing else is; returns how many.
 */
async function countCompleteBatches(store: KeyValueStore): Promise<number> {
  let entries = 0;
  for await (const [key, value] of store.scan(bucketRange(1))) {
    const batch = Math.floor(entries / putsPerBatch);
    assert.deepEqual(key, crashKey(batch, entries % putsPerBatch));
    assert.deepEqual(value, new KeyReader(key, 1).bytes(8));
    entries += 1;
  }
  assert.equal(entries % putsPerBatch, 0, "the last batch is complete");
  return entries / putsPerBatch;
}
