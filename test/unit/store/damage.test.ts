/**
 * What is on disk but was not written so, or is gone, is said to be damaged; it is never guessed.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { defined } from "../../../src/base/assert.js";
import { concatBytes, emptyBytes, utf8 } from "../../../src/base/bytes.js";
import { StorageHeadStateSchema } from "../../../src/gen/bss/store/v1/storage_pb.js";
import { decodeHead } from "../../../src/ledger/state/head.js";
import { stateKeys } from "../../../src/ledger/state/state-keys.js";
import { buckets } from "../../../src/store/buckets.js";
import { decodeStorageHead, encodeStorageHead } from "../../../src/store/chain/chain-head.js";
import { chainKeys } from "../../../src/store/chain/chain-writes.js";
import { segmentKeys, segmentWrites } from "../../../src/store/chain/segments.js";
import { damaged, getAll } from "../../../src/store/chain/stored-values.js";
import { damageOf } from "../../../src/store/damage/store-comparison.js";
import { bucketKey } from "../../../src/store/key-codec.js";
import type { KeyValueStore } from "../../../src/store/key-value-store.js";
import { ManagerStore } from "../../../src/store/manager-store.js";
import { toStoreError } from "../../../src/store/store-error.js";
import { openMemoryStore } from "../../support/memory-store.js";
import { genesis } from "../ledger/support/consortium.js";
import { hashOf } from "../ledger/support/records.js";
import { blockAt, blocks, records, storageBlocks } from "./support/chain.js";

const head = blockAt(blocks.length).executed.facts;

async function filled(): Promise<{ kv: KeyValueStore; store: ManagerStore }> {
  const kv = await openMemoryStore();
  const store = await ManagerStore.open(kv, genesis);
  for (const block of blocks) await store.append(block);
  return { kv, store };
}

type Case = readonly [what: string, key: Uint8Array, value: Uint8Array | undefined];

async function damage(kv: KeyValueStore, [, key, value]: Case): Promise<void> {
  const operation = value === undefined ? { type: "delete" as const, key } : undefined;
  await kv.write([operation ?? { type: "put", key, value: value ?? emptyBytes }], "sync");
}

const emptyByte = new Uint8Array(1);
const firstSegment = segmentKeys.segment(0);

function stateOf(record: Uint8Array): Uint8Array {
  return bucketKey(buckets.state, stateKeys.record(hashOf(record)));
}

/** The segment that begins with the record at this position. */
function segmentAt(first: number): Uint8Array {
  for (const { block, executed } of blocks) {
    const { treeSize, height } = executed.facts;
    const leaves = block.block?.leaves ?? [];
    if (treeSize - leaves.length !== first || leaves.length === 0) continue;
    const [write] = segmentWrites({ height, first, leaves, sealedRecords: executed.sealed });
    if (write?.type === "put") return write.value;
  }
  throw new Error(`no segment begins at ${first}`);
}

const reads: readonly (readonly [Case, (store: ManagerStore) => Promise<unknown>])[] = [
  [
    ["a record's state that does not decode", stateOf(records.trade), Uint8Array.of(0xff)],
    (store) => store.location(hashOf(records.trade)),
  ],
  [
    ["a record that another segment has", firstSegment, segmentAt(3)],
    (store) => store.location(hashOf(records.reading)),
  ],
  [
    ["a segment that is cut off", firstSegment, segmentAt(0).subarray(0, -1)],
    (store) => store.sealedRecordsAt([0]),
  ],
  [
    ["a segment with something after it", firstSegment, concatBytes(segmentAt(0), emptyByte)],
    (store) => store.sealedRecordsAt([0]),
  ],
  [
    ["a segment in another one's place", firstSegment, segmentAt(3)],
    (store) => store.sealedRecordsAt([0]),
  ],
  [
    ["a block that lacks its sealed records", firstSegment, undefined],
    (store) => store.storageBlockAt(1),
  ],
  [
    ["a block with another's sealed records", firstSegment, segmentAt(0).with(-1, 7)],
    (store) => store.finalBlock(1),
  ],
  [["a block whose leaves are missing", firstSegment, undefined], (store) => store.finalBlock(1)],
  [
    ["a height that is cut off", chainKeys.heightOfBlock(head.blockId), new Uint8Array(7)],
    (store) => store.heightOfBlock(head.blockId),
  ],
  [
    ["a height beyond all integers", chainKeys.lastAttested("x"), new Uint8Array(8).fill(0xff)],
    (store) => store.lastAttestedHeights(["x"]),
  ],
  [
    ["certificates that do not decode", chainKeys.certificates(6), Uint8Array.of(0xff)],
    (store) => store.certificatesAt(6),
  ],
  [
    ["a block without certificates", chainKeys.certificates(6), undefined],
    (store) => store.finalBlock(6),
  ],
];

