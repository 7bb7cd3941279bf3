/**
 * A storage node whose disk lies finds out, says what was damaged, repairs it from the managers,
 * and attests again, while the others go on: real processes, and files that are changed under
 * them.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  appendFileSync,
  closeSync,
  cpSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { defined } from "../../src/base/assert.js";
import { utf8 } from "../../src/base/bytes.js";
import { type BssClient, document } from "../../src/client/index.js";
import { QueryService, type ScrubStatus } from "../../src/gen/bss/v1/query_pb.js";
import { createClient } from "../../src/rpc/client.js";
import { chainKeys } from "../../src/store/chain-writes.js";
import { openRocksDb } from "../../src/store/rocksdb-store.js";
import { LiveConsortium, poll, quickPolicy } from "../support/live-consortium.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const victim = "storage-1";
/** Seven: a committee of five needs four, so that the chain goes on without the victim. */
const sizes = { managers: 2, storage: 7, participants: 1 };
/** About 7 s: everything is read again several times within a test's patience. */
const scrubHours = 0.002;

describe("a storage node whose disk lies", { timeout: 600_000 }, () => {
  const parent = temporaryDirectory();
  let consortium: LiveConsortium;
  let client: BssClient;
  let directory: string;
  let submitted = 0;

  before(async () => {
    consortium = await LiveConsortium.start(join(parent, "live"), sizes, {
      policy: `${quickPolicy}suspension: never\n`,
      prepare: async (configs) => {
        const { file } = defined(
          configs.find(({ id }) => id === victim),
          "the victim has a config",
        );
        appendFileSync(file, `scrub: { period_hours: ${scrubHours} }\n`);
      },
    });
    client = await consortium.client("participant-1");
    directory = consortium.node(victim).config.dataDirectory;
    await submit(12);
    await consortium.agreeOn(12);
  });
  after(() => consortium?.close());

  async function submit(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      submitted += 1;
      const name = `note ${submitted}`;
      const content = utf8(name.repeat(40));
      const note = document({
        ...{ ownerId: "participant-1", mediaType: "text/plain", name, content },
        timeMs: Date.now(),
      });
      await client.submit(client.sign([note]), { timeoutMs: 60_000 });
    }
  }

  const queries = (id: string) =>
    createClient(QueryService, consortium.channel(consortium.tlsOf("auditors/auditor-1"), id));
  const logOf = (id: string) => readFileSync(consortium.node(id).logFile, "utf8");

  async function scrub(): Promise<ScrubStatus | undefined> {
    const answer = await queries(victim)
      .getStatus({}, { timeoutMs: 2_000 })
      .catch(() => undefined);
    return answer?.scrub;
  }

  async function stop(id = victim): Promise<void> {
    const node = consortium.node(id);
    node.kill("SIGTERM");
    await node.exited;
  }

  /** Leaves everything in sorted files, as opening moves the log into one; what it holds. */
  async function settleFiles(): Promise<readonly Uint8Array[]> {
    const kv = await openRocksDb(directory);
    const keys = Array.from({ length: 12 }, (_, position) => chainKeys.sealed(position));
    const records = await kv.getMany(keys);
    await kv.close();
    return records.map((each) => defined(each, "the record is there"));
  }

  /** Does `harm`, and waits for what a node owes afterwards. */
  async function survives(harm: () => Promise<void>, named: RegExp): Promise<void> {
    const logged = logOf(victim).length;
    await harm();
    await submit(2);
    const status = await poll(
      async () => {
        const now = await scrub();
        const isOver = now !== undefined && now.damaged > 0n && !now.repairing;
        return isOver && now.repaired >= now.damaged ? now : undefined;
      },
      () => `damage found and repaired: ${logOf(victim).slice(logged)}`,
    );
    assert.match(status.lastDamage, named);
    assert.match(logOf(victim).slice(logged), /missing or damaged|the store was damaged/);
    const { height } = await consortium.agreeOn(1);
    await attestsAfter(height);
  }

  async function attestsAfter(height: number): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      assert.ok(tries < 30, `${victim} attests after height ${height}`);
      await submit(1);
      const { nodes } = await queries("manager-1").listStorageNodes({});
      const node = nodes.find(({ nodeId }) => nodeId === victim);
      if (Number(node?.lastAttestedHeight ?? 0n) > height) return;
    }
  }

  const places: readonly (readonly [where: string, at: Place])[] = [
    ["within a sealed record", withinRecord],
    ["at the end", ({ length }) => length - 3],
  ];
  for (const [where, at] of places) {
    test(`a byte of each sorted file ${where}, while it is stopped`, () =>
      survives(async () => {
        await stop();
        const records = await settleFiles();
        flipTables(directory, at, records);
        await consortium.restart([victim]);
      }, /./));

    test(`a byte of each sorted file ${where}, while it runs`, () =>
      survives(async () => {
        await stop();
        const records = await settleFiles();
        await consortium.restart([victim]);
        flipTables(directory, at, records);
      }, /./));
  }

  for (const prefix of ["CURRENT", "MANIFEST"]) {
    test(`a byte of ${prefix}, while it is stopped`, () =>
      survives(async () => {
        await stop();
        for (const name of readdirSync(directory)) {
          if (name.startsWith(prefix)) flip(join(directory, name), ({ length }) => length >> 1);
        }
        await consortium.restart([victim]);
      }, /./));
  }

  test("a sealed record that is gone", () =>
    survives(async () => {
      await stop();
      const kv = await openRocksDb(directory);
      await kv.write([{ type: "delete", key: chainKeys.sealed(3) }], "sync");
      await kv.close();
      await consortium.restart([victim]);
    }, /sealed records/));

  test("a directory that is put back by some blocks", async () => {
    const copy = `${directory}-copy`;
    await stop();
    cpSync(directory, copy, { recursive: true });
    await consortium.restart([victim]);
    const { height } = await consortium.agreeOn(1);
    await submit(6);
    await attestsAfter(height + 4);
    await survives(async () => {
      await stop();
      rmSync(directory, { recursive: true });
      cpSync(copy, directory, { recursive: true });
      await consortium.restart([victim]);
    }, /blocks up to height/);
  });

  test("bss check finds nothing in the stores of both roles, and names what is taken out", async () => {
    const all = consortium.nodes.map(({ id }) => id);
    await consortium.agreeOn(1, all);
    for (const id of [victim, "manager-1"]) {
      const { file, dataDirectory } = consortium.node(id).config;
      await stop(id);
      const whole = await runBss("check", "--config", file);
      assert.equal(whole.code, 0, whole.text);
      assert.match(whole.text, /all of it is right, up to height \d+/);
      const kv = await openRocksDb(dataDirectory);
      const keys = [chainKeys.sealed(3), chainKeys.lastAttested("storage-2")];
      await kv.write(
        keys.map((key) => ({ type: "delete", key })),
        "sync",
      );
      await kv.close();
      const damaged = await runBss("check", "--config", file);
      assert.equal(damaged.code, 1, damaged.text);
      assert.match(damaged.text, /height 4: 1 of the sealed records of block 4 are missing$/m);
      assert.match(damaged.text, /the chain holds up to height [1-9]/);
    }
  });
});

