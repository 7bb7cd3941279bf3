import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { defined } from "../../../../src/base/assert.js";
import { u64be } from "../../../../src/base/bytes.js";
import { sha256 } from "../../../../src/crypto/hash.js";
import {
  coveringNodes,
  emptyRoot,
  leafHash,
  nodeHash,
  treeSizeMax,
} from "../../../../src/ledger/merkle/nodes.js";
import {
  type ConsistencyClaim,
  type InclusionClaim,
  proofHashesMax,
  verifyConsistency,
  verifyInclusion,
} from "../../../../src/ledger/merkle/verify.js";
import { bytes, numberedEntries, vectorEntries, vectors } from "./fixtures.js";
import { consistencyProof, mth, path } from "./reference.js";

const exhaustiveSize = 70;
const entries = numberedEntries(exhaustiveSize);
const roots = Array.from({ length: exhaustiveSize + 1 }, (_, n) => mth(entries.slice(0, n)));

describe("verification of the published vectors", () => {
  for (const { leafIndex, treeSize, proof } of vectors.inclusionProofs) {
    test(`inclusion of leaf ${leafIndex} in ${treeSize} holds, and no mutation of it`, () => {
      const claim: InclusionClaim = {
        leafHash: leafHash(defined(vectorEntries[leafIndex], "input")),
        leafIndex,
        treeSize,
        proof: proof.map(bytes),
        root: bytes(defined(vectors.roots[treeSize], "root")),
      };
      assert.equal(verifyInclusion(claim), true);
      for (const wrong of inclusionMutations(claim)) assert.equal(verifyInclusion(wrong), false);
    });
  }

  for (const { fromSize, toSize, proof } of vectors.consistencyProofs) {
    test(`consistency of ${fromSize} with ${toSize} holds, and no mutation of it`, () => {
      const claim: ConsistencyClaim = {
        fromSize,
        toSize,
        fromRoot: bytes(defined(vectors.roots[fromSize], "root")),
        toRoot: bytes(defined(vectors.roots[toSize], "root")),
        proof: proof.map(bytes),
      };
      assert.equal(verifyConsistency(claim), true);
      for (const wrong of consistencyMutations(claim)) {
        assert.equal(verifyConsistency(wrong), false);
      }
    });
  }
});

