import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { u64be } from "../../../../src/base/bytes.js";
import { rootOfLeafHashes } from "../../../../src/ledger/merkle/frontier.js";
import { leafHash } from "../../../../src/ledger/merkle/nodes.js";
import { rootOfSubset, subsetProof } from "../../../../src/ledger/merkle/subset-proofs.js";

const sizesMax = 9;
const hashes = Array.from({ length: sizesMax }, (_, index) => leafHash(u64be(index)));
const placed = (indexes: readonly number[]) =>
  indexes.map((index) => ({ index, hash: hashes[index] ?? new Uint8Array() }));

/** Every set of leaves of a tree but the empty one. */
function subsets(size: number): readonly (readonly number[])[] {
  const sets = Array.from({ length: 2 ** size - 1 }, (_, bits) => bits + 1);
  return sets.map((bits) =>
    Array.from({ length: size }, (_, index) => index).filter((index) => (bits >> index) & 1),
  );
}

describe("a proof for several leaves of a tree", () => {
  test("leads to the root, for every subset of every small tree", () => {
    for (let size = 1; size <= sizesMax; size++) {
      const leaves = hashes.slice(0, size);
      const root = rootOfLeafHashes(leaves);
      for (const indexes of subsets(size)) {
        const proof = subsetProof(leaves, indexes);
        assert.deepEqual(rootOfSubset(size, placed(indexes), proof), root, `${indexes} of ${size}`);
      }
    }
  });

  test("has no hashes for all leaves, and those of the path for one", () => {
    assert.equal(subsetProof(hashes.slice(0, 8), [0, 1, 2, 3, 4, 5, 6, 7]).length, 0);
    assert.equal(subsetProof(hashes.slice(0, 8), [3]).length, 3);
  });

  test("leads elsewhere, or nowhere, when anything is changed", () => {
    const leaves = hashes.slice(0, 7);
    const root = rootOfLeafHashes(leaves);
    for (const indexes of subsets(7)) {
      const proof = subsetProof(leaves, indexes);
      const first = indexes[0] ?? 0;
      const moved = { index: (first + 1) % 7, hash: hashes[first] ?? new Uint8Array() };
      const foreign = { index: first, hash: hashes[8] ?? new Uint8Array() };
      const rest = placed(indexes.slice(1));
      assert.notDeepEqual(rootOfSubset(7, [moved, ...rest], proof), root);
      assert.notDeepEqual(rootOfSubset(7, [foreign, ...rest], proof), root);
      for (const at of proof.keys()) {
        const wrong = proof.with(at, hashes[8] ?? new Uint8Array());
        assert.notDeepEqual(rootOfSubset(7, placed(indexes), wrong), root);
      }
    }
  });

  test("gives no root for what is no proof", () => {
    const proof = subsetProof(hashes, [2, 5]);
    const leaves = placed([2, 5]);
    for (const [what, root] of [
      ["a hash too few", rootOfSubset(sizesMax, leaves, proof.slice(1))],
      ["a hash too many", rootOfSubset(sizesMax, leaves, [...proof, leafHash(u64be(0))])],
      ["a short hash", rootOfSubset(sizesMax, leaves, proof.with(0, new Uint8Array(31)))],
      ["no leaves", rootOfSubset(sizesMax, [], proof)],
      ["leaves that descend", rootOfSubset(sizesMax, leaves.toReversed(), proof)],
      ["a leaf twice", rootOfSubset(sizesMax, [...leaves, ...leaves], proof)],
      ["a leaf beyond the tree", rootOfSubset(5, leaves, proof)],
      ["no size", rootOfSubset(Number.NaN, leaves, proof)],
    ] as const) {
      assert.equal(root, undefined, what);
    }
  });
});
