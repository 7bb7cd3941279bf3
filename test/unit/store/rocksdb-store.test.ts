import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { defined } from "../../../src/base/assert.js";
import { bucketRange, KeyReader } from "../../../src/store/key-codec.js";
import type { KeyValueStore } from "../../../src/store/key-value-store.js";
import { call, RocksDb, type RocksDbDatabase } from "../../../src/store/rocksdb-binding.js";
import { openRocksDb, storeOver } from "../../../src/store/rocksdb-store.js";
import { crashKey, putsPerBatch } from "./crash-writer.js";
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

describe("a process with a RocksDB store", () => {
  test("that is killed with -9 loses no acknowledged batch and no part of any", async () => {
    const path = newPath();
    for (const acknowledgedMin of [1, 150]) {
      const acknowledged = await killWriterAfter(path, acknowledgedMin);
      const store = await openRocksDb(path);
      const found = await countCompleteBatches(store);
      assert.ok(acknowledged.length >= acknowledgedMin);
      assert.deepEqual(acknowledged, [...acknowledged.keys()]);
      assert.ok(found >= acknowledged.length, `${found} of ${acknowledged.length} batches`);
      await store.close();
    }
  });

  test("keeps others out until it is gone, and they are told why", async () => {
    const path = newPath();
    const { child, lines } = startWriter(path);
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

describe("a RocksDB store over its database", () => {
  type Batch = { operations: number; sync: boolean };

  async function openSpied(
    fail: (batch: Batch) => Error | undefined,
  ): Promise<{ store: KeyValueStore; batches: Batch[] }> {
    const path = newPath();
    const database = new RocksDb(path);
    await call<void>((done) => database.open({}, done));
    const batches: Batch[] = [];
    const spied: RocksDbDatabase = {
      open: database.open.bind(database),
      close: database.close.bind(database),
      getMany: database.getMany.bind(database),
      iterator: database.iterator.bind(database),
      batch: (operations, options, callback) => {
        const batch = { operations: operations.length, sync: options.sync };
        batches.push(batch);
        const error = fail(batch);
        if (error === undefined) database.batch(operations, options, callback);
        else setImmediate(() => callback(error, undefined));
      },
    };
    return { store: storeOver(spied, path), batches };
  }

  test("asks for a flush exactly for synced batches, also when they are empty", async () => {
    const { store, batches } = await openSpied(() => undefined);
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
      const { store, batches } = await openSpied(() => (isFailing ? new Error(detail) : undefined));
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
      assert.equal(batches.length, 2, "the refused write does not reach the database");
      assert.deepEqual(await textOf(store), ["a=1"]);
      await store.close();
    });
  }
});

type Writer = { child: ChildProcess; lines: AsyncIterator<string> };

function startWriter(path: string): Writer {
  const script = fileURLToPath(new URL("./crash-writer.js", import.meta.url));
  const child = spawn(process.execPath, [script, path], { stdio: ["ignore", "pipe", "inherit"] });
  const stdout = defined(child.stdout, "the writer's output is a pipe");
  return { child, lines: createInterface({ input: stdout })[Symbol.asyncIterator]() };
}

/** The numbers that the writer acknowledged until it was dead, the last ones printed while being killed. */
async function killWriterAfter(path: string, acknowledgedMin: number): Promise<number[]> {
  const { child, lines } = startWriter(path);
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

/** Checks that batches 0, 1, … are there with all their parts and nothing else is; returns how many. */
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
