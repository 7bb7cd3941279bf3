import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { utf8 } from "../../../../src/base/bytes.js";
import { sha256 } from "../../../../src/crypto/hash.js";
import { leafHashOf } from "../../../../src/ledger/blocks/block-hashes.js";
import {
  appendLeaves,
  emptyFrontier,
  type Frontier,
  rootOf,
} from "../../../../src/ledger/merkle/frontier.js";
import { consistencyProofPlan, inclusionProofPlan } from "../../../../src/ledger/merkle/proofs.js";
import { verifyConsistency, verifyInclusion } from "../../../../src/ledger/merkle/verify.js";
import { buckets } from "../../../../src/store/buckets.js";
import {
  extendTiles,
  type OpenTiles,
  readOpenTiles,
  tileKey,
  unknownTiles,
} from "../../../../src/store/chain/log-tiles.js";
import { readFrontier, readProof, readRoot } from "../../../../src/store/chain/merkle-log-store.js";
import { segmentKeys, segmentWrites } from "../../../../src/store/chain/segments.js";
import { bucketRange } from "../../../../src/store/key-codec.js";
import type { KeyValueStore } from "../../../../src/store/key-value-store.js";
import { openMemoryStore } from "../../../support/memory-store.js";

/** Over four tiles of the lowest rank, and one of the next. */
const leafCount = 1_200;
const sealed = Array.from({ length: leafCount }, (_, i) => utf8(`sealed ${i}`));
const records = sealed.map((bytes) => ({
  recordHash: sha256(utf8("hash"), bytes),
  sealDigest: sha256(bytes),
}));
const leaves = records.map(leafHashOf);

type Log = {
  readonly kv: KeyValueStore;
  readonly frontiers: readonly Frontier[];
  readonly tiles: OpenTiles;
};

/** The log in blocks of uneven sizes, and the frontier after each number of leaves. */
async function buildLog(): Promise<Log> {
  const kv = await openMemoryStore();
  const frontiers: Frontier[] = [emptyFrontier];
  let tiles: OpenTiles = [];
  for (let from = 0, step = 1; from < leafCount; from += step, step = ((step * 5) % 61) + 1) {
    const end = Math.min(leafCount, from + step);
    const { nodes } = appendLeaves(frontiers[from] ?? emptyFrontier, leaves.slice(from, end));
    for (const leaf of leaves.slice(from, end)) {
      frontiers.push(appendLeaves(frontiers.at(-1) ?? emptyFrontier, [leaf]).frontier);
    }
    const block = { leaves: records.slice(from, end), sealedRecords: sealed.slice(from, end) };
    const extended = extendTiles(tiles, nodes);
    tiles = extended.open;
    const segments = segmentWrites({ height: frontiers.length, first: from, ...block });
    await kv.write([...segments, ...extended.writes], "sync");
  }
  return { kv, frontiers, tiles };
}

/** Every size near the bounds of subtrees and tiles, and some between. */
const sizes = Array.from({ length: leafCount + 1 }, (_, size) => size).filter((size) => {
  return size < 70 || size % 97 === 0 || (size + 1) % 32 < 3;
});

