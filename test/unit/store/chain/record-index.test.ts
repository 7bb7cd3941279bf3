import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { AssertionFailed } from "../../../../src/base/assert.js";
import { toHex } from "../../../../src/base/bytes.js";
import type { ParsedRecord } from "../../../../src/ledger/records/records.js";
import {
  type ListedRecord,
  type ListOptions,
  listByMeter,
  listByParticipant,
  recordIndexWrites,
} from "../../../../src/store/chain/record-index.js";
import { ManagerStore } from "../../../../src/store/manager-store.js";
import { openMemoryStore } from "../../../../src/store/memory-store.js";
import { genesis } from "../../ledger/support/consortium.js";
import { hashOf, seedOf } from "../../ledger/support/records.js";
import { blocks, records, versions } from "../support/chain.js";

const hashes = (listed: readonly ListedRecord[]) =>
  listed.map(({ recordHash }) => toHex(recordHash));
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
    assert.deepEqual(hashes(listed).toSorted(), own.map(hexOf).toSorted());
    const sorted = listed.toSorted((a, b) => a.timeMs - b.timeMs || a.position - b.position);
    assert.deepEqual(listed, sorted);
    const buyers = [records.trade, records.buyersReading];
    assert.deepEqual(
      hashes(await store.listByParticipant("participant-2", all)),
      buyers.map(hexOf),
    );
    assert.deepEqual(await store.listByParticipant("participant-4", all), []);
    assert.deepEqual(await store.listByParticipant("participant", all), []);
  });

  test("hold every version of a meter's readings", async () => {
    const store = await filledStore();
    const listed = await store.listByMeter("meter-1", { limit: 100 });
    assert.deepEqual(hashes(listed), [...versions, records.nextReading].map(hexOf));
    assert.deepEqual(await store.listByMeter("meter-4", { limit: 100 }), []);
  });

  test("find a meter's readings by its id in any case, and no other meter's", async () => {
    const kv = await openMemoryStore();
    const ids = ["DE*A", "DE*A*1", "DE*", "DE*A:1"];
    const placedReadings = ids.map((meterId, position) => {
      const payload = { case: "meterReading", value: { meterId } };
      const record = { ownerId: "a", timeMs: 5, hash: seedOf(meterId), record: { payload } };
      return { record: record as unknown as ParsedRecord, position };
    });
    await kv.write(placedReadings.flatMap(recordIndexWrites), "sync");
    for (const id of ids) {
      for (const spelled of [id, id.toLowerCase()]) {
        const listed = await listByMeter(kv, spelled, { limit: 10 });
        assert.deepEqual(hashes(listed), [toHex(seedOf(id))], spelled);
      }
    }
  });

  test("give places that say where the record stands", async () => {
    const store = await filledStore();
    for (const { recordHash, position } of await store.listByMeter("meter-1", { limit: 100 })) {
      assert.deepEqual(await store.recordHashAt(position), recordHash);
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
    record: { payload: { case: "document" } },
  } as unknown as ParsedRecord;
  return { record, position };
}

async function pagesOf(
  list: (options: ListOptions) => Promise<readonly ListedRecord[]>,
  limit: number,
  between: () => Promise<void> = async () => {},
): Promise<ListedRecord[]> {
  const seen: ListedRecord[] = [];
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
const times = fc.integer({ min: -3, max: 3 }).map((step) => step * 1_000);
const entries = fc.array(fc.tuple(fc.constantFrom(...owners), times), { maxLength: 30 });
const bound = fc.option(times, { nil: undefined });

describe("pages", () => {
  test("of any size join to the whole list, within any bounds", async () => {
    await fc.assert(
      fc.asyncProperty(
        entries,
        bound,
        bound,
        fc.integer({ min: 1, max: 4 }),
        async (all, from, to, size) => {
          const kv = await openMemoryStore();
          const places = all.map(([owner, time], position) => placed(owner, time, position));
          await kv.write(places.flatMap(recordIndexWrites), "sync");
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
              .map(({ record, position }) => ({
                timeMs: record.timeMs,
                position,
                recordHash: record.hash,
              }));
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
    const add = (time: number, position: number) =>
      kv.write(recordIndexWrites(placed("a", time, position)), "sync");
    for (let position = 0; position < 20; position++) await add(10 * (position % 7), position);
    const before = await listByParticipant(kv, "a", { limit: 100 });
    let position = 20;
    const seen = await pagesOf(
      (options) => listByParticipant(kv, "a", options),
      3,
      async () => {
        for (const time of [0, 31, 1_000]) if (position < 60) await add(time, position++);
      },
    );
    const keys = seen.map((each) => each.position);
    assert.equal(new Set(keys).size, keys.length);
    for (const each of before) assert.ok(keys.includes(each.position));
  });
});