describe("verifyInclusion", () => {
  test("accepts the RFC's proof of every leaf of every size", () => {
    for (let size = 1; size <= exhaustiveSize; size++) {
      for (let index = 0; index < size; index++) {
        assert.equal(verifyInclusion(inclusionClaim(index, size)), true, `${index} of ${size}`);
      }
    }
  });

  test("refuses every single-bit and shape mutation, at every leaf of sizes to 9 and of 70", () => {
    for (const size of [1, 2, 3, 4, 5, 6, 7, 8, 9, 70]) {
      for (let index = 0; index < size; index += size < 10 ? 1 : 23) {
        for (const wrong of inclusionMutations(inclusionClaim(index, size))) {
          assert.equal(verifyInclusion(wrong), false, `${index} of ${size}`);
        }
      }
    }
  });

  test("refuses a proof at every other index of its tree", () => {
    for (const size of [2, 5, 8, 13, 33]) {
      for (let index = 0; index < size; index++) {
        const claim = inclusionClaim(index, size);
        for (let other = 0; other < size; other++) {
          const holds = verifyInclusion({ ...claim, leafIndex: other });
          assert.equal(holds, other === index, `${index} as ${other} of ${size}`);
        }
      }
    }
  });

  test("refuses an inner node that is passed off as a leaf of a smaller tree", () => {
    const [a, b, c, d] = entries.slice(0, 4).map(leafHash);
    const left = nodeHash(defined(a, "a"), defined(b, "b"));
    const right = nodeHash(defined(c, "c"), defined(d, "d"));
    const claim = { leafHash: left, leafIndex: 0, treeSize: 4, proof: [right], root: at(roots, 4) };
    assert.equal(verifyInclusion(claim), false);
  });

  test("refuses hashes past the top of the tree, also if they give the root", () => {
    const [a, b, c] = entries.slice(0, 3).map(leafHash);
    const left = nodeHash(defined(a, "a"), defined(b, "b"));
    const right = defined(c, "c");
    const root = nodeHash(left, right);
    const claim = { leafHash: right, leafIndex: 0, treeSize: 1, proof: [left], root };
    assert.equal(verifyInclusion(claim), false);
    assert.equal(verifyInclusion({ ...claim, leafIndex: 2, treeSize: 3 }), true);
  });

  test("leaves it to the caller that size and root belong together", () => {
    for (let treeSize = 1; treeSize <= exhaustiveSize; treeSize++) {
      const holds = verifyInclusion({ ...inclusionClaim(0, 7), treeSize });
      assert.equal(holds, treeSize >= 5 && treeSize <= 8, `as of ${treeSize}`);
    }
  });

  test("reaches the end of the largest tree", () => {
    const peaks = coveringNodes(0, treeSizeMax).map(({ level }) => sha256(u64be(level)));
    const leaf = defined(peaks.at(-1), "a last peak");
    const proof = peaks.slice(0, -1).reverse();
    const root = proof.reduce((right, left) => nodeHash(left, right), leaf);
    const leafIndex = treeSizeMax - 1;
    const claim = { leafHash: leaf, leafIndex, treeSize: treeSizeMax, proof, root };
    assert.equal(verifyInclusion(claim), true);
    assert.equal(verifyInclusion({ ...claim, leafIndex: leafIndex - 1 }), false);
    assert.equal(verifyInclusion({ ...claim, treeSize: 2 ** 53 }), false);
  });

  test("is false for hostile numbers and shapes, and never throws", () => {
    const claim = inclusionClaim(5, 7);
    for (const number of hostileNumbers) {
      assert.equal(verifyInclusion({ ...claim, leafIndex: number }), false, `index ${number}`);
      assert.equal(verifyInclusion({ ...claim, treeSize: number }), false, `size ${number}`);
    }
    for (const hash of hostileHashes) {
      assert.equal(verifyInclusion({ ...claim, leafHash: hash }), false);
      assert.equal(verifyInclusion({ ...claim, root: hash }), false);
      assert.equal(verifyInclusion({ ...claim, proof: [hash, ...claim.proof.slice(1)] }), false);
    }
    for (const proof of hostileProofs) {
      assert.equal(verifyInclusion({ ...claim, proof }), false);
      assert.equal(verifyInclusion({ ...inclusionClaim(0, 1), proof }), false);
    }
  });
});

