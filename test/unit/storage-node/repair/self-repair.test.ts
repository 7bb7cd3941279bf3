/** Whatever a storage node's disk loses comes back as it was, and is named. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { defined } from "../../../../src/base/assert.js";
import { equalBytes, toHex } from "../../../../src/base/bytes.js";
import { randomBytes } from "../../../../src/crypto/random.js";
import { CertifiedStorageBlockSchema } from "../../../../src/gen/bss/v1/block_pb.js";
import { Scrubber, type ScrubberPorts } from "../../../../src/storage-node/repair/scrubber.js";
import {
  SelfRepair,
  type SelfRepairPorts,
} from "../../../../src/storage-node/repair/self-repair.js";
import { buckets } from "../../../../src/store/buckets.js";
import { chainKeys } from "../../../../src/store/chain/chain-writes.js";
import { tileKey } from "../../../../src/store/chain/log-tiles.js";
import { segmentKeys } from "../../../../src/store/chain/segments.js";
import type { Damage } from "../../../../src/store/damage/chain-walk.js";
import type { KeyValueStore } from "../../../../src/store/key-value-store.js";
import { StoreError } from "../../../../src/store/store-error.js";
import { consortiumId } from "../../ledger/support/consortium.js";
import { keysIn } from "../../store/support/disks.js";
import { ChainWorld } from "../support/chain-world.js";

const blockCount = 6;

class Bench {
  readonly world: ChainWorld;
  readonly found: Damage[] = [];
  readonly files: string[] = [];
  readonly fetched: number[] = [];
  readonly mended: string[] = [];
  readonly kv: KeyValueStore;
  readonly repair: SelfRepair;
  readonly #ports: SelfRepairPorts;
  failure: unknown;

  private constructor(world: ChainWorld, ports: Partial<SelfRepairPorts>) {
    this.world = world;
    const { store, chain } = world;
    this.kv = store.mendable.kv;
    const observe = {
      repairing() {},
      damaged: (damage: Damage) => this.found.push(damage),
      filesDamaged: (finding: string) => this.files.push(finding),
      repaired() {},
    };
    this.repair = new SelfRepair(observe, () => 0);
    this.#ports = {
      ...store.mendable,
      consortiumId,
      fetch: async (height, blockId) => {
        this.fetched.push(height);
        const made = world.ledger.at(height);
        assert.ok(equalBytes(made.parsed.blockId, blockId), "the right block is asked for");
        const { block, certificates } = made;
        const sealedRecords = [...made.sealedRecords];
        return create(CertifiedStorageBlockSchema, { block, certificates, sealedRecords });
      },
      inTurn: (job) => chain.runExclusive(job),
      mend: async () => void this.mended.push("mended"),
      hadUpTo: 0,
      onRepaired: () => {},
      onFailed: (cause) => {
        this.failure = cause;
      },
      ...ports,
    };
  }

  static async create(
    ports: Partial<SelfRepairPorts> & { started?: boolean } = {},
  ): Promise<Bench> {
    const world = await ChainWorld.open();
    for (let i = 1; i < blockCount; i++) await world.commit(world.ledger.extend({ records: 3 }));
    // The last block fills a part of the log's tiles, and one of its records stands apart.
    const long = randomBytes(2_000);
    const short = Array.from({ length: 39 }, () => randomBytes(90));
    await world.commit(world.ledger.extend({ records: [...short, long] }));
    assert.equal(world.height, blockCount);
    const bench = new Bench(world, ports);
    if (ports.started !== false) bench.start();
    return bench;
  }

  /** A start on what is on the disk. */
  async restarted(): Promise<Bench> {
    await this.world.crash();
    const bench = new Bench(this.world, {});
    bench.start();
    return bench;
  }

  start(): void {
    this.repair.start(this.#ports);
  }

  async content(): Promise<ReadonlyMap<string, string>> {
    const all = new Map<string, string>();
    const everything = { gte: Uint8Array.of(1), lt: Uint8Array.of(0xff) };
    for await (const [key, value] of this.kv.scan(everything)) all.set(toHex(key), toHex(value));
    return all;
  }

  async repaired(cause = "a test says so"): Promise<void> {
    this.repair.report(cause);
    while (this.repair.repairing && this.failure === undefined)
      await new Promise((resolve) => setImmediate(resolve));
    if (this.failure !== undefined) throw this.failure;
  }
}

