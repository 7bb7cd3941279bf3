import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { utf8 } from "../../../../src/base/bytes.js";
import { sha256 } from "../../../../src/crypto/hash.js";
import { buckets } from "../../../../src/store/buckets.js";
import {
  readRecordPlaces,
  recordPlaceKey,
  recordPlaceWrites,
} from "../../../../src/store/chain/record-places.js";
import { readSealed, readSegmentsOf } from "../../../../src/store/chain/sealed-records.js";
import {
  apartBytesMin,
  Segment,
  segmentBytes,
  segmentKeys,
  segmentWrites,
} from "../../../../src/store/chain/segments.js";
import type {
  KeyValueStore,
  RangeOptions,
  WriteOperation,
} from "../../../../src/store/key-value-store.js";
import { openMemoryStore } from "../../../support/memory-store.js";

/** Sealed records of these lengths as a block that begins at a position. */
function blockOf(height: number, first: number, lengths: readonly number[]) {
  const sealedRecords = lengths.map((length, i) => new Uint8Array(length).fill(first + i + 1));
  const leaves = sealedRecords.map((sealed, i) => ({
    recordHash: sha256(utf8(`record ${first + i}`)),
    sealDigest: sha256(sealed),
  }));
  return { height, first, leaves, sealedRecords };
}

const blocks = [
  blockOf(1, 0, [79]),
  blockOf(2, 1, [0, 1, 79, apartBytesMin - 1, apartBytesMin, 5_000, 80]),
  ...Array.from({ length: 50 }, (_, i) => blockOf(4 + i, 8 + i, [60 + i])),
  blockOf(60, 58, Array<number>(1_000).fill(100)),
];
const all = blocks.flatMap(({ height, leaves, sealedRecords }) =>
  leaves.map(({ recordHash }, i) => ({ height, recordHash, sealed: sealedRecords[i] })),
);

async function filled(): Promise<KeyValueStore> {
  const kv = await openMemoryStore();
  for (const block of blocks) {
    await kv.write(
      [...segmentWrites(block), ...recordPlaceWrites(block.first, block.leaves)],
      "sync",
    );
  }
  return kv;
}

function isSegment(write: WriteOperation): write is WriteOperation & { readonly type: "put" } {
  return write.type === "put" && write.key[0] === buckets.segment;
}

