import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { binaryText, utf8 } from "../../../../src/base/bytes.js";
import { CompactWriter } from "../../../../src/ledger/state/compact.js";
import { IntervalRecordKey } from "../../../../src/ledger/state/state-key-list.js";
import { stateKeys } from "../../../../src/ledger/state/state-keys.js";
import { encodeReadings } from "../../../../src/ledger/state/windows.js";
import { RecentState, stateKey } from "../../../../src/store/chain/recent-state.js";

/** A disk that answers when it is told to, with what it holds then. */
class SlowDisk {
  readonly values = new Map<string, Uint8Array>();
  reads = 0;
  keysRead = 0;
  readonly #waiting: (() => void)[] = [];
  isSlow = false;

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    this.reads += 1;
    this.keysRead += keys.length;
    if (this.isSlow) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return keys.map((key) => this.values.get(binaryText(key)));
  }

  /** Answers what was asked first. */
  answer(): void {
    this.#waiting.shift()?.();
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.values.set(binaryText(stateKey(key)), value);
  }
}

const [sun, wind] = [stateKeys.energy("sun", 1), stateKeys.energy("wind", 1)];
const record = stateKeys.record(new Uint8Array(32).fill(9));

describe("reads of the state", () => {
  test("ask the disk once for each key, whether it has a value or not", async () => {
    const disk = new SlowDisk();
    disk.put(sun, utf8("5"));
    const reads = new RecentState(disk);
    for (let i = 0; i < 3; i++) {
      const values = await reads.read([sun, wind, sun, record]);
      assert.deepEqual(values.get(binaryText(sun)), utf8("5"));
      assert.equal(values.get(binaryText(wind)), undefined);
      assert.deepEqual(
        [...values.keys()],
        [sun, wind, record].map((each) => binaryText(each)),
      );
    }
    assert.deepEqual([disk.reads, disk.keysRead], [1, 3]);
    const values = await reads.read([wind, stateKeys.participant("sun")]);
    assert.equal(values.size, 2);
    assert.deepEqual([disk.reads, disk.keysRead], [2, 4]);
  });

  test("give what blocks have written, without asking for it", async () => {
    const disk = new SlowDisk();
    const reads = new RecentState(disk);
    await reads.read([sun, wind, record]);
    reads.startWriting();
    for (const key of [sun, record]) disk.put(key, utf8("6"));
    reads.endWriting([sun, record].map((key) => ({ key, value: utf8("6") })));
    assert.deepEqual((await reads.read([sun, wind])).get(binaryText(sun)), utf8("6"));
    assert.equal(disk.reads, 1);
    // The one thing that is asked for again: a record is seldom read after its block.
    assert.deepEqual((await reads.read([record])).get(binaryText(record)), utf8("6"));
    assert.equal(disk.reads, 2);
  });

  test("ask for a record that stands for an interval only if that is taken", async () => {
    const disk = new SlowDisk();
    const out = new CompactWriter();
    const value = { importedWh: 1, exportedWh: 0, position: 0 };
    const window = stateKeys.readings("meter", 1);
    disk.put(window, encodeReadings([undefined, value], out));
    const broken = stateKeys.readings("meter", 2);
    disk.put(broken, Uint8Array.of(0xff));
    const keyAt = (place: Uint8Array, slot: number) =>
      new IntervalRecordKey(stateKeys.record(new Uint8Array(32).fill(slot)), place, slot);
    const empty = stateKeys.readings("meter", 3);
    const cases = [
      [window, 0, false],
      [window, 1, true],
      [window, 95, false],
      [empty, 1, false],
      [broken, 0, true],
    ] as const;
    for (const [place, slot, isAsked] of cases) {
      const reads = new RecentState(disk);
      const key = keyAt(place, slot);
      disk.put(key, utf8("there"));
      disk.keysRead = 0;
      const values = await reads.read([key, place]);
      assert.equal(values.size, 2);
      assert.deepEqual(values.get(binaryText(key)), isAsked ? utf8("there") : undefined);
      assert.equal(disk.keysRead, isAsked ? 2 : 1, `slot ${slot}`);
    }
  });

  test("ask for such a record where nobody asked for its interval", async () => {
    const disk = new SlowDisk();
    const key = new IntervalRecordKey(record, stateKeys.readings("meter", 1), 0);
    disk.put(key, utf8("there"));
    const values = await new RecentState(disk).read([key]);
    assert.deepEqual(values.get(binaryText(key)), utf8("there"));
  });

  test("ask for such a record and its interval at one moment", async () => {
    const disk = new SlowDisk();
    const reads = new RecentState(disk);
    const window = stateKeys.readings("meter", 1);
    const key = new IntervalRecordKey(record, window, 0);
    disk.isSlow = true;
    const reading = reads.read([key, window]);
    reads.startWriting();
    const value = { importedWh: 1, exportedWh: 0, position: 0 };
    const writes = [
      { key: window, value: encodeReadings([value], new CompactWriter()) },
      { key: record, value: utf8("new") },
    ];
    for (const { key, value } of writes) disk.put(key, value);
    disk.answer();
    reads.endWriting(writes);
    disk.isSlow = false;
    const values = await reading;
    assert.deepEqual(values.get(binaryText(record)), utf8("new"));
    assert.deepEqual(values.get(binaryText(window)), writes[0]?.value);
  });

  for (const isOver of [true, false]) {
    const when = isOver ? "was written" : "is being written";
    test(`ask for everything again when a block ${when} since they asked`, async () => {
      const disk = new SlowDisk();
      const reads = new RecentState(disk);
      await reads.read([sun]);
      disk.isSlow = true;
      const reading = reads.read([sun, wind]);
      reads.startWriting();
      const writes = [sun, wind].map((key) => ({ key, value: utf8("7") }));
      for (const { key, value } of writes) disk.put(key, value);
      if (isOver) reads.endWriting(writes);
      disk.answer();
      await new Promise<void>((resolve) => setImmediate(resolve));
      disk.answer();
      const values = await reading;
      assert.deepEqual([...values.values()], [utf8("7"), utf8("7")]);
    });
  }

  test("keep no more than their bound", async () => {
    const disk = new SlowDisk();
    const reads = new RecentState(disk, 20_000);
    const keys = Array.from({ length: 1_000 }, (_, i) => stateKeys.participant(`p-${i}`));
    for (const key of keys) await reads.read([key]);
    assert.equal(disk.keysRead, 1_000);
    for (const key of keys.slice(-40)) await reads.read([key]);
    assert.equal(disk.keysRead, 1_000);
    for (const key of keys.slice(0, 40)) await reads.read([key]);
    assert.equal(disk.keysRead, 1_040);
  });

  test("count three times what stays decoded beside its bytes", async () => {
    const value = new Uint8Array(100);
    const ids = Array.from({ length: 100 }, (_, i) => `p-${i}`);
    const again = async (keyOf: (id: string) => Uint8Array) => {
      const disk = new SlowDisk();
      const reads = new RecentState(disk, 20_000);
      for (const id of ids) disk.put(keyOf(id), value);
      for (const id of ids) await reads.read([keyOf(id)]);
      for (const id of ids.slice(-30)) await reads.read([keyOf(id)]);
      return disk.keysRead - ids.length;
    };
    assert.equal(await again((id) => stateKeys.energy(id, 1)), 0);
    for (const keyOf of [
      (id: string) => stateKeys.participant(id),
      (id: string) => stateKeys.meter(id),
      (id: string) => stateKeys.invitation(new Uint8Array(16), id),
    ]) {
      assert.ok((await again(keyOf)) > 5);
    }
  });

  test("keep what is used while other things come and go", async () => {
    const disk = new SlowDisk();
    disk.put(sun, utf8("5"));
    const reads = new RecentState(disk, 20_000);
    for (let i = 0; i < 1_000; i++) await reads.read([sun, stateKeys.participant(`p-${i}`)]);
    assert.equal(disk.keysRead, 1_001);
  });

  test("take everything from the disk once a block could not be written", async () => {
    const disk = new SlowDisk();
    const reads = new RecentState(disk);
    await reads.read([sun]);
    reads.startWriting();
    disk.put(sun, utf8("8"));
    for (let i = 0; i < 2; i++) {
      assert.deepEqual((await reads.read([sun])).get(binaryText(sun)), utf8("8"));
    }
    assert.equal(disk.reads, 3);
  });
});

