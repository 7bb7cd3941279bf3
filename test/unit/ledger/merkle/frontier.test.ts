import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { defined } from "../../../../src/base/assert.js";
import { concatBytes, toHex, u64be } from "../../../../src/base/bytes.js";
import { sha256 } from "../../../../src/crypto/hash.js";
import {
  appendLeaves,
  decodeFrontier,
  emptyFrontier,
  encodeFrontier,
  foldHashes,
  merkleRoot,
  rootOf,
} from "../../../../src/ledger/merkle/frontier.js";
import {
  coveringNodes,
  emptyRoot,
  floorLog2,
  leafHash,
  nodeHash,
  treeSizeMax,
} from "../../../../src/ledger/merkle/nodes.js";
import { bytes, numberedEntries, treeOf, vectorEntries, vectors } from "./fixtures.js";
import { mth } from "./reference.js";

describe("hashes of the published vectors", () => {
  test("the empty tree's root is the SHA-256 of nothing", () => {
    assert.equal(toHex(emptyRoot), vectors.roots[0]);
  });

  test("leaves and nodes hash to the published values", () => {
    const [leaves = [], ...upper] = vectors.nodeHashes;
    assert.deepEqual(
      vectorEntries.map((entry) => toHex(leafHash(entry))),
      leaves,
    );
    let below = leaves;
    for (const level of upper) {
      for (const [i, expected] of level.entries()) {
        const left = bytes(defined(below[2 * i], "left child"));
        const right = bytes(defined(below[2 * i + 1], "right child"));
        assert.equal(toHex(nodeHash(left, right)), expected);
      }
      below = level;
    }
  });

  for (const [size, root] of vectors.roots.entries()) {
    test(`the tree of the first ${size} inputs has the published root`, () => {
      const entries = vectorEntries.slice(0, size);
      assert.equal(toHex(rootOf(treeOf(entries).frontier)), root);
      assert.equal(toHex(merkleRoot(entries)), root);
      assert.equal(toHex(mth(entries)), root);
    });
  }

  test("appending reports the published nodes, each after its children", () => {
    const nodes = treeOf([]).append(vectorEntries);
    const order = nodes.map(({ level, index }) => `${level}/${index}`).join(" ");
    assert.equal(order, "0/0 0/1 1/0 0/2 0/3 1/1 2/0 0/4 0/5 1/2 0/6 0/7 1/3 2/1 3/0");
    for (const { level, index, hash } of nodes) {
      assert.equal(toHex(hash), vectors.nodeHashes[level]?.[index]);
    }
  });
});

describe("the frontier", () => {
  test("agrees with the recursive definition at every size from 0 to 70, leaf by leaf", () => {
    const entries = numberedEntries(70);
    let frontier = emptyFrontier;
    for (let size = 0; size <= entries.length; size++) {
      const expected = mth(entries.slice(0, size));
      assert.deepEqual(rootOf(frontier), expected, `size ${size}`);
      assert.deepEqual(merkleRoot(entries.slice(0, size)), expected, `size ${size}`);
      const entry = entries[size];
      if (entry !== undefined) frontier = appendLeaves(frontier, [leafHash(entry)]).frontier;
    }
  });

  test("does not depend on how the leaves are cut into appends", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 9 }), { maxLength: 12 }), (cuts) => {
        const entries = numberedEntries(cuts.reduce((sum, cut) => sum + cut, 0));
        const inPieces = treeOf([]);
        let at = 0;
        for (const cut of cuts) {
          inPieces.append(entries.slice(at, at + cut));
          at += cut;
        }
        const atOnce = treeOf(entries);
        assert.deepEqual(inPieces.frontier, atOnce.frontier);
        assert.deepEqual(inPieces.nodes, atOnce.nodes);
      }),
    );
  });

  test("of arbitrary entries has the root of the recursive definition", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 40 }), (entries) => {
        assert.deepEqual(merkleRoot(entries), mth(entries));
      }),
    );
  });

  test("is left as it was by an append", () => {
    const before = treeOf(numberedEntries(7)).frontier;
    const copy = encodeFrontier(before);
    appendLeaves(before, numberedEntries(9).map(leafHash));
    assert.deepEqual(encodeFrontier(before), copy);
    assert.deepEqual(emptyFrontier, { size: 0, peaks: [] });
  });

  test("is returned unchanged when nothing is appended", () => {
    const { frontier } = treeOf(numberedEntries(5));
    assert.deepEqual(appendLeaves(frontier, []), { frontier, nodes: [] });
  });

  test("appends up to 2^53-1 leaves and asserts beyond", () => {
    const size = treeSizeMax - 1;
    const peaks = coveringNodes(0, size).map(({ level }) => sha256(u64be(level)));
    const leaf = leafHash(u64be(0));
    const full = appendLeaves({ size, peaks }, [leaf]);
    assert.equal(full.frontier.size, treeSizeMax);
    assert.equal(full.frontier.peaks.length, 53);
    assert.deepEqual(full.nodes, [{ level: 0, index: size, hash: leaf }]);
    assert.throws(() => appendLeaves(full.frontier, [leaf]), { name: "AssertionFailed" });
  });

  test("carries through 52 levels at the largest complete tree", () => {
    const size = 2 ** 52 - 1;
    const peaks = coveringNodes(0, size).map(({ level }) => sha256(u64be(level)));
    const leaf = leafHash(u64be(0));
    const { frontier, nodes } = appendLeaves({ size, peaks }, [leaf]);
    assert.equal(nodes.length, 53);
    assert.deepEqual(nodes.at(-1), { level: 52, index: 0, hash: foldHashes([...peaks, leaf]) });
    assert.deepEqual(frontier.peaks, [foldHashes([...peaks, leaf])]);
  });

  test("asserts that leaf hashes have 32 bytes", () => {
    for (const length of [0, 31, 33]) {
      assert.throws(() => appendLeaves(emptyFrontier, [new Uint8Array(length)]), {
        name: "AssertionFailed",
      });
    }
  });
});