describe("the stored Merkle log", () => {
  let log: Log;

  before(async () => {
    log = await buildLog();
  });

  const rootAt = (size: number) => rootOf(log.frontiers[size] ?? emptyFrontier);

  test("is a few tiles", async () => {
    const entries = await log.kv.range({ ...bucketRange(buckets.logTile), limit: 1_000 });
    const keys = [
      ...[0, 1, 2, 3, 4].map((index) => tileKey({ rank: 0, index })),
      tileKey({ rank: 1, index: 0 }),
    ];
    assert.deepEqual(
      entries.map(([key]) => key),
      keys,
    );
    const byteCount = entries.reduce((sum, [, { length }]) => sum + length, 0);
    assert.ok(byteCount < 2.2 * leafCount, `${byteCount} bytes`);
  });

  test("goes on from what is stored, at every size", async () => {
    assert.deepEqual(await readOpenTiles(log.kv, leafCount), log.tiles);
    for (const size of sizes) {
      const { nodes } = appendLeaves(emptyFrontier, leaves.slice(0, size));
      assert.deepEqual(await readOpenTiles(log.kv, size), extendTiles([], nodes).open);
    }
  });

  test("proves leaves under every size", async () => {
    for (const treeSize of sizes) {
      const root = rootAt(treeSize);
      for (const leafIndex of [0, 31, 32, 511, 512, 777, treeSize - 1]) {
        if (leafIndex >= treeSize || leafIndex < 0) continue;
        const proof = await readProof(log.kv, inclusionProofPlan(leafIndex, treeSize));
        const leafHash = leaves[leafIndex] ?? root;
        assert.ok(verifyInclusion({ leafHash, leafIndex, treeSize, proof, root }));
      }
    }
  });

  test("proves that sizes grew from smaller ones", async () => {
    for (const toSize of sizes) {
      for (const fromSize of sizes.filter((size, i) => size > 0 && size <= toSize && i % 7 === 0)) {
        const proof = await readProof(log.kv, consistencyProofPlan(fromSize, toSize));
        const [fromRoot, toRoot] = [rootAt(fromSize), rootAt(toSize)];
        assert.ok(verifyConsistency({ fromSize, toSize, fromRoot, toRoot, proof }));
      }
    }
  });

  test("gives the frontier and the root of every size, the empty log's included", async () => {
    for (const size of sizes) {
      assert.deepEqual(await readFrontier(log.kv, size), log.frontiers[size]);
      assert.deepEqual(await readRoot(log.kv, size), rootAt(size));
    }
  });

  test("takes few reads for a proof", async () => {
    let reads = 0;
    const counted: KeyValueStore = {
      ...log.kv,
      getMany: (keys) => {
        reads += keys.length;
        return log.kv.getMany(keys);
      },
      range: (options) => {
        reads += 1;
        return log.kv.range(options);
      },
    };
    await readProof(counted, inclusionProofPlan(700, leafCount));
    assert.ok(reads <= 8, `${reads} reads`);
  });

  test("says which part is missing or damaged, and that the store needs a check", async () => {
    const plan = inclusionProofPlan(600, 1_100);
    const harms: readonly (readonly [
      RegExp,
      Uint8Array,
      (value: Uint8Array) => Uint8Array | null,
    ])[] = [
      [/tile 0\/2 .*is missing.*bss check/, tileKey({ rank: 0, index: 2 }), () => null],
      [/tile 0\/2 .*does not decode/, tileKey({ rank: 0, index: 2 }), (v) => v.subarray(1)],
      [/tile 0\/4 .*is cut off/, tileKey({ rank: 0, index: 4 }), (v) => v.subarray(0, 34)],
      [/tile 1\/0 .*does not decode/, tileKey({ rank: 1, index: 0 }), (v) => v.with(1, 1)],
    ];
    for (const [message, key, harm] of harms) {
      const value = (await log.kv.get(key)) ?? new Uint8Array();
      const harmed = harm(value);
      await log.kv.write(
        [harmed === null ? { type: "delete", key } : { type: "put", key, value: harmed }],
        "sync",
      );
      await assert.rejects(readProof(log.kv, plan), { code: "CORRUPT", message });
      await log.kv.write([{ type: "put", key, value }], "sync");
    }
    await assert.rejects(readRoot(log.kv, 2_000), { code: "CORRUPT" });
  });

  test("misses a sealed record, as its leaf is made of it", async () => {
    const { kv } = await buildLog();
    const range = bucketRange(buckets.segment);
    const lt = segmentKeys.segment(601);
    const [entry] = await kv.range({ gte: range.gte, lt, reverse: true, limit: 1 });
    await kv.write([{ type: "delete", key: entry?.[0] ?? range.gte }], "sync");
    const missing = { code: "CORRUPT", message: /the sealed record at position \d+ is missing/ };
    await assert.rejects(readProof(kv, inclusionProofPlan(600, 1_100)), missing);
  });

  test("leaves tiles as they are that it cannot read, and goes on with the next ones", () => {
    const { nodes } = appendLeaves(emptyFrontier, leaves);
    const whole = extendTiles([], nodes);
    const from = 700;
    const later = appendLeaves(log.frontiers[from] ?? emptyFrontier, leaves.slice(from)).nodes;
    const { open, writes } = extendTiles(unknownTiles(from), later);
    assert.deepEqual(open[0], whole.open[0]);
    assert.equal(open[1]?.hashes, undefined);
    const later0 = whole.writes.filter(({ key }) => key[1] === 0 && (key.at(-1) ?? 0) > 2);
    assert.deepEqual(writes, later0);
  });
});
