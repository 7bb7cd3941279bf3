/**
 * What both stores promise, as one suite. `Disk` is whatever outlives the process that has it open.
 */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { AssertionFailed } from "../../../src/base/assert.js";
import { compareBytes, utf8 } from "../../../src/base/bytes.js";
import {
  type Entry,
  getManyKeysMax,
  type KeyValueStore,
  keyBytesMax,
  rangeLimitMax,
  type WriteOperation,
} from "../../../src/store/key-value-store.js";

export type ContractDisk = { open(): Promise<KeyValueStore>; remove(): Promise<void> };

export const put = (key: string, value: string): WriteOperation => ({
  type: "put",
  key: utf8(key),
  value: utf8(value),
});
export const del = (key: string): WriteOperation => ({ type: "delete", key: utf8(key) });

export const everything = { gte: Uint8Array.of(0), lt: Uint8Array.of(0xff, 0xff, 0xff, 0xff) };

export async function textOf(store: KeyValueStore): Promise<string[]> {
  return words(await store.range({ ...everything, limit: 1_000 }));
}

const decoder = new TextDecoder();
const words = (entries: readonly Entry[]): string[] =>
  entries.map(([key, value]) => `${decoder.decode(key)}=${decoder.decode(value)}`);

export function describeKeyValueStore(name: string, createDisk: () => Promise<ContractDisk>): void {
  describe(`${name}: the contract of a key-value store`, () => {
    let disk: ContractDisk;
    let store: KeyValueStore;
    beforeEach(async () => {
      disk = await createDisk();
      store = await disk.open();
    });
    afterEach(async () => {
      await store.close();
      await disk.remove();
    });

    testReads(() => store);
    testRanges(() => store);
    testWrites(() => store);
    testLimits(() => store);

    test("what was written is there after closing and opening again", async () => {
      await store.write([put("a", "1")], "sync");
      await store.write([put("b", "2"), del("a")], "buffered");
      await store.close();
      store = await disk.open();
      assert.deepEqual(await textOf(store), ["b=2"]);
    });

    test("a second opener is refused while the first is open, and only then", async () => {
      await assert.rejects(disk.open(), { name: "StoreError", code: "LOCKED" });
      await store.close();
      store = await disk.open();
    });

    test("every operation after close rejects, and closing again does not", async () => {
      const range = { ...everything, limit: 1 };
      await store.close();
      await store.close();
      const closed = { name: "StoreError", code: "CLOSED" };
      await assert.rejects(store.get(utf8("a")), closed);
      await assert.rejects(store.getMany([utf8("a")]), closed);
      await assert.rejects(store.range(range), closed);
      await assert.rejects(store.write([put("a", "1")], "sync"), closed);
      await assert.rejects(async () => {
        for await (const _ of store.scan(everything));
      }, closed);
    });

    test("operations in flight when close is called complete before it", async () => {
      const batch = Array.from({ length: 2_000 }, (_, i) => put(`k${i}`, "v"));
      const order: string[] = [];
      const writing = store.write(batch, "sync").then(() => order.push("written"));
      const reading = store.range({ ...everything, limit: 10 }).then(() => order.push("read"));
      await store.close();
      order.push("closed");
      await Promise.all([writing, reading]);
      assert.equal(order.length, 3);
      assert.equal(order.at(-1), "closed");
      store = await disk.open();
      assert.equal((await store.range({ ...everything, limit: 5_000 })).length, 2_000);
    });
  });
}