describe("the repair of a storage node", () => {
  test("finds nothing in a store that is whole", async () => {
    const bench = await Bench.create();
    const before = await bench.content();
    await bench.repaired();
    assert.deepEqual(bench.found, []);
    assert.deepEqual(bench.fetched, []);
    assert.deepEqual(await bench.content(), before);
  });

  const harms: readonly (readonly [string, (value: Uint8Array) => Uint8Array | undefined])[] = [
    ["loses", () => undefined],
    ["changes", (value) => value.map((byte, i) => (i === value.length - 1 ? byte ^ 1 : byte))],
    ["cuts off", (value) => value.subarray(0, value.length - 1)],
  ];
  for (const [what, harm] of harms) {
    test(`restores every single value that a disk ${what}`, async () => {
      const bench = await Bench.create();
      const before = await bench.content();
      assert.ok(before.size > 60, "the chain fills the store");
      // Its signatures are held by the store's own checksum, until the next block holds them.
      const ofHead = toHex(chainKeys.certificates(blockCount));
      for (const [hex, value] of before) {
        const key = Buffer.from(hex, "hex");
        if (what === "changes" && hex === ofHead) continue;
        // The place of a record is all in its key.
        if (value === "" && what !== "loses") continue;
        const harmed = harm(Buffer.from(value, "hex"));
        const operation =
          harmed === undefined
            ? ({ type: "delete", key } as const)
            : ({ type: "put", key, value: harmed } as const);
        await bench.kv.write([operation], "sync");
        bench.found.length = 0;
        await bench.repaired();
        assert.ok(bench.found.length > 0, `${hex} is named`);
        assert.deepEqual((await bench.content()).get(hex), value, `${hex} is as it was`);
      }
      assert.deepEqual(await bench.content(), before);
      const { damaged, repaired } = bench.repair.counts;
      assert.equal(damaged, repaired);
      const empty = [...before.values()].filter((value) => value === "").length;
      assert.ok(damaged >= before.size - 1 - (what === "loses" ? 0 : empty));
      // What follows from blocks is computed, not fetched.
      const cannotBeComputed = 2 * blockCount + blockCount * 3;
      assert.ok(bench.fetched.length <= 2 * cannotBeComputed, `${bench.fetched.length} fetched`);
    });
  }

  test("restores a store of which nothing is left but what is in memory", async () => {
    const bench = await Bench.create();
    const before = await bench.content();
    for (const hex of before.keys()) {
      await bench.kv.write([{ type: "delete", key: Buffer.from(hex, "hex") }], "sync");
    }
    await bench.repaired();
    assert.deepEqual(await bench.content(), before);
  });

  test("restores numbers that are larger than any that is written", async () => {
    const bench = await Bench.create();
    const before = await bench.content();
    const value = new Uint8Array(8).fill(0xff);
    const keys = await keysIn(bench.kv, buckets.lastAttested);
    assert.ok(keys.length > 0);
    for (const hex of keys) {
      await bench.kv.write([{ type: "put", key: Buffer.from(hex, "hex"), value }], "sync");
    }
    await bench.repaired();
    assert.deepEqual(await bench.content(), before);
  });

  test("mends files first when these were damaged", async () => {
    const bench = await Bench.create();
    bench.repair.report("a checksum", { files: true });
    await bench.repaired();
    assert.deepEqual(bench.mended, ["mended"]);
    assert.deepEqual(bench.files, ["a checksum"]);
    assert.equal(bench.repair.counts.damaged, 1);
    assert.equal(bench.repair.lastDamage, "a checksum");
  });

  test("begins with what was reported before it was started", async () => {
    const bench = await Bench.create({ started: false });
    bench.repair.report("a checksum", { files: true });
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(bench.repair.repairing, "the node attests nothing meanwhile");
    assert.deepEqual(bench.mended, []);
    bench.start();
    while (bench.repair.repairing) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(bench.mended, ["mended"]);
    assert.deepEqual(bench.repair.counts, { damaged: 1, repaired: 1 });
  });

  test("counts blocks that are missing as repaired when the node has caught up", async () => {
    const bench = await Bench.create({ hadUpTo: blockCount + 2 });
    const what = `2 blocks up to height ${blockCount + 2}, which this node had when it attested`;
    assert.deepEqual(bench.found, [{ height: blockCount + 1, what: [what] }]);
    const { world, repair } = bench;
    assert.ok(!repair.repairing, "no pass brings them back");
    await world.commit(world.ledger.extend());
    assert.deepEqual(repair.counts, { damaged: 1, repaired: 0 });
    await world.commit(world.ledger.extend());
    assert.deepEqual(repair.counts, { damaged: 1, repaired: 1 });
  });

  test("begins anew when damage is told meanwhile, and gives up when that does not end", async () => {
    let passes = 0;
    const bench: Bench = await Bench.create({
      mend: async () => {
        passes += 1;
      },
      inTurn: async (job) => {
        await job();
        bench.repair.report("again", { files: true });
      },
    });
    await assert.rejects(bench.repaired(), /passes of repair found new damage/);
    assert.ok(passes > 2);
  });

  test("goes on while blocks are appended", async () => {
    const bench = await Bench.create();
    const { world } = bench;
    await bench.kv.write([{ type: "delete", key: segmentKeys.segment(3) }], "sync");
    bench.repair.report("a test says so");
    for (let i = 0; i < 5; i++) await world.commit(world.ledger.extend({ records: 2 }));
    await bench.repaired();
    assert.equal(world.height, blockCount + 5);
    bench.found.length = 0;
    await bench.repaired();
    assert.deepEqual(bench.found, []);
  });

  test("is not needed for tiles that can be read when other values cannot", async () => {
    const bench = await Bench.create();
    await bench.kv.write([{ type: "delete", key: chainKeys.certificates(blockCount) }], "sync");
    const { world } = await bench.restarted();
    assert.match(world.store.doubt?.message ?? "", /certificates/);
    for (let i = 0; i < 4; i++) await world.commit(world.ledger.extend({ records: 60 }));
    await assertProofs(world);
  });

  test("begins at every start until it has come to its end", async () => {
    const first = await Bench.create();
    await first.kv.write([{ type: "delete", key: tileKey({ rank: 0, index: 0 }) }], "sync");
    const second = await first.restarted();
    const { world } = second;
    assert.match(world.store.doubt?.message ?? "", /tile 0\/0/);
    for (let i = 0; i < 4; i++) await world.commit(world.ledger.extend({ records: 60 }));
    const third = await second.restarted();
    assert.match(world.store.doubt?.message ?? "", /was not repaired to the end/);
    await assert.rejects(assertProofs(world), { code: "CORRUPT" });
    await third.repaired();
    await assertProofs(world);
    await third.restarted();
    assert.equal(world.store.doubt, undefined);
  });

  test("begins at the next start if the node is stopped", async () => {
    const bench = await Bench.create();
    const world = bench.world;
    bench.repair.report("a test says so");
    await bench.repair.close();
    await bench.restarted();
    assert.match(world.store.doubt?.message ?? "", /was not repaired to the end/);
  });

  test("mends the log in memory too", async () => {
    const bench = await Bench.create();
    const { head, replaceHead } = bench.world.store.mendable;
    const right = head();
    await replaceHead({ ...right, frontier: { ...right.frontier, size: 17 } });
    await bench.repaired();
    assert.deepEqual(bench.world.store.head, right);
    assert.deepEqual(bench.found, [{ height: blockCount, what: ["head"] }]);
  });
});

