import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { AssertionFailed, defined } from "../../../../src/base/assert.js";
import { toHex } from "../../../../src/base/bytes.js";
import type { ParsedRecord } from "../../../../src/ledger/records/records.js";
import {
  type ListOptions,
  type ListPlace,
  listByMeter,
  listByParticipant,
  recordIndexWrites,
} from "../../../../src/store/chain/record-index.js";
import type { KeyValueStore } from "../../../../src/store/key-value-store.js";
import { ManagerStore } from "../../../../src/store/manager-store.js";
import { openMemoryStore } from "../../../support/memory-store.js";
import { genesis } from "../../ledger/support/consortium.js";
import { hashOf, seedOf } from "../../ledger/support/records.js";
import { blocks, records, versions } from "../support/chain.js";

const hashes = async (store: ManagerStore, listed: readonly ListPlace[]) => {
  const records = await store.sealedRecordsAt(listed.map(({ position }) => position));
  return records.map((record) => toHex(defined(record, "a listed record is there").recordHash));
};
const hexOf = (bytes: Uint8Array) => toHex(hashOf(bytes));

async function filledStore(): Promise<ManagerStore> {
  const store = await ManagerStore.open(await openMemoryStore(), genesis);
  for (const block of blocks) await store.append(block);
  return store;
}

describe("the lists of records", () => {
  test("hold a participant's own records and the trades that it buys in, by time", async () => {
    const store = await filledStore();
    const all = { limit: 100 };
    const own = [
      records.trade,
      records.document,
      ...versions,
      records.nextReading,
      records.session,
    ];
    const listed = await store.listByParticipant("participant-1", all);
    assert.deepEqual((await hashes(store, listed)).toSorted(), own.map(hexOf).toSorted());
    const sorted = listed.toSorted((a, b) => a.timeMs - b.timeMs || a.position - b.position);
    assert.deepEqual(listed, sorted);
    const buyers = [records.trade, records.buyersReading];
    assert.deepEqual(
      await hashes(store, await store.listByParticipant("participant-2", all)),
      buyers.map(hexOf),
    );
    assert.deepEqual(await store.listByParticipant("participant-4", all), []);
    assert.deepEqual(await store.listByParticipant("participant", all), []);
  });

  test("hold every version of a meter's readings", async () => {
    const store = await filledStore();
    const listed = await store.listByMeter("meter-1", { limit: 100 });
    assert.deepEqual(await hashes(store, listed), [...versions, records.nextReading].map(hexOf));
    assert.deepEqual(await store.listByMeter("meter-4", { limit: 100 }), []);
  });

  test("find a meter's readings by its id in any case, and no other meter's", async () => {
    const kv = await openMemoryStore();
    const ids = ["DE*A", "DE*A*1", "DE*", "DE*A:1"];
    const placedReadings = ids.map((meterId, position) => {
      const lists = { parties: [], meterIds: [meterId] };
      const record = { ownerId: "a", timeMs: 5, hash: seedOf(meterId), ...lists };
      return { record: record as unknown as ParsedRecord, position };
    });
    await kv.write(await recordIndexWrites(kv, placedReadings), "sync");
    for (const id of ids) {
      for (const spelled of [id, id.toLowerCase()]) {
        const listed = await listByMeter(kv, spelled, { limit: 10 });
        assert.deepEqual(listed, [{ timeMs: 5, position: ids.indexOf(id) }], spelled);
      }
    }
  });

  test("take one run for what a block has of a participant or meter and day", async () => {
    const at = (quarter: number) => quarter * 900_000;
    const day = Array.from({ length: 96 }, (_, i) => placed("a", at(i), 500 + i));
    const kv = await openMemoryStore();
    const [row, cost, ...others] = await recordIndexWrites(kv, day.toReversed());
    assert.ok(row?.type === "put" && cost?.type === "put" && others.length === 0);
    assert.ok(row.value.length <= 3 * 96, `${row.value.length} bytes`);
    assert.equal(cost.value.length, 1);
    for (const other of [placed("a", at(96), 596), placed("b", at(3), 596)]) {
      assert.equal((await recordIndexWrites(kv, [...day, other])).length, 3);
    }
    assert.equal((await recordIndexWrites(kv, day.slice(0, 3))).length, 3);
    await kv.write([row], "sync");
    const places = day.map(({ record, position }) => ({ timeMs: record.timeMs, position }));
    assert.deepEqual(await listByParticipant(kv, "a", { limit: 100 }), places);
    const after = { timeMs: at(9), position: 509 };
    assert.deepEqual(await listByParticipant(kv, "a", { after, limit: 3 }), places.slice(10, 13));
    const damagedRun = { ...row, value: row.value.subarray(0, -2) };
    await kv.write([damagedRun], "sync");
    await assert.rejects(listByParticipant(kv, "a", { limit: 100 }), { code: "CORRUPT" });
  });

  test("read a bounded number of rows, however many blocks have records of one time", async () => {
    const inner = await openMemoryStore();
    let rows = 0;
    const kv: KeyValueStore = {
      get: (key) => inner.get(key),
      getMany: (keys) => inner.getMany(keys),
      scan: (options) => inner.scan(options),
      write: (batch, durability) => inner.write(batch, durability),
      close: () => inner.close(),
      range: async (options) => {
        const entries = await inner.range(options);
        rows += entries.length;
        return entries;
      },
    };
    const [blocks, each] = [4_000, 4];
    for (let block = 0; block < blocks; block += 1) {
      const records = Array.from({ length: each }, (_, i) => placed("a", 1_000, block * each + i));
      await kv.write(await recordIndexWrites(kv, records), "buffered");
    }
    for (const at of [0, 5_000, 10_000, blocks * each - 3]) {
      rows = 0;
      const after = { timeMs: 1_000, position: at };
      const page = await listByParticipant(kv, "a", { after, limit: 100 });
      const length = Math.min(100, blocks * each - at - 1);
      const expected = Array.from({ length }, (_, i) => ({ timeMs: 1_000, position: at + 1 + i }));
      assert.deepEqual(page, expected);
      assert.ok(rows <= 2_000, `${rows} rows`);
    }
  });

  test("are asked for at least one record, and not for too many", async () => {
    const store = await filledStore();
    for (const limit of [0, 65_537]) {
      await assert.rejects(async () => store.listByMeter("meter-1", { limit }), AssertionFailed);
    }
  });
});

