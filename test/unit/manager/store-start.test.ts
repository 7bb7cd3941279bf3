import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { pino } from "pino";
import { checkLastBlocks, openManagerStore } from "../../../src/manager/store-start.js";
import { Closers } from "../../../src/node/running-node.js";
import { buckets } from "../../../src/store/buckets.js";
import { bucketRange } from "../../../src/store/key-codec.js";
import { ManagerStore } from "../../../src/store/manager-store.js";
import { openMemoryStore } from "../../support/memory-store.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import { epochKey, genesis } from "../ledger/support/consortium.js";
import { blocks } from "../store/support/chain.js";

describe("the start of a manager's store", () => {
  test("refuses last blocks that are not whole", async () => {
    const kv = await openMemoryStore();
    const store = await ManagerStore.open(kv, genesis);
    for (const block of blocks) await store.append(block);
    await checkLastBlocks(store, epochKey);
    const [entry] = await kv.range({ ...bucketRange(buckets.segment), limit: 1 });
    const [key, value] = entry ?? [];
    assert.ok(key && value);
    await kv.write([{ type: "put", key, value: value.with(-1, (value.at(-1) ?? 0) ^ 1) }], "sync");
    await assert.rejects(checkLastBlocks(store, epochKey), { code: "CORRUPT", message: /record/ });
    await kv.write([{ type: "delete", key }], "sync");
    await assert.rejects(checkLastBlocks(store, epochKey), { code: "CORRUPT" });
  });

  test("says what a damaged write-ahead log has lost, and goes on from what is before", async () => {
    const dataDirectory = join(temporaryDirectory(), "data");
    const said: string[] = [];
    const log = pino({ base: null, timestamp: false }, { write: (line) => said.push(line) });
    const open = async (closers: Closers, start = genesis) =>
      openManagerStore(
        { id: "manager-1", role: "manager", dataDirectory },
        { genesis: start, epochKey, log },
        closers,
      );
    const first = new Closers();
    const store = await open(first);
    for (const block of blocks) await store.append(block);
    await first.close();
    assert.deepEqual(said, []);
    const logs = readdirSync(dataDirectory).filter((name) => /^\d+\.log$/.test(name));
    const file = join(dataDirectory, logs.at(-1) ?? "");
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.fill(0x5a, bytes.length >> 1, (bytes.length >> 1) + 100));
    const failing = new Closers();
    const other = { ...genesis, consortiumId: new Uint8Array(32) };
    await assert.rejects(open(failing, other), { code: "MISMATCH" });
    await failing.close();
    assert.equal(said.length, 1, "also by a start that fails");
    const second = new Closers();
    const { head } = await open(second);
    await second.close();
    assert.ok(head.height < blocks.length, String(head.height));
    assert.equal(said.length, 1);
    assert.match(said[0] ?? "", /write-ahead log \d+\.log is damaged .*the store has lost its end/);
    const third = new Closers();
    await open(third);
    await third.close();
    assert.equal(said.length, 1, "once");
  });
});
