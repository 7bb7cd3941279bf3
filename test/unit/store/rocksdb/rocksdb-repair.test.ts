import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { defined } from "../../../../src/base/assert.js";
import { toHex } from "../../../../src/base/bytes.js";
import { openRocksDb, repairRocksDb } from "../../../../src/store/rocksdb/rocksdb-store.js";
import { contentOf } from "../support/disks.js";

const count = 2_000;
const keyOf = (i: number) => Uint8Array.of(5, 0, 0, 0, i >> 8, i & 0xff);
const bytesOf = (i: number) => new Uint8Array(100).fill(i);

let root: string;
/** A store in one table, with nothing wrong. */
let whole: string;
let expected: ReadonlyMap<string, string>;
let directories = 0;
const newPath = (): string => join(root, `${directories++}`);

before(async () => {
  root = await mkdtemp(join(tmpdir(), "bss-repair-"));
  whole = newPath();
  const kv = await openRocksDb(whole);
  const entries = Array.from({ length: count }, (_, i) => ({ key: keyOf(i), value: bytesOf(i) }));
  await kv.write(
    entries.map((entry) => ({ type: "put", ...entry })),
    "sync",
  );
  await kv.close();
  // Opening turns the log into a table.
  const settled = await openRocksDb(whole);
  expected = await contentOf(settled);
  await settled.close();
  assert.equal(expected.size, count);
});
after(() => rm(root, { recursive: true, force: true }));

async function copied(): Promise<string> {
  const path = newPath();
  await cp(whole, path, { recursive: true });
  return path;
}

async function tableOf(path: string): Promise<string> {
  const name = defined(
    (await readdir(path)).find((file) => file.endsWith(".sst")),
    "a table",
  );
  return join(path, name);
}

async function flip(file: string, shares: readonly number[]): Promise<void> {
  const bytes = await readFile(file);
  for (const share of shares) {
    const at = Math.floor(bytes.length * share);
    bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  }
  await writeFile(file, bytes);
}

async function content(path: string): Promise<ReadonlyMap<string, string>> {
  const kv = await openRocksDb(path);
  try {
    return await contentOf(kv);
  } finally {
    await kv.close();
  }
}

describe("repairing a directory of RocksDB", () => {
  test("removes every file of the damaged store, and none that is another's", async () => {
    const path = await copied();
    await flip(await tableOf(path), [0.4]);
    // Beside a signer's store lies the certificate that its node has renewed.
    await writeFile(join(path, "renewed-tls.crt"), "a certificate");
    await repairRocksDb(path);
    assert.equal(await readFile(join(path, "renewed-tls.crt"), "utf8"), "a certificate");
    const left = await readdir(path);
    for (const name of ["CURRENT", "IDENTITY"]) assert.ok(left.includes(name));
    assert.equal(left.filter((name) => name.startsWith("MANIFEST-")).length, 1);
  });

  for (const shares of [[0], [0.4], [0.2, 0.5, 0.8], [0.3, 0.305, 0.31]]) {
    test(`keeps all but the blocks that are damaged at ${shares.join(", ")}`, async () => {
      const path = await copied();
      await flip(await tableOf(path), shares);
      await assert.rejects(content(path), { code: "CORRUPT" });
      await repairRocksDb(path);
      const kept = await content(path);
      for (const [key, value] of kept) assert.equal(value, expected.get(key), key);
      // A block has 4 KiB, some 38 entries.
      const lost = count - kept.size;
      assert.ok(lost > 0 && lost <= shares.length * 50, `${lost} entries are lost`);
      assert.deepEqual(
        (await readdir(path)).filter((name) => /^re/.test(name)),
        [],
      );
    });
  }

  test("keeps what lies before the damage, also where each entry has a block of its own", async () => {
    const path = newPath();
    const large = (i: number) => new Uint8Array(6_000).fill(i + 1);
    const kv = await openRocksDb(path);
    for (let i = 0; i < 9; i += 1) {
      await kv.write([{ type: "put", key: keyOf(i), value: large(i) }], "sync");
    }
    await kv.close();
    await (await openRocksDb(path)).close();
    const table = await tableOf(path);
    const bytes = await readFile(table);
    for (const i of [3, 5]) {
      const at = bytes.indexOf(large(i)) + 100;
      bytes[at] = (bytes[at] ?? 0) ^ 0x10;
    }
    await writeFile(table, bytes);
    await repairRocksDb(path);
    const kept = [...(await content(path)).keys()];
    assert.deepEqual(
      kept,
      [0, 1, 2, 4, 6, 7, 8].map((i) => toHex(keyOf(i))),
    );
  });

  test("loses nothing where nothing is damaged", async () => {
    const path = await copied();
    await repairRocksDb(path);
    assert.deepEqual(await content(path), expected);
  });

  test("leaves a directory that cannot be opened as it was", async () => {
    const path = await copied();
    await writeFile(join(path, "CURRENT"), "garbage");
    const names = (await readdir(path)).sort();
    await assert.rejects(repairRocksDb(path), { name: "StoreError", code: "CORRUPT" });
    assert.deepEqual((await readdir(path)).sort(), names);
  });

  test("leaves a directory that a process has open alone", async () => {
    const path = await copied();
    const kv = await openRocksDb(path);
    await assert.rejects(repairRocksDb(path), { name: "StoreError", code: "LOCKED" });
    assert.deepEqual(await contentOf(kv), expected);
    await kv.close();
  });

  /** What a crash leaves: the name of the step, and which files are where. */
  const interrupted = [
    ["while it copies", "repaired", []],
    ["before the damaged files are gone", "replacing", []],
    ["before the new files have moved", "replaced", ["CURRENT"]],
  ] as const;
  for (const [when, step, moved] of interrupted) {
    test(`is taken up by opening when it was interrupted ${when}`, async () => {
      const path = await copied();
      const copy = join(path, step);
      await mkdir(copy);
      const kv = await openRocksDb(copy);
      await kv.write([{ type: "put", key: keyOf(1), value: bytesOf(1) }], "sync");
      await kv.close();
      if (step === "replaced") {
        for (const name of await readdir(path)) if (name !== step) await rm(join(path, name));
        for (const name of moved) await rename(join(copy, name), join(path, name));
      }
      if (step !== "repaired") {
        const look = openRocksDb(path, { createIfMissing: false });
        await assert.rejects(look, { code: "IO", message: /start the node, which finishes it/ });
      }
      const found = await content(path);
      if (step === "repaired") assert.deepEqual(found, expected);
      else assert.deepEqual([...found], [[toHex(keyOf(1)), toHex(bytesOf(1))]]);
      assert.equal((await readdir(path)).includes(step), step === "repaired");
    });
  }
});