function testReads(store: () => KeyValueStore): void {
  test("a key that is not there is undefined, and an empty value is a value", async () => {
    await store().write([{ type: "put", key: utf8("empty"), value: new Uint8Array(0) }], "sync");
    assert.equal(await store().get(utf8("absent")), undefined);
    assert.deepEqual(await store().get(utf8("empty")), new Uint8Array(0));
    assert.deepEqual(await textOf(store()), ["empty="]);
  });

  test("getMany answers in the order asked, repeated and missing keys included", async () => {
    await store().write([put("a", "1"), put("b", ""), put("c", "3")], "sync");
    const values = await store().getMany(["c", "x", "a", "b", "c"].map(utf8));
    assert.deepEqual(values, [utf8("3"), undefined, utf8("1"), utf8(""), utf8("3")]);
    assert.deepEqual(await store().getMany([]), []);
  });

  test("values and keys come as plain Uint8Array, whatever kind was written", async () => {
    await store().write([{ type: "put", key: Buffer.from("a"), value: Buffer.from("1") }], "sync");
    const [entry] = await store().range({ ...everything, limit: 1 });
    const bytes = [await store().get(utf8("a")), entry?.[0], entry?.[1]];
    for (const each of bytes) assert.equal(Object.getPrototypeOf(each), Uint8Array.prototype);
  });

  test("neither changing what was written nor what was read changes the store", async () => {
    for (const [key, value] of [
      [Buffer.from([1]), Buffer.from([2])],
      [Uint8Array.of(1), Uint8Array.of(2)],
    ] as const) {
      const writing = store().write([{ type: "put", key, value }], "sync");
      key[0] = 9;
      value[0] = 9;
      await writing;
      const read = await store().get(Uint8Array.of(1));
      assert.deepEqual(read, Uint8Array.of(2));
      read?.fill(7);
      (await store().range({ ...everything, limit: 1 }))[0]?.[1].fill(7);
      assert.deepEqual(await store().get(Uint8Array.of(1)), Uint8Array.of(2));
    }
  });

  test("views into larger buffers are stored as their own bytes", async () => {
    const bytes = Uint8Array.of(1, 2, 3, 4, 5);
    const key = bytes.subarray(1, 2);
    await store().write([{ type: "put", key, value: bytes.subarray(3, 5) }], "sync");
    assert.deepEqual(await store().get(Uint8Array.of(2)), Uint8Array.of(4, 5));
  });
}

function testRanges(store: () => KeyValueStore): void {
  const trickyKeys = [
    [0x00],
    [0x00, 0x00],
    [0x00, 0xff],
    [0x01],
    [0x01, 0x00],
    [0x01, 0x00, 0x00],
    [0x01, 0x00, 0x01],
    [0x01, 0x01],
    [0x7f],
    [0x80],
    [0xc3, 0xa9],
    [0xfe, 0xff],
    [0xff],
    [0xff, 0x00],
    [0xff, 0xff],
  ].map((bytes) => Uint8Array.from(bytes));

  async function fill(): Promise<void> {
    const shuffled = trickyKeys.map(
      (_, i) => trickyKeys[(i * 7) % trickyKeys.length] as Uint8Array,
    );
    await store().write(
      shuffled.map((key) => ({ type: "put", key, value: key })),
      "sync",
    );
  }

  test("a range holds exactly the keys of its bounds in the order of unsigned bytes", async () => {
    await fill();
    for (const gte of trickyKeys) {
      for (const lt of trickyKeys) {
        const expected = trickyKeys.filter(
          (key) => compareBytes(key, gte) >= 0 && compareBytes(key, lt) < 0,
        );
        for (const reverse of [false, true]) {
          const entries = await store().range({ gte, lt, reverse, limit: 100 });
          const inOrder = reverse ? expected.toReversed() : expected;
          assert.deepEqual(
            entries,
            inOrder.map((key) => [key, key]),
          );
        }
      }
    }
  });

  test("bounds need not exist", async () => {
    await store().write([put("b", "1"), put("d", "2")], "sync");
    const range = { gte: utf8("a"), lt: utf8("c"), limit: 9 };
    assert.deepEqual(words(await store().range(range)), ["b=1"]);
    assert.deepEqual(words(await store().range({ ...range, reverse: true })), ["b=1"]);
  });

  test("a limit cuts at the far end of the direction, and 0 is none", async () => {
    await store().write([put("a", "1"), put("b", "2"), put("c", "3")], "sync");
    const read = async (limit: number, reverse: boolean): Promise<string> =>
      words(await store().range({ ...everything, limit, reverse })).join();
    assert.equal(await read(0, false), "");
    assert.equal(await read(2, false), "a=1,b=2");
    assert.equal(await read(2, true), "c=3,b=2");
    assert.equal(await read(3, false), "a=1,b=2,c=3");
    assert.equal(await read(rangeLimitMax, true), "c=3,b=2,a=1");
  });

  test("a scan gives the same as one long range, whatever the page", async () => {
    await fill();
    for (const reverse of [false, true]) {
      const whole = await store().range({ ...everything, reverse, limit: 1_000 });
      for (const pageEntries of [1, 2, 5, trickyKeys.length, 256]) {
        const scanned: Entry[] = [];
        for await (const entry of store().scan({ ...everything, reverse, pageEntries })) {
          scanned.push(entry);
        }
        assert.deepEqual(scanned, whole, `${pageEntries} a page, reverse ${reverse}`);
      }
    }
  });

  test("a scan may delete behind itself and may be left early", async () => {
    await store().write(
      Array.from({ length: 50 }, (_, i) => put(`k${String(i).padStart(2, "0")}`, "v")),
      "sync",
    );
    let seen = 0;
    for await (const [key] of store().scan({ ...everything, pageEntries: 7 })) {
      await store().write([{ type: "delete", key }], "buffered");
      seen += 1;
      if (seen === 40) break;
    }
    assert.equal((await store().range({ ...everything, limit: 100 })).length, 10);
  });

  test("a range of more entries than are read at a time is complete", async () => {
    const value = new Uint8Array(700).fill(1);
    const key = (i: number): Uint8Array => Uint8Array.of(1, i >> 8, i & 0xff);
    await store().write(
      Array.from({ length: 3_500 }, (_, i) => ({ type: "put", key: key(i), value })),
      "sync",
    );
    const entries = await store().range({ ...everything, limit: 10_000 });
    assert.equal(entries.length, 3_500);
    entries.forEach((entry, i) => {
      assert.deepEqual(entry[0], key(i));
    });
  });
}