describe("verifyConsistency", () => {
  test("accepts the RFC's proof of every pair of sizes", () => {
    for (let to = 1; to <= exhaustiveSize; to++) {
      for (let from = 1; from <= to; from++) {
        assert.equal(verifyConsistency(consistencyClaim(from, to)), true, `${from} to ${to}`);
      }
    }
  });

  test("refuses every single-bit and shape mutation, at every pair to 9 and some of 70", () => {
    for (const to of [1, 2, 3, 4, 5, 6, 7, 8, 9, 70]) {
      for (let from = 1; from <= to; from += to < 10 ? 1 : 23) {
        for (const wrong of consistencyMutations(consistencyClaim(from, to))) {
          assert.equal(verifyConsistency(wrong), false, `${from} to ${to}`);
        }
      }
    }
  });

  test("refuses a proof from every other size to its tree", () => {
    for (const to of [2, 5, 8, 13, 33]) {
      for (let from = 1; from <= to; from++) {
        const claim = consistencyClaim(from, to);
        for (let other = 1; other <= to; other++) {
          const holds = verifyConsistency({ ...claim, fromSize: other });
          assert.equal(holds, other === from, `${from} as ${other} to ${to}`);
        }
      }
    }
  });

  test("refuses the proof of a history in which one early leaf differs", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(), fc.nat(), (to, a, b) => {
        const from = (a % to) + 1;
        const rewritten = entries.slice(0, to);
        rewritten[b % from] = Uint8Array.of(0xff);
        const toRoot = mth(rewritten);
        const proof = consistencyProof(from, rewritten);
        const claim = { fromSize: from, toSize: to, toRoot, proof };
        assert.equal(verifyConsistency({ ...claim, fromRoot: at(roots, from) }), false);
        const fromRoot = mth(rewritten.slice(0, from));
        assert.equal(verifyConsistency({ ...claim, fromRoot }), true);
      }),
    );
  });

  test("holds from the empty tree to any, only with the empty root and an empty proof", () => {
    const claim = { fromSize: 0, toSize: 5, fromRoot: emptyRoot, toRoot: at(roots, 5), proof: [] };
    assert.equal(verifyConsistency(claim), true);
    assert.equal(verifyConsistency({ ...claim, fromRoot: at(roots, 1) }), false);
    assert.equal(verifyConsistency({ ...claim, proof: [at(roots, 5)] }), false);
    const same = { ...claim, toSize: 0, toRoot: emptyRoot };
    assert.equal(verifyConsistency(same), true);
    assert.equal(verifyConsistency({ ...same, toRoot: at(roots, 1) }), false);
    const otherEmptyRoot = { ...same, fromRoot: at(roots, 1), toRoot: at(roots, 1) };
    assert.equal(verifyConsistency(otherEmptyRoot), false);
  });

  test("refuses the empty proof between sizes that differ, also under equal roots", () => {
    for (const [fromSize, toSize] of [
      [1, 2],
      [2, 4],
      [3, 4],
      [4, 8],
    ] as const) {
      const root = at(roots, fromSize);
      const claim = { fromSize, toSize, fromRoot: root, toRoot: root, proof: [] };
      assert.equal(verifyConsistency(claim), false);
    }
  });

  test("holds at the largest tree, with the longest proof", () => {
    const fromSize = 2 ** 52 - 1;
    const lefts = coveringNodes(0, fromSize).map(({ level }) => sha256(u64be(level)));
    const last = defined(lefts.at(-1), "a last peak");
    const fromRoot = lefts.slice(0, -1).reduceRight((r, l) => nodeHash(l, r), last);
    const leaf = sha256(u64be(100));
    const rightmost = sha256(u64be(101));
    // The missing last leaf of the left half, then everything right of the middle.
    const proof = [last, leaf, ...lefts.slice(0, -1).reverse(), rightmost];
    const half = lefts.slice(0, -1).reduceRight((r, l) => nodeHash(l, r), nodeHash(last, leaf));
    const toRoot = nodeHash(half, rightmost);
    const claim = { fromSize, toSize: treeSizeMax, fromRoot, toRoot, proof };
    assert.equal(proof.length, proofHashesMax);
    assert.equal(verifyConsistency(claim), true);
    assert.equal(verifyConsistency({ ...claim, fromSize: fromSize - 1 }), false);
    assert.equal(verifyConsistency({ ...claim, toSize: 2 ** 53 }), false);
  });

  test("is false for hostile numbers and shapes, and never throws", () => {
    const claim = consistencyClaim(5, 7);
    for (const number of hostileNumbers) {
      assert.equal(verifyConsistency({ ...claim, fromSize: number }), false, `from ${number}`);
      assert.equal(verifyConsistency({ ...claim, toSize: number }), false, `to ${number}`);
    }
    for (const hash of hostileHashes) {
      assert.equal(verifyConsistency({ ...claim, fromRoot: hash }), false);
      assert.equal(verifyConsistency({ ...claim, toRoot: hash }), false);
      assert.equal(verifyConsistency({ ...claim, proof: [hash, ...claim.proof.slice(1)] }), false);
      const equal = { ...claim, toSize: 5, fromRoot: hash, toRoot: hash, proof: [] };
      assert.equal(verifyConsistency(equal), false);
    }
    for (const proof of hostileProofs) {
      assert.equal(verifyConsistency({ ...claim, proof }), false);
      assert.equal(verifyConsistency({ ...consistencyClaim(4, 4), proof }), false);
      const fromEmpty = { ...claim, fromSize: 0, fromRoot: emptyRoot, proof };
      assert.equal(verifyConsistency(fromEmpty), false);
    }
  });
});

const hostileNumbers: readonly number[] = [
  -1,
  0.5,
  5.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  2 ** 53,
  2 ** 64,
  1e300,
  ...(["5", 5n, null, undefined, {}] as unknown as number[]),
];

const hostileHashes: readonly Uint8Array[] = [
  new Uint8Array(0),
  new Uint8Array(31),
  new Uint8Array(33),
  new Uint8Array(1 << 16),
  ...([undefined, null, "a".repeat(32), new Array(32).fill(0), { length: 32 }] as unknown as []),
];

