import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { defined } from "../../../../src/base/assert.js";
import { describeLogDamage, findLogDamage } from "../../../../src/store/rocksdb/rocksdb-log.js";
import { openRocksDb } from "../../../../src/store/rocksdb/rocksdb-store.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

/** More than six blocks of the log; every record spans or shares some. */
const batches = 100;
const valueBytes = 2_000;
const blockBytes = 32_768;
const keyOf = (i: number) => Uint8Array.of(7, i);

describe("a write-ahead log", () => {
  const whole = join(temporaryDirectory(), "whole");
  let file = "";

  before(async () => {
    const kv = await openRocksDb(whole);
    for (let i = 0; i < batches; i++) {
      const value = Buffer.alloc(valueBytes, i);
      await kv.write([{ type: "put", key: keyOf(i), value }], "sync");
    }
    await kv.close();
    file = defined(
      readdirSync(whole).find((name) => /^\d+\.log$/.test(name)),
      "closing leaves the log",
    );
  });

  /** What is found, and how many batches RocksDB then has. */
  const after = async (change: (log: Buffer) => Buffer) => {
    const directory = join(temporaryDirectory(), "changed");
    cpSync(whole, directory, { recursive: true });
    const log = join(directory, file);
    writeFileSync(log, change(readFileSync(log)));
    const damage = await findLogDamage(directory);
    const kv = await openRocksDb(directory);
    let kept = 0;
    while (kept < batches && (await kv.get(keyOf(kept))) !== undefined) kept++;
    await kv.close();
    rmSync(directory, { recursive: true });
    return { damage, kept };
  };
  const flip = (at: (log: Buffer) => number) => (log: Buffer) => {
    const byte = at(log);
    log.writeUInt8(log.readUInt8(byte) ^ 0xff, byte);
    return log;
  };

  test("that is whole, or that a crash has torn, is not damaged", async () => {
    assert.deepEqual(await after((log) => log), { damage: undefined, kept: batches });
    for (const cut of [1, 700, valueBytes + 100]) {
      const torn = await after((log) => log.subarray(0, log.length - cut));
      assert.deepEqual(torn.damage, undefined, String(cut));
      assert.ok(torn.kept >= batches - 2 && torn.kept < batches);
      const zeros = await after((log) => {
        const end = Buffer.alloc(cut);
        return Buffer.concat([log.subarray(0, log.length - cut), end]);
      });
      assert.deepEqual(zeros.damage, undefined, String(cut));
    }
    const followed = await after((log) => Buffer.concat([log, Buffer.alloc(70_000, 0x5a)]));
    assert.deepEqual(followed, { damage: undefined, kept: batches });
  });

  test("with damage in its middle is found, and what RocksDB drops is told", async () => {
    const cases: readonly (readonly [string, (log: Buffer) => Buffer])[] = [
      ["a bit in the middle", flip((log) => log.length >> 1)],
      ["the first record", flip(() => 20)],
      ["a record's length", flip(() => 2 * blockBytes + 4)],
      ["a record's type", flip(() => 2 * blockBytes + 6)],
      ["the last block but its end", flip((log) => log.length - 2 * valueBytes)],
      ["garbage over two blocks", (log) => log.fill(0x5a, blockBytes, 3 * blockBytes)],
      ["zeros over two blocks", (log) => log.fill(0, blockBytes, 3 * blockBytes)],
    ];
    for (const [what, change] of cases) {
      const { damage, kept } = await after(change);
      assert.ok(damage !== undefined && kept < batches, what);
      assert.ok(damage.droppedBytes >= (batches - kept - 1) * valueBytes, what);
      const text = new RegExp(`^the write-ahead log ${file} is damaged at byte ${damage.atByte}, `);
      assert.match(describeLogDamage(damage), text);
    }
  });

  test("has a torn end only if it was written last", async () => {
    const bytes = readFileSync(join(whole, file));
    const broken = flip((log) => log.length - 10)(Buffer.from(bytes));
    const cut = bytes.subarray(0, bytes.length - 700);
    const none = Buffer.alloc(0);
    const of = async (logs: Readonly<Record<string, Buffer>>) => {
      const directory = temporaryDirectory();
      for (const [name, log] of Object.entries(logs)) writeFileSync(join(directory, name), log);
      return findLogDamage(directory);
    };
    assert.equal(await of({ "000009.log": bytes, "000012.log": bytes }), undefined);
    for (const torn of [broken, cut]) {
      assert.equal(await of({ "000009.log": bytes, "000012.log": torn }), undefined);
      assert.equal(await of({ "000009.log": torn, "000012.log": none }), undefined);
      const damage = await of({ "999999.log": torn, "1000000.log": bytes });
      assert.equal(damage?.file, "999999.log");
      assert.equal(damage.droppedBytes, torn.length - damage.atByte + bytes.length);
    }
  });

  test("stays torn beside the one that was begun when it was opened", async () => {
    const log = (directory: string) => {
      const names = readdirSync(directory).filter((name) => /^\d+\.log$/.test(name));
      const last = defined(names.sort().at(-1), "a store has a log");
      return readFileSync(join(directory, last));
    };
    /** The torn log, and the one with which RocksDB went on, with some batches more. */
    const opened = async (torn: Buffer, more: number) => {
      const directory = join(temporaryDirectory(), "opened");
      cpSync(whole, directory, { recursive: true });
      writeFileSync(join(directory, file), torn);
      const kv = await openRocksDb(directory);
      for (let i = 0; i < more; i++) {
        await kv.write([{ type: "put", key: keyOf(i), value: keyOf(i) }], "sync");
      }
      const later = log(directory);
      await kv.close();
      const both = temporaryDirectory();
      writeFileSync(join(both, "000004.log"), torn);
      writeFileSync(join(both, "000009.log"), later);
      return both;
    };
    const bytes = readFileSync(join(whole, file));
    const cut = bytes.subarray(0, bytes.length - 700);
    for (const more of [0, 3]) {
      assert.equal(await findLogDamage(await opened(cut, more)), undefined);
      const lost = await opened(cut, more);
      const shorter = bytes.subarray(0, bytes.length - 700 - valueBytes);
      writeFileSync(join(lost, "000004.log"), shorter);
      assert.equal((await findLogDamage(lost))?.file, "000004.log", "a batch is lost between them");
    }
  });

  test("of a directory that is not there, or empty, is not damaged", async () => {
    assert.deepEqual(await findLogDamage(join(temporaryDirectory(), "none")), undefined);
    assert.deepEqual(await findLogDamage(temporaryDirectory()), undefined);
  });
});
