import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AssertionFailed } from "../../../../src/base/assert.js";
import { utf8 } from "../../../../src/base/bytes.js";
import {
  appendLeaves,
  emptyFrontier,
  type Frontier,
  rootOf,
} from "../../../../src/ledger/merkle/frontier.js";
import { leafHash } from "../../../../src/ledger/merkle/nodes.js";
import { consistencyProofPlan, inclusionProofPlan } from "../../../../src/ledger/merkle/proofs.js";
import { verifyConsistency, verifyInclusion } from "../../../../src/ledger/merkle/verify.js";
import { buckets } from "../../../../src/store/buckets.js";
import {
  merkleNodeKey,
  merkleNodeWrites,
  readFrontier,
  readProof,
  readRoot,
} from "../../../../src/store/chain/merkle-log-store.js";
import { bucketKey, bucketRange, u8Part, u64Part } from "../../../../src/store/key-codec.js";
import type { KeyValueStore } from "../../../../src/store/key-value-store.js";
import { openMemoryStore } from "../../../../src/store/memory-store.js";

const leafCount = 23;
const leaves = Array.from({ length: leafCount }, (_, i) => leafHash(utf8(`leaf ${i}`)));

/**
 * The log with its leaves appended in uneven steps, and the frontier after each number of leaves.
 */
async function buildLog(): Promise<{ store: KeyValueStore; frontiers: readonly Frontier[] }> {
  const store = await openMemoryStore();
  const frontiers: Frontier[] = [emptyFrontier];
  for (const leaf of leaves) {
    frontiers.push(appendLeaves(frontiers.at(-1) ?? emptyFrontier, [leaf]).frontier);
  }
  for (let from = 0, step = 1; from < leafCount; from += step, step = (step % 5) + 1) {
    const frontier = frontiers[from] ?? emptyFrontier;
    const { nodes } = appendLeaves(frontier, leaves.slice(from, from + step));
    await store.write(merkleNodeWrites(nodes), "sync");
  }
  return { store, frontiers };
}

function rootAt(frontiers: readonly Frontier[], size: number): Uint8Array {
  return rootOf(frontiers[size] ?? emptyFrontier);
}

describe("the stored Merkle log", () => {
  test("keeps each complete subtree under its level and index", async () => {
    const { store } = await buildLog();
    const entries = await store.range({ ...bucketRange(buckets.merkleNode), limit: 1_000 });
    const counts = [leafCount, 11, 5, 2, 1];
    const keys = counts.flatMap((count, level) =>
      Array.from({ length: count }, (_, i) =>
        bucketKey(buckets.merkleNode, u8Part(level), u64Part(i)),
      ),
    );
    assert.deepEqual(
      entries.map(([key]) => key),
      keys,
    );
    assert.deepEqual(
      entries.slice(0, leafCount).map(([, value]) => value),
      leaves,
    );
  });

  test("proves every leaf under every size", async () => {
    const { store, frontiers } = await buildLog();
    for (let treeSize = 1; treeSize <= leafCount; treeSize++) {
      const root = rootAt(frontiers, treeSize);
      for (let leafIndex = 0; leafIndex < treeSize; leafIndex++) {
        const proof = await readProof(store, inclusionProofPlan(leafIndex, treeSize));
        const leaf = leaves[leafIndex] ?? root;
        assert.ok(verifyInclusion({ leafHash: leaf, leafIndex, treeSize, proof, root }));
      }
    }
  });

  test("proves that every size grew from every smaller one", async () => {
    const { store, frontiers } = await buildLog();
    for (let toSize = 1; toSize <= leafCount; toSize++) {
      for (let fromSize = 1; fromSize <= toSize; fromSize++) {
        const proof = await readProof(store, consistencyProofPlan(fromSize, toSize));
        const fromRoot = rootAt(frontiers, fromSize);
        const toRoot = rootAt(frontiers, toSize);
        assert.ok(verifyConsistency({ fromSize, toSize, fromRoot, toRoot, proof }));
      }
    }
  });

  test("gives the frontier and the root of every size, the empty log's included", async () => {
    const { store, frontiers } = await buildLog();
    for (let size = 0; size <= leafCount; size++) {
      assert.deepEqual(await readFrontier(store, size), frontiers[size]);
      assert.deepEqual(await readRoot(store, size), rootAt(frontiers, size));
    }
  });

  test("says which node is missing or damaged, and that the store needs a check", async () => {
    const plan = inclusionProofPlan(0, 8);
    const key = merkleNodeKey({ level: 1, index: 1 });
    const { store } = await buildLog();
    await store.write([{ type: "delete", key }], "sync");
    const missing = { code: "CORRUPT", message: /node 1\/1 .*is missing.*bss check/ };
    await assert.rejects(readProof(store, plan), missing);
    await store.write([{ type: "put", key, value: new Uint8Array(31) }], "sync");
    const short = { code: "CORRUPT", message: /node 1\/1 .*has 31 bytes instead of 32/ };
    await assert.rejects(readProof(store, plan), short);
    await assert.rejects(readRoot(store, 1_000), { code: "CORRUPT" });
  });

  test("refuses to write a node whose hash is none", () => {
    const node = { level: 0, index: 0, hash: new Uint8Array(31) };
    assert.throws(() => merkleNodeWrites([node]), AssertionFailed);
  });
});