/** A record as far as the index looks at it. */
function placed(ownerId: string, timeMs: number, position: number) {
  const hash = seedOf(`${ownerId} ${timeMs} ${position}`);
  const record = {
    ownerId,
    timeMs,
    hash,
    parties: [],
    meterIds: [],
  } as unknown as ParsedRecord;
  return { record, position };
}

async function pagesOf(
  list: (options: ListOptions) => Promise<readonly ListPlace[]>,
  limit: number,
  between: () => Promise<void> = async () => {},
): Promise<ListPlace[]> {
  const seen: ListPlace[] = [];
  for (let pages = 0; ; pages++) {
    assert.ok(pages < 100, "the pages come to an end");
    const after = seen.at(-1);
    const page = await list({ limit, ...(after === undefined ? {} : { after }) });
    assert.ok(page.length <= limit);
    if (page.length === 0) return seen;
    seen.push(...page);
    await between();
  }
}

const owners = ["a", "a-1", "b"];
// Some on one day, in several units; some on other days, and before 1970.
const times = fc
  .tuple(fc.integer({ min: -2, max: 2 }), fc.integer({ min: 0, max: 3 }))
  .chain(([day, step]) =>
    fc.constantFrom(1, 1_000, 3_600_000).map((unit) => day * 86_400_000 + step * unit),
  );
const entries = fc.array(fc.tuple(fc.constantFrom(...owners), times), { maxLength: 40 });
const bound = fc.option(times, { nil: undefined });

describe("pages", () => {
  test("of any size join to the whole list, within any bounds", async () => {
    await fc.assert(
      fc.asyncProperty(
        entries,
        bound,
        bound,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 20 }),
        async (all, from, to, size, blockSize) => {
          const kv = await openMemoryStore();
          const places = all.map(([owner, time], position) => placed(owner, time, position));
          for (let from = 0; from < places.length; from += blockSize) {
            const block = places.slice(from, from + blockSize);
            await kv.write(await recordIndexWrites(kv, block), "sync");
          }
          for (const owner of owners) {
            const bounds = {
              ...(from === undefined ? {} : { fromMs: from }),
              ...(to === undefined ? {} : { toMs: to }),
            };
            const expected = places
              .filter(({ record }) => record.ownerId === owner)
              .filter(({ record }) => record.timeMs >= (from ?? -Infinity))
              .filter(({ record }) => record.timeMs < (to ?? Infinity))
              .toSorted((a, b) => a.record.timeMs - b.record.timeMs || a.position - b.position)
              .map(({ record, position }) => ({ timeMs: record.timeMs, position }));
            const list = (options: ListOptions) =>
              listByParticipant(kv, owner, { ...options, ...bounds });
            assert.deepEqual(await pagesOf(list, size), expected);
          }
        },
      ),
    );
  });

  test("neither repeat nor skip what was there, while records are added anywhere", async () => {
    const kv = await openMemoryStore();
    const add = async (time: number, position: number) =>
      kv.write(await recordIndexWrites(kv, [placed("a", time, position)]), "sync");
    for (let position = 0; position < 20; position++) await add(10 * (position % 7), position);
    const before = await listByParticipant(kv, "a", { limit: 100 });
    let position = 20;
    const seen = await pagesOf(
      (options) => listByParticipant(kv, "a", options),
      3,
      async () => {
        for (const time of [0, 31, 1_000]) if (position < 60) await add(time, position++);
        const run = [5, 70, 70, 5_000].map((time, i) => placed("a", time, position + i));
        if (position < 60) await kv.write(await recordIndexWrites(kv, run), "sync");
        position += 4;
      },
    );
    const keys = seen.map((each) => each.position);
    assert.equal(new Set(keys).size, keys.length);
    for (const each of before) assert.ok(keys.includes(each.position));
  });
});