/** Every record is in the log. */
async function assertProofs({ store }: ChainWorld): Promise<void> {
  const { size } = store.head.frontier;
  for (let position = 0; position < size; position++) await store.inclusionProof(position, size);
}

describe("scrubbing", () => {
  function scrubber(bench: Bench, change: Partial<ScrubberPorts> = {}) {
    const { store } = bench.world;
    const told: { cause: string; files: boolean }[] = [];
    const saved: number[] = [];
    const errors: unknown[] = [];
    const clock = { ms: 0 };
    const made = new Scrubber({
      ...store.mendable,
      consortiumId,
      periodMs: 100_000,
      progress: { height: 0, lastPassUnixMs: 0 },
      save: async ({ height }) => void saved.push(height),
      openReadOnly: async () => ({ ...readsOf(bench.kv), close: async () => {} }),
      repair: {
        repairing: false,
        report: (cause, { files = false } = {}) => void told.push({ cause, files }),
      },
      log: { error: (...line: unknown[]) => void errors.push(line) },
      time: { monotonicMs: () => clock.ms, wallMs: () => 77 },
      ...change,
    });
    const pass = async (ms: number) => {
      clock.ms += ms;
      made.tick();
      await made.settled();
    };
    return { made, told, saved, errors, pass };
  }

  test("reads evenly over its period, and begins again", async () => {
    const bench = await Bench.create();
    const { made, told, pass, saved } = scrubber(bench);
    await pass(50_000);
    assert.equal(made.progress.height, blockCount / 2);
    await pass(25_000);
    await pass(25_000);
    assert.deepEqual(made.progress, { height: 0, lastPassUnixMs: 77 });
    assert.deepEqual(told, []);
    assert.deepEqual(saved, [3, 4, 0]);
  });

  test("goes on where the node stopped", async () => {
    const bench = await Bench.create();
    const { made, pass } = scrubber(bench, { progress: { height: 3, lastPassUnixMs: 5 } });
    await pass(34_000);
    assert.deepEqual(made.progress, { height: 5, lastPassUnixMs: 5 });
  });

  test("tells what is missing, and changes nothing", async () => {
    const bench = await Bench.create();
    const { told, pass } = scrubber(bench);
    await bench.kv.write([{ type: "delete", key: segmentKeys.segment(3) }], "sync");
    const before = await bench.content();
    await pass(100_000);
    assert.equal(told.length, 1);
    assert.match(told[0]?.cause ?? "", /sealed record of height 2/);
    assert.equal(told[0]?.files, false);
    assert.deepEqual(await bench.content(), before);
  });

  test("tells that a part of the log is wrong that still grows", async () => {
    const bench = await Bench.create();
    const key = tileKey({ rank: 0, index: 0 });
    const value = defined(await bench.kv.get(key), "the log has a tile");
    const wrong = value.with(-1, (value.at(-1) ?? 0) ^ 1);
    await bench.kv.write([{ type: "put", key, value: wrong }], "sync");
    const { told, pass } = scrubber(bench);
    await pass(100_000);
    assert.match(told[0]?.cause ?? "", /tiles of the Merkle log/);
    await bench.repaired();
    assert.deepEqual(await bench.kv.get(key), value);
    assert.deepEqual(bench.found, [{ height: blockCount, what: ["tiles of the Merkle log"] }]);
  });

  test("tells files that cannot be read from values that are not there", async () => {
    const bench = await Bench.create();
    const unreadable = segmentKeys.segment(3);
    const reads = readsOf(bench.kv);
    const { told, pass } = scrubber(bench, {
      openReadOnly: async () => ({
        ...reads,
        getMany: async (keys) => {
          const meets = keys.some((key) => equalBytes(key, unreadable));
          if (meets) throw new StoreError("CORRUPT", "a checksum");
          return reads.getMany(keys);
        },
        range: async (options) => {
          const entries = await reads.range(options);
          const meets = entries.some(([key]) => equalBytes(key, unreadable));
          if (meets) throw new StoreError("CORRUPT", "a checksum");
          return entries;
        },
        close: async () => {},
      }),
    });
    await pass(100_000);
    assert.equal(told[0]?.files, true);
  });

  for (const code of ["TOO_MANY_FILES", "DISK_FULL"] as const) {
    test(`takes it for no damage that it cannot look now: ${code}`, async () => {
      const bench = await Bench.create();
      let isShort = true;
      const { made, told, errors, pass } = scrubber(bench, {
        openReadOnly: async () => {
          if (isShort) throw new StoreError(code, "none is left");
          return { ...readsOf(bench.kv), close: async () => {} };
        },
      });
      await pass(100_000);
      assert.deepEqual(told, []);
      assert.equal(errors.length, 1);
      assert.deepEqual(made.progress, { height: 0, lastPassUnixMs: 0 });
      isShort = false;
      await pass(10_000);
      assert.deepEqual(made.progress, { height: 0, lastPassUnixMs: 77 });
    });
  }

  test("ends within a height when the node is stopped", async () => {
    const bench = await Bench.create();
    const reads = readsOf(bench.kv);
    let made: Scrubber | undefined;
    let closed: Promise<void> | undefined;
    const { saved, told, ...rest } = scrubber(bench, {
      openReadOnly: async () => ({
        ...reads,
        getMany: (keys) => {
          closed ??= made?.close();
          return reads.getMany(keys);
        },
        get: (key) => {
          closed ??= made?.close();
          return reads.get(key);
        },
        close: async () => {},
      }),
    });
    made = rest.made;
    await rest.pass(100_000);
    assert.ok(closed, "it was stopped while it read");
    await closed;
    assert.ok(made.progress.height <= 1, `it has read up to ${made.progress.height}`);
    assert.equal(made.progress.lastPassUnixMs, 0);
    assert.deepEqual(told, []);
    assert.ok(saved.every((height) => height <= 1));
  });

  test("rests while the node repairs itself", async () => {
    const bench = await Bench.create();
    const { made, pass } = scrubber(bench, { repair: { repairing: true, report() {} } });
    await pass(100_000);
    assert.equal(made.progress.lastPassUnixMs, 0);
  });
});

function readsOf(kv: KeyValueStore): KeyValueStore {
  return {
    get: (key) => kv.get(key),
    getMany: (keys) => kv.getMany(keys),
    range: (options) => kv.range(options),
    scan: (options) => kv.scan(options),
    write: (batch, durability) => kv.write(batch, durability),
    close: () => kv.close(),
  };
}
