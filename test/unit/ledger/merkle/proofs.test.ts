import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { toHex } from "../../../../src/base/bytes.js";
import { emptyRoot, type NodeRef, treeSizeMax } from "../../../../src/ledger/merkle/nodes.js";
import {
  consistencyProofPlan,
  foldNodes,
  foldPlan,
  inclusionProofPlan,
  type ProofPlan,
  rootPlan,
} from "../../../../src/ledger/merkle/proofs.js";
import { numberedEntries, treeOf, vectorEntries, vectors } from "./fixtures.js";
import { consistencyProof, mth, path } from "./reference.js";

const exhaustiveSize = 70;

describe("planned proofs of the published vectors", () => {
  const { lookup } = treeOf(vectorEntries);

  for (const { leafIndex, treeSize, proof } of vectors.inclusionProofs) {
    test(`inclusion of leaf ${leafIndex} in ${treeSize}`, () => {
      const made = foldPlan(inclusionProofPlan(leafIndex, treeSize), lookup);
      assert.deepEqual(made.map(toHex), proof);
    });
  }

  for (const { fromSize, toSize, proof } of vectors.consistencyProofs) {
    test(`consistency of ${fromSize} with ${toSize}`, () => {
      const made = foldPlan(consistencyProofPlan(fromSize, toSize), lookup);
      assert.deepEqual(made.map(toHex), proof);
    });
  }
});

describe("planned proofs", () => {
  const entries = numberedEntries(exhaustiveSize);
  const { lookup } = treeOf(entries);

  test("equal the RFC's PATH for every leaf of every size, from the final tree's nodes", () => {
    for (let size = 1; size <= exhaustiveSize; size++) {
      for (let index = 0; index < size; index++) {
        const made = foldPlan(inclusionProofPlan(index, size), lookup);
        assert.deepEqual(made, path(index, entries.slice(0, size)), `leaf ${index} of ${size}`);
      }
    }
  });

  test("equal the RFC's PROOF for every pair of sizes, from the final tree's nodes", () => {
    for (let to = 1; to <= exhaustiveSize; to++) {
      for (let from = 1; from <= to; from++) {
        const made = foldPlan(consistencyProofPlan(from, to), lookup);
        assert.deepEqual(made, consistencyProof(from, entries.slice(0, to)), `${from} to ${to}`);
      }
    }
  });

  test("give the root of every earlier size", () => {
    for (let size = 0; size <= exhaustiveSize; size++) {
      const root = foldNodes(rootPlan(size), lookup);
      assert.deepEqual(root, mth(entries.slice(0, size)), `size ${size}`);
    }
    assert.deepEqual(rootPlan(0), []);
    assert.deepEqual(foldNodes([], lookup), emptyRoot);
  });

  test("are empty from the empty tree and between equal sizes", () => {
    for (const size of [0, 1, 2, 7, 64, treeSizeMax]) {
      assert.deepEqual(consistencyProofPlan(0, size), []);
      assert.deepEqual(consistencyProofPlan(size, size), []);
    }
  });

  test("name only complete nodes, and fold at most one group, at sizes up to 2^53-1", () => {
    const sizes = fc.oneof(
      fc.integer({ min: 1, max: 1000 }),
      fc.maxSafeNat().map((n) => n || 1),
    );
    fc.assert(
      fc.property(sizes, fc.maxSafeNat(), (size, seed) => {
        checkPlan(inclusionProofPlan(seed % size, size), size, 53);
        checkPlan(consistencyProofPlan((seed % size) + 1, size), size, 54);
        checkPlan([rootPlan(size)], size, 1);
      }),
    );
  });

  test("reach their longest at the largest tree", () => {
    assert.equal(inclusionProofPlan(0, treeSizeMax).length, 53);
    assert.equal(consistencyProofPlan(2 ** 52 - 1, treeSizeMax).length, 54);
    assert.deepEqual(inclusionProofPlan(treeSizeMax - 1, treeSizeMax).at(-1), [
      { level: 52, index: 0 },
    ]);
  });

  test("assert that their range was checked", () => {
    const wrong: readonly (() => unknown)[] = [
      () => inclusionProofPlan(0, 0),
      () => inclusionProofPlan(5, 5),
      () => inclusionProofPlan(-1, 5),
      () => inclusionProofPlan(0.5, 5),
      () => inclusionProofPlan(0, 2 ** 53),
      () => consistencyProofPlan(5, 4),
      () => consistencyProofPlan(-1, 4),
      () => consistencyProofPlan(1, Number.NaN),
      () => rootPlan(-1),
      () => rootPlan(2 ** 53),
    ];
    for (const plan of wrong) assert.throws(plan, { name: "AssertionFailed" });
  });
});

function checkPlan(plan: ProofPlan, treeSize: number, groupsMax: number): void {
  assert.ok(plan.length <= groupsMax);
  assert.ok(plan.filter((group) => group.length !== 1).length <= 1);
  for (const ref of plan.flat()) assert.ok(endOf(ref) <= treeSize);
}

function endOf({ level, index }: NodeRef): number {
  return (index + 1) * 2 ** level;
}