/** One command line in a process of its own. */
function runBss(...args: readonly string[]): Promise<{ code: number | null; text: string }> {
  const main = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
  const child = spawn(process.execPath, [main, ...args]);
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += chunk;
  });
  child.stderr.on("data", (chunk) => {
    text += chunk;
  });
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, text })));
}

/** Where to change a file; undefined for a file that is left as it is. */
type Place = (content: Buffer, records: readonly Uint8Array[]) => number | undefined;

/** Sealed records do not shrink, so they lie in a file as they are. */
function withinRecord(content: Buffer, records: readonly Uint8Array[]): number | undefined {
  const places = records.map((record) => content.indexOf(record.subarray(64, 96)));
  return places.find((place) => place >= 0);
}

function flipTables(directory: string, at: Place, records: readonly Uint8Array[]): void {
  const tables = readdirSync(directory).filter((name) => name.endsWith(".sst"));
  const flipped = tables.filter((name) => flip(join(directory, name), at, records));
  assert.ok(flipped.length > 0, `in one of the files: ${readdirSync(directory).join(" ")}`);
}

/** In place, as a disk does it. */
function flip(file: string, at: Place, records: readonly Uint8Array[] = []): boolean {
  const content = readFileSync(file);
  const position = at(content, records);
  if (position === undefined) return false;
  const handle = openSync(file, "r+");
  writeSync(handle, Buffer.of((content[position] ?? 0) ^ 0x10), 0, 1, position);
  closeSync(handle);
  return true;
}