function testWrites(store: () => KeyValueStore): void {
  test("the operations of a batch apply in their order", async () => {
    await store().write([put("a", "1"), put("a", "2"), put("b", "1"), del("b"), del("c")], "sync");
    await store().write([del("a"), put("a", "3")], "buffered");
    assert.deepEqual(await textOf(store()), ["a=3"]);
  });

  test("a batch with an operation that is refused applies nothing", async () => {
    const tooLong = new Uint8Array(keyBytesMax + 1);
    const bad: WriteOperation[] = [put("a", "1"), { type: "delete", key: tooLong }];
    await assert.rejects(store().write(bad, "sync"), AssertionFailed);
    assert.deepEqual(await textOf(store()), []);
  });

  test("readers never see a part of a batch", async () => {
    const keys = Array.from({ length: 200 }, (_, i) => `k${i}`);
    const writeAll = async (value: string): Promise<void> =>
      store().write(
        keys.map((key) => put(key, value)),
        "buffered",
      );
    await writeAll("0");
    let writing = true;
    const writer = (async () => {
      for (let i = 1; i <= 30; i++) await writeAll(String(i));
      writing = false;
    })();
    let reads = 0;
    while (writing) {
      const values = await store().getMany(keys.map(utf8));
      assert.equal(new Set(values.map((value) => decoder.decode(value))).size, 1);
      const entries = await store().range({ ...everything, limit: 1_000 });
      assert.equal(new Set(entries.map(([, value]) => decoder.decode(value))).size, 1);
      reads += 1;
    }
    await writer;
    assert.ok(reads > 0);
  });

  test("an empty batch is allowed and leaves no trace", async () => {
    await store().write([], "buffered");
    await store().write([], "sync");
    assert.deepEqual(await textOf(store()), []);
  });
}

function testLimits(store: () => KeyValueStore): void {
  test("empty and oversized keys, missing bounds and absurd limits are our bugs", async () => {
    const none = new Uint8Array(0);
    const tooLong = new Uint8Array(keyBytesMax + 1);
    const a = utf8("a");
    await assert.rejects(store().get(none), AssertionFailed);
    await assert.rejects(store().get(tooLong), AssertionFailed);
    await assert.rejects(store().getMany(Array(getManyKeysMax + 1).fill(a)), AssertionFailed);
    await assert.rejects(
      store().write([{ type: "put", key: none, value: a }], "sync"),
      AssertionFailed,
    );
    await assert.rejects(store().range({ gte: none, lt: a, limit: 1 }), AssertionFailed);
    await assert.rejects(store().range({ gte: a, lt: none, limit: 1 }), AssertionFailed);
    for (const limit of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, rangeLimitMax + 1]) {
      await assert.rejects(store().range({ ...everything, limit }), AssertionFailed);
    }
    await assert.rejects(async () => {
      for await (const _ of store().scan({ ...everything, pageEntries: 0 }));
    }, AssertionFailed);
  });

  test("the longest key works in every operation", async () => {
    const key = new Uint8Array(keyBytesMax).fill(0xfe);
    await store().write([{ type: "put", key, value: utf8("v") }], "sync");
    assert.deepEqual(await store().get(key), utf8("v"));
    const scanned: Entry[] = [];
    for await (const entry of store().scan({ ...everything, pageEntries: 1 })) scanned.push(entry);
    assert.deepEqual(scanned, [[key, utf8("v")]]);
  });
}