describe("sealed records on disk", () => {
  test("are found by their positions, each and in groups, in the order that is asked", async () => {
    const kv = await filled();
    const positions = all.map((_, position) => position);
    assert.deepEqual(await readSealed(kv, positions), all);
    for (const position of positions.filter((each) => each < 70 || each % 50 === 0)) {
      assert.deepEqual(await readSealed(kv, [position]), [all[position]]);
    }
    const drawn = [900, 3, 3, 57, 8, 900, 1_057, 0, 6];
    assert.deepEqual(
      await readSealed(kv, drawn),
      drawn.map((position) => all[position]),
    );
    assert.deepEqual(await readSealed(kv, [all.length, 4]), [undefined, all[4]]);
    assert.deepEqual(await readSealed(kv, []), []);
    assert.deepEqual(await readSealed(await openMemoryStore(), [0]), [undefined]);
  });

  const layouts: readonly (readonly [string, number, { rows: number; ranges: number }])[] = [
    ["small blocks", 1, { rows: 5, ranges: 3 }],
    ["large blocks", 1_000, { rows: 1, ranges: 0.1 }],
  ];
  for (const [what, perBlock, most] of layouts) {
    test(`of ${what} are read with few others, however far apart they are`, async () => {
      const kv = await openMemoryStore();
      for (let first = 0; first < 10_000; first += perBlock) {
        const block = blockOf(first, first, Array<number>(perBlock).fill(100));
        await kv.write(segmentWrites(block), "buffered");
      }
      for (const distance of [1, 4, 5, 16, 32]) {
        const positions = Array.from({ length: 300 }, (_, i) => 50 + i * distance);
        const counts = { rows: 0, ranges: 0 };
        const range = async (options: RangeOptions) => {
          const entries = await kv.range(options);
          counts.ranges += 1;
          counts.rows += entries.length;
          return entries;
        };
        const records = await readSealed({ getMany: (keys) => kv.getMany(keys), range }, positions);
        assert.ok(records.every((record) => record !== undefined));
        assert.ok(counts.rows <= most.rows * 300, `${counts.rows} rows at ${distance}`);
        assert.ok(counts.ranges <= most.ranges * 300, `${counts.ranges} reads at ${distance}`);
      }
    });
  }

  test("have their leaves in the segment, wherever the record is", async () => {
    const kv = await filled();
    const segments = await readSegmentsOf(kv, 0, all.length);
    for (const segment of segments) {
      for (let position = segment.first; position < segment.end; position += 1) {
        const { sealed = new Uint8Array() } = all[position] ?? {};
        assert.deepEqual(segment.sealDigest(position), sha256(sealed));
        assert.equal(segment.length(position), sealed.length);
      }
    }
  });

  test("take one value for a small block, and a few for a large one", () => {
    const single = segmentWrites(blockOf(100_000, 16_000_000, [79]));
    const [write] = single.filter(isSegment);
    assert.equal(single.length, 1);
    assert.ok((write?.value.length ?? 0) <= 79 + 32 + 10, `${write?.value.length} bytes`);
    const large = segmentWrites(blockOf(1, 0, Array<number>(1_000).fill(100)));
    assert.equal(large.length, Math.ceil(1_000 / Math.ceil(segmentBytes / 132)));
    assert.ok(large.every((each) => isSegment(each) && each.value.length < 2 * segmentBytes));
  });

  test("stand apart when they are long, so that a segment never grows with them", () => {
    const writes = segmentWrites(blockOf(1, 0, Array<number>(300).fill(20_000)));
    assert.ok(writes.filter(isSegment).every(({ value }) => value.length < 2 * segmentBytes));
    assert.equal(writes.filter((write) => write.key[0] === buckets.sealedApart).length, 300);
  });

  test("are damaged when a bit of their frame is another, or a byte is missing", () => {
    const [write] = segmentWrites(blockOf(7, 300, [10, 2_000, 30])).filter(isSegment);
    const { key, value } = write ?? { key: new Uint8Array(9), value: new Uint8Array() };
    const damaged = { code: "CORRUPT" };
    assert.equal(new Segment([key, value]).end, 303);
    for (let length = 0; length < value.length; length += 1) {
      assert.throws(() => new Segment([key, value.subarray(0, length)]), damaged);
    }
    assert.throws(() => new Segment([key, new Uint8Array([...value, 0])]), damaged);
    assert.throws(() => new Segment([segmentKeys.segment(301), value]), damaged);
    // First position, number of records, length of the first one.
    for (const at of [0, 1, 3, 4 + 32]) {
      for (let bit = 0; bit < 8; bit += 1) {
        const changed = value.with(at, (value[at] ?? 0) ^ (1 << bit));
        assert.throws(() => new Segment([key, changed]), damaged, `bit ${bit} of byte ${at}`);
      }
    }
  });

  test("that stand apart are damaged in another's place, or cut off", async () => {
    const kv = await filled();
    const value = (await kv.get(segmentKeys.apart(5))) ?? new Uint8Array();
    for (const harmed of [value.subarray(0, -1), value.with(0, 6)]) {
      await kv.write([{ type: "put", key: segmentKeys.apart(5), value: harmed }], "sync");
      await assert.rejects(readSealed(kv, [5]), { code: "CORRUPT" });
    }
    await kv.write([{ type: "delete", key: segmentKeys.apart(5) }], "sync");
    const missing = { code: "CORRUPT", message: /position 5 is missing/ };
    await assert.rejects(readSealed(kv, [4, 5]), missing);
  });

  test("are missed when a segment between others is gone", async () => {
    const kv = await filled();
    await kv.write([{ type: "delete", key: segmentKeys.segment(20) }], "sync");
    assert.deepEqual(await readSealed(kv, [19, 20, 21]), [all[19], undefined, all[21]]);
    const missing = { code: "CORRUPT", message: /position 20 is missing/ };
    await assert.rejects(readSegmentsOf(kv, 8, 58), missing);
    await assert.rejects(readSegmentsOf(kv, 20, 22), missing);
    await assert.rejects(readSegmentsOf(kv, 58, all.length + 1), { code: "CORRUPT" });
  });
});

describe("the places of records", () => {
  test("are found by the whole hash, also when hashes begin alike", async () => {
    const kv = await filled();
    const hashes = all.map(({ recordHash }) => recordHash);
    assert.deepEqual(
      await readRecordPlaces(kv, hashes),
      all.map((_, position) => position),
    );
    const alike = (hashes[500] ?? new Uint8Array(32)).with(31, 0).with(30, 0);
    assert.deepEqual(await readRecordPlaces(kv, [alike]), [undefined]);
    // Six others whose hashes begin like that of record 500 stand before it.
    const others = [3, 9, 20, 40, 57, 70].map((position): WriteOperation => {
      const key = recordPlaceKey(hashes[500] ?? alike, position);
      return { type: "put", key, value: new Uint8Array() };
    });
    await kv.write(others, "sync");
    assert.deepEqual(await readRecordPlaces(kv, [hashes[500] ?? alike, alike]), [500, undefined]);
  });

  test("take at most 13 bytes among the first billions of records", () => {
    const hash = sha256();
    for (const position of [0, 255, 256, 2 ** 24, 2 ** 32 - 1, 2 ** 53 - 1]) {
      const key = recordPlaceKey(hash, position);
      const number = Buffer.from(key.subarray(9)).readUIntBE(0, Math.min(6, key.length - 9));
      if (position < 2 ** 48) assert.equal(number, position);
      assert.ok(position >= 2 ** 32 || key.length <= 13);
    }
  });

  test("say that a segment is missing", async () => {
    const kv = await filled();
    await kv.write([{ type: "delete", key: segmentKeys.segment(20) }], "sync");
    const [hash] = all.slice(20).map(({ recordHash }) => recordHash);
    await assert.rejects(readRecordPlaces(kv, [hash ?? sha256()]), { code: "CORRUPT" });
  });
});