describe("reading rejects, and says what to do about", () => {
  for (const [damaged, read] of reads) {
    test(damaged[0], async () => {
      const { kv, store } = await filled();
      await read(store);
      await damage(kv, damaged);
      const refusal = { name: "StoreError", code: "CORRUPT", message: /check the store/ };
      await assert.rejects(read(store), refusal);
    });
  }
});

const openings: readonly Case[] = [
  ["a head that is missing", chainKeys.head, undefined],
  ["a head that does not decode", chainKeys.head, utf8("no head")],
  ["a head's id that leads to no block", chainKeys.heightOfBlock(head.blockId), undefined],
  ["a head's id that leads elsewhere", chainKeys.heightOfBlock(head.blockId), new Uint8Array(8)],
  ["no certificates of the head", chainKeys.certificates(blocks.length), undefined],
];

describe("opening rejects", () => {
  for (const damaged of openings) {
    test(damaged[0], async () => {
      const { kv } = await filled();
      await ManagerStore.open(kv, genesis);
      await damage(kv, damaged);
      await assert.rejects(ManagerStore.open(kv, genesis), { code: "CORRUPT" });
    });
  }

  test("a head that is older than the Merkle log's last peak", async () => {
    const { kv } = await filled();
    const value = defined(await kv.get(chainKeys.head), "there is a head");
    const stored = defined(decodeHead(value), "the head decodes");
    assert.equal(stored.height, blocks.length);
    const other = new Uint8Array(32).fill(9);
    const peak = stored.frontier.peaks.at(-1) ?? other;
    const at = indexOf(value, peak);
    const changed = concatBytes(value.subarray(0, at), other, value.subarray(at + 32));
    await kv.write([{ type: "put", key: chainKeys.head, value: changed }], "sync");
    await assert.rejects(ManagerStore.open(kv, genesis), {
      code: "CORRUPT",
      message: /the Merkle log is not that of the head/,
    });
  });
});

describe("a storage node's head as bytes", () => {
  const stored = defined(storageBlocks.at(-1), "the chain has blocks").head;
  const { height, storageBlockId, managerBlockId, timestampMs, members } = stored;
  const right = {
    height: BigInt(height),
    storageBlockId,
    managerBlockId,
    timestampUnixMs: BigInt(timestampMs),
    frontier: encodeStorageHead(stored).subarray(0, 0),
    members: members.encode(),
  };

  test("decodes to what it was", () => {
    assert.deepEqual(decodeStorageHead(encodeStorageHead(stored)), stored);
  });

  const wrong: readonly (readonly [string, object])[] = [
    ["a frontier that is none", {}],
    ["a height beyond all integers", { height: 2n ** 60n, frontier: new Uint8Array(8) }],
    ["a time before all times", { timestampUnixMs: -1n, frontier: new Uint8Array(8) }],
    ["members that are none", { members: utf8("nobody"), frontier: new Uint8Array(8) }],
  ];
  for (const [what, change] of wrong) {
    test(`does not decode with ${what}`, () => {
      const state = create(StorageHeadStateSchema, { ...right, ...change });
      assert.equal(decodeStorageHead(toBinary(StorageHeadStateSchema, state)), undefined);
    });
  }

  test("does not decode with something after it", () => {
    const bytes = concatBytes(encodeStorageHead(stored), Uint8Array.of(0x78, 1));
    assert.equal(decodeStorageHead(bytes), undefined);
    assert.equal(decodeStorageHead(utf8("no head")), undefined);
  });
});

test("damage is named by what is stored there, also where a read goes backwards", () => {
  const at = (where: string, key: string) =>
    toStoreError(new Error(`Corruption: x, ${where} the value under key 0x${key}`), "/x");
  const cases = [
    ["at or after", "160000000000000007", "at or after the sealed records at position 7"],
    ["before", "160000000000000008", "before the sealed records at position 8"],
    ["at or after", "16", "at or after the first sealed records"],
    ["at or after", "020000000000000003", "at or after the block at height 3"],
    ["at or after", "0401", "at or after the value under key 0x0401"],
  ] as const;
  for (const [where, key, named] of cases) {
    assert.equal(damageOf(at(where, key)), `Corruption: x, ${named}`);
  }
  assert.equal(damageOf(damaged("block 7", "is missing")), "block 7 is missing");
});

test("reads of more keys than one call takes are split, and keep their order", async () => {
  const asked: number[] = [];
  const keys = Array.from({ length: 65_537 }, (_, i) => Uint8Array.of(i >> 16, i >> 8, i));
  const found = await getAll(
    {
      getMany: async (part) => {
        asked.push(part.length);
        return [...part];
      },
    },
    keys,
  );
  assert.deepEqual(asked, [65_536, 1]);
  assert.deepEqual(found, keys);
});

function indexOf(bytes: Uint8Array, part: Uint8Array): number {
  const at = Buffer.from(bytes).indexOf(part);
  assert.ok(at >= 0, "the part is there");
  return at;
}