const hostileProofs: readonly (readonly Uint8Array[])[] = [
  new Array<Uint8Array>(proofHashesMax).fill(emptyRoot),
  new Array<Uint8Array>(proofHashesMax + 1).fill(emptyRoot),
  new Array<Uint8Array>(100_000).fill(emptyRoot),
  new Array<Uint8Array>(3),
  ...([undefined, null, "proof", 3, { length: 0 }, emptyRoot] as unknown as []),
];

function inclusionClaim(leafIndex: number, treeSize: number): InclusionClaim {
  return {
    leafHash: leafHash(at(entries, leafIndex)),
    leafIndex,
    treeSize,
    proof: path(leafIndex, entries.slice(0, treeSize)),
    root: at(roots, treeSize),
  };
}

function consistencyClaim(fromSize: number, toSize: number): ConsistencyClaim {
  return {
    fromSize,
    toSize,
    fromRoot: at(roots, fromSize),
    toRoot: at(roots, toSize),
    proof: consistencyProof(fromSize, entries.slice(0, toSize)),
  };
}

function* inclusionMutations(claim: InclusionClaim): Generator<InclusionClaim> {
  for (const proof of proofMutations(claim.proof, claim.leafHash, claim.root)) {
    yield { ...claim, proof };
  }
  for (const hash of bitFlips(claim.leafHash)) yield { ...claim, leafHash: hash };
  for (const root of bitFlips(claim.root)) yield { ...claim, root };
  yield { ...claim, leafIndex: claim.leafIndex + 1 };
  yield { ...claim, leafIndex: claim.leafIndex - 1 };
  yield { ...claim, leafIndex: claim.leafIndex + 2 ** 32 };
  yield { ...claim, treeSize: claim.treeSize * 2 };
  yield { ...claim, treeSize: claim.treeSize + 2 ** 32 };
  yield { ...claim, treeSize: claim.leafIndex };
}

function* consistencyMutations(claim: ConsistencyClaim): Generator<ConsistencyClaim> {
  for (const proof of proofMutations(claim.proof, claim.fromRoot, claim.toRoot)) {
    yield { ...claim, proof };
  }
  for (const fromRoot of bitFlips(claim.fromRoot)) yield { ...claim, fromRoot };
  for (const toRoot of bitFlips(claim.toRoot)) yield { ...claim, toRoot };
  yield { ...claim, fromSize: claim.fromSize + 1 };
  yield { ...claim, fromSize: claim.fromSize - 1 };
  yield { ...claim, fromSize: claim.fromSize + 2 ** 32 };
  yield { ...claim, toSize: claim.toSize * 2 };
  yield { ...claim, toSize: claim.toSize + 2 ** 32 };
  yield { ...claim, toSize: claim.fromSize - 1 };
  if (claim.fromSize !== claim.toSize) {
    yield { ...claim, fromRoot: claim.toRoot, toRoot: claim.fromRoot };
    yield { ...claim, toSize: claim.fromSize };
    yield { ...claim, fromSize: claim.toSize };
  }
}

/** Every bit flipped; every hash left out, doubled, cut, lengthened or swapped; hashes added. */
function* proofMutations(
  proof: readonly Uint8Array[],
  ...extras: readonly Uint8Array[]
): Generator<readonly Uint8Array[]> {
  for (const [i, hash] of proof.entries()) {
    for (const flipped of bitFlips(hash)) yield proof.with(i, flipped);
    yield proof.toSpliced(i, 1);
    yield proof.toSpliced(i, 0, hash);
    yield proof.with(i, hash.subarray(1));
    yield proof.with(i, Uint8Array.of(...hash, 0));
    const next = proof[i + 1];
    if (next !== undefined) yield proof.with(i, next).with(i + 1, hash);
  }
  for (const extra of [new Uint8Array(0), ...extras]) {
    yield [...proof, extra];
    yield [extra, ...proof];
  }
  if (proof.length > 0) yield [];
}

function* bitFlips(hash: Uint8Array): Generator<Uint8Array> {
  for (let bit = 0; bit < hash.length * 8; bit++) {
    const flipped = new Uint8Array(hash);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    yield flipped;
  }
}

function at<T>(list: readonly T[], index: number): T {
  return defined(list[index], `item ${index} of the fixture`);
}