describe("the encoded frontier", () => {
  test("is the size in 8 bytes, big-endian, and the peaks", () => {
    const { frontier } = treeOf(vectorEntries.slice(0, 7));
    const peaks = [
      vectors.nodeHashes[2]?.[0],
      vectors.nodeHashes[1]?.[2],
      vectors.nodeHashes[0]?.[6],
    ];
    assert.equal(toHex(encodeFrontier(frontier)), `0000000000000007${peaks.join("")}`);
  });

  test("decodes to what was encoded, at every size from 0 to 70", () => {
    for (let size = 0; size <= 70; size++) {
      const { frontier } = treeOf(numberedEntries(size));
      assert.deepEqual(decodeFrontier(encodeFrontier(frontier)), { ok: true, value: frontier });
    }
  });

  test("decodes to copies, also out of a Buffer that is reused", () => {
    const { frontier } = treeOf(numberedEntries(5));
    const buffer = Buffer.from(encodeFrontier(frontier));
    const decoded = decodeFrontier(buffer);
    buffer.fill(0);
    assert.deepEqual(decoded, { ok: true, value: frontier });
  });

  test("is refused when a size and its peaks do not belong together", () => {
    const hash = sha256();
    const eight = u64be(8);
    const tooLarge = (size: bigint) => ({ code: "SIZE_TOO_LARGE", size });
    const wrongLength = (lengthBytes: number, expectedBytes: number) => ({
      code: "WRONG_LENGTH",
      lengthBytes,
      expectedBytes,
    });
    const cases: readonly [Uint8Array, unknown][] = [
      [new Uint8Array(0), { code: "TOO_SHORT", lengthBytes: 0 }],
      [eight.subarray(0, 7), { code: "TOO_SHORT", lengthBytes: 7 }],
      [eight, wrongLength(8, 40)],
      [concatBytes(eight, hash, hash), wrongLength(72, 40)],
      [concatBytes(eight, hash.subarray(1)), wrongLength(39, 40)],
      [concatBytes(u64be(7), hash, hash), wrongLength(72, 104)],
      [concatBytes(u64be(0), hash), wrongLength(40, 8)],
      [concatBytes(u64be(2n ** 53n), hash), tooLarge(2n ** 53n)],
      [concatBytes(u64be(2n ** 64n - 1n), hash), tooLarge(2n ** 64n - 1n)],
      [u64be(treeSizeMax), wrongLength(8, 8 + 53 * 32)],
    ];
    for (const [encoded, error] of cases) {
      assert.deepEqual(decodeFrontier(encoded), { ok: false, error });
    }
  });

  test("round-trips, or is refused, for arbitrary bytes", () => {
    const sizes = fc.nat({ max: 20 }).map(u64be);
    const peaks = fc.uint8Array({ minLength: 0, maxLength: 96 });
    fc.assert(
      fc.property(sizes, peaks, (size, tail) => {
        const encoded = concatBytes(size, tail);
        const decoded = decodeFrontier(encoded);
        if (decoded.ok) assert.deepEqual(encodeFrontier(decoded.value), encoded);
      }),
    );
  });
});

describe("names of nodes", () => {
  test("the logarithm is exact over the whole range", () => {
    for (let power = 0; power <= 52; power++) {
      assert.equal(floorLog2(2 ** power), power);
      assert.equal(floorLog2(2 ** (power + 1) - 1), power);
    }
    for (const wrong of [0, -1, 1.5, Number.NaN, 2 ** 53]) {
      assert.throws(() => floorLog2(wrong), { name: "AssertionFailed" });
    }
  });

  test("a range is covered without gap or overlap, biggest subtree first", () => {
    for (let size = 0; size <= 200; size++) {
      let at = 0;
      let levelBefore = Number.POSITIVE_INFINITY;
      for (const { level, index } of coveringNodes(0, size)) {
        assert.ok(level < levelBefore, `size ${size}`);
        assert.equal(index * 2 ** level, at, `size ${size}`);
        levelBefore = level;
        at += 2 ** level;
      }
      assert.equal(at, size);
    }
  });

  test("a range that starts where no subtree of its size does is our own bug", () => {
    assert.throws(() => coveringNodes(1, 3), { name: "AssertionFailed" });
  });
});