test("a read gives the state of one moment, however blocks are written around it", async () => {
  const keys = [0, 1, 2, 3].map((i) => stateKeys.energy("sun", i));
  const step = fc.oneof(
    fc.record({ kind: fc.constant("read" as const), keys: fc.subarray(keys, { minLength: 1 }) }),
    fc.record({ kind: fc.constant("start" as const), keys: fc.constant(keys) }),
    fc.record({ kind: fc.constant("disk" as const), keys: fc.constant(keys) }),
    fc.record({ kind: fc.constant("end" as const), keys: fc.constant(keys) }),
    fc.record({ kind: fc.constant("answer" as const), keys: fc.constant(keys) }),
  );
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const disk = new SlowDisk();
      disk.isSlow = true;
      // So small that it often forgets.
      const reads = new RecentState(disk, 1_200);
      const pending: Promise<void>[] = [];
      let [version, stage] = [0, "idle" as "idle" | "started" | "written"];
      for (const { kind, keys: asked } of steps) {
        if (kind === "start" && stage === "idle") {
          reads.startWriting();
          stage = "started";
        } else if (kind === "disk" && stage === "started") {
          version += 1;
          for (const key of keys) disk.put(key, Uint8Array.of(version));
          stage = "written";
        } else if (kind === "end" && stage === "written") {
          const value = Uint8Array.of(version);
          reads.endWriting(keys.map((key) => ({ key, value })));
          stage = "idle";
        } else if (kind === "answer") {
          disk.answer();
          await settle();
        } else if (kind === "read") {
          const from = version;
          const read = async () => {
            const values = await reads.read(asked);
            const seen = new Set([...values.values()].map((value) => value?.[0] ?? 0));
            assert.equal(values.size, asked.length);
            assert.equal(seen.size, 1, "of one moment");
            const [only = -1] = seen;
            assert.ok(only >= from, "not older");
          };
          pending.push(read());
        }
      }
      const all = Promise.all(pending);
      for (let i = 0; i < 3 * steps.length + 1; i++) {
        disk.answer();
        await settle();
      }
      await all;
    }),
    { numRuns: 300 },
  );
});
