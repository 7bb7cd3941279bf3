/** Inclusion and consistency proofs over small trees, and forged ones. */
import { defined } from "../../src/base/assert.js";
import { emptyBytes } from "../../src/base/bytes.js";
import { sha256 } from "../../src/crypto/hash.js";
import { appendLeaves, emptyFrontier, rootOf } from "../../src/ledger/merkle/frontier.js";
import { nodeHash } from "../../src/ledger/merkle/nodes.js";
import {
  consistencyProofPlan,
  foldPlan,
  inclusionProofPlan,
} from "../../src/ledger/merkle/proofs.js";
import type { ConsistencyClaim, InclusionClaim } from "../../src/ledger/merkle/verify.js";
import { seedOf } from "../unit/ledger/support/records.js";
import { base64, type ConsistencyItem, type InclusionItem } from "./corpus.js";

const leaves = Array.from({ length: 13 }, (_, i) => seedOf(`leaf ${i}`));

const stored = new Map(
  appendLeaves(emptyFrontier, leaves).nodes.map(({ level, index, hash }) => [
    `${level}/${index}`,
    hash,
  ]),
);

const lookup = ({ level, index }: { readonly level: number; readonly index: number }) =>
  defined(stored.get(`${level}/${index}`), "the tree has the node");

function rootAt(size: number): Uint8Array {
  return rootOf(appendLeaves(emptyFrontier, leaves.slice(0, size)).frontier);
}

function inclusionOf(leafIndex: number, treeSize: number): InclusionClaim {
  const leafHash = defined(leaves[leafIndex], "the tree has the leaf");
  const proof = foldPlan(inclusionProofPlan(leafIndex, treeSize), lookup);
  return { leafHash, leafIndex, treeSize, root: rootAt(treeSize), proof };
}

function consistencyOf(fromSize: number, toSize: number): ConsistencyClaim {
  const proof = foldPlan(consistencyProofPlan(fromSize, toSize), lookup);
  return { fromSize, toSize, fromRoot: rootAt(fromSize), toRoot: rootAt(toSize), proof };
}

const shown = (value: object) =>
  Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      key,
      each instanceof Uint8Array ? base64(each) : Array.isArray(each) ? each.map(base64) : each,
    ]),
  );

function inclusion(name: string, valid: boolean, claim: InclusionClaim): InclusionItem {
  return { kind: "inclusion", name, ...shown(claim), valid } as unknown as InclusionItem;
}

function consistency(name: string, valid: boolean, claim: ConsistencyClaim): ConsistencyItem {
  return { kind: "consistency", name, ...shown(claim), valid } as unknown as ConsistencyItem;
}

function inclusions(): InclusionItem[] {
  const items: InclusionItem[] = [];
  for (const size of [1, 2, 3, 5, 7, 8, 13]) {
    for (const index of new Set([0, size >> 1, size - 1])) {
      items.push(inclusion(`leaf ${index} of ${size}`, true, inclusionOf(index, size)));
    }
  }
  const right = inclusionOf(5, 13);
  const { proof, leafHash } = right;
  const [first = leafHash, second = leafHash] = proof;
  const forged: readonly (readonly [string, Partial<InclusionClaim>])[] = [
    ["the leaf beside it", { leafIndex: 4 }],
    ["an index beyond the tree", { leafIndex: 13 }],
    ["a tree of no leaves", { leafIndex: 0, treeSize: 0, proof: [] }],
    ["the root of another size", { root: rootAt(12) }],
    ["the size of another root", { treeSize: 3 }],
    ["no proof", { proof: [] }],
    ["a proof without its end", { proof: proof.slice(0, -1) }],
    ["a proof without its beginning", { proof: proof.slice(1) }],
    ["a proof with a hash more", { proof: [...proof, leafHash] }],
    ["a proof with the root more", { proof: [...proof, right.root] }],
    ["two hashes of the proof swapped", { proof: [second, first, ...proof.slice(2)] }],
    ["a hash of 31 bytes", { proof: [first.slice(1), ...proof.slice(1)] }],
    ["a hash of 33 bytes", { proof: [new Uint8Array([...first, 0]), ...proof.slice(1)] }],
    ["an empty hash", { proof: [emptyBytes, ...proof] }],
    ["55 hashes", { proof: Array.from({ length: 55 }, () => first) }],
    ["a node above the leaf, and its index", nodeAbove(right)],
    ["a root made with the prefix of leaves", rootMadeWith(0x00)],
    ["a root made without a prefix", rootMadeWith()],
    ["a node as the leaf of its tree", { ...right, leafHash: nodeHash(first, leafHash) }],
    ["a proof with its first hash twice", { proof: [first, ...proof] }],
    ["a proof with a hash more in its middle", { proof: proof.toSpliced(2, 0, first) }],
    ["a proof upside down", { proof: proof.toReversed() }],
    ["the root as the leaf of a tree of one", { leafHash: right.root, leafIndex: 0, proof: [] }],
  ];
  return [
    ...items,
    ...forged.map(([name, change]) => inclusion(name, false, { ...right, ...change })),
  ];
}

/** A tree of two whose root is hashed behind other bytes than those of a node. */
function rootMadeWith(...prefix: readonly number[]): InclusionClaim {
  const { leafHash, proof } = inclusionOf(0, 2);
  const root = sha256(Uint8Array.from(prefix), leafHash, ...proof);
  return { leafHash, leafIndex: 0, treeSize: 2, root, proof };
}

/** Shows that the node above two leaves is a leaf: the rest of the path is the same. */
function nodeAbove({ leafHash, leafIndex, proof }: InclusionClaim): Partial<InclusionClaim> {
  const above = nodeHash(defined(proof[0], "the path has a sibling"), leafHash);
  return { leafHash: above, leafIndex: leafIndex >> 1, proof: proof.slice(1) };
}

function consistencies(): ConsistencyItem[] {
  const pairs = [
    [1, 1],
    [1, 2],
    [2, 3],
    [3, 7],
    [4, 8],
    [6, 13],
    [8, 13],
    [12, 13],
  ] as const;
  const items = pairs.map(([from, to]) =>
    consistency(`${from} to ${to}`, true, consistencyOf(from, to)),
  );
  const right = consistencyOf(6, 13);
  const power = consistencyOf(8, 13);
  const { proof } = right;
  const [first = right.toRoot] = proof;
  const forged: readonly (readonly [string, ConsistencyClaim])[] = [
    ["another root at the beginning", { ...right, fromRoot: rootAt(5) }],
    ["another root at the end", { ...right, toRoot: rootAt(12) }],
    ["the roots exchanged", { ...right, fromRoot: right.toRoot, toRoot: right.fromRoot }],
    ["a smaller size at the beginning", { ...right, fromSize: 5 }],
    ["a smaller size at the end", { ...right, toSize: 8 }],
    ["sizes that fall", { ...right, fromSize: 13, toSize: 6 }],
    ["no proof", { ...right, proof: [] }],
    ["no proof from a power of two", { ...power, proof: [] }],
    ["no proof between equal sizes of two roots", { ...right, fromSize: 13, proof: [] }],
    ["a proof between equal sizes", { ...consistencyOf(13, 13), proof: [first] }],
    ["from nothing, with a root", { ...right, fromSize: 0, proof: [] }],
    ["a proof without its end", { ...right, proof: proof.slice(0, -1) }],
    ["a proof with a hash more", { ...right, proof: [...proof, first] }],
    ["a proof without its beginning", { ...right, proof: proof.slice(1) }],
    ["the old root in front of a proof from a power of two", rootInFront(power)],
    ["a hash of 31 bytes", { ...right, proof: [first.slice(1), ...proof.slice(1)] }],
    ["55 hashes", { ...right, proof: Array.from({ length: 55 }, () => first) }],
  ];
  return [...items, ...forged.map(([name, claim]) => consistency(name, false, claim))];
}

function rootInFront(claim: ConsistencyClaim): ConsistencyClaim {
  return { ...claim, proof: [claim.fromRoot, ...claim.proof] };
}

export function proofs(): readonly (InclusionItem | ConsistencyItem)[] {
  return [...inclusions(), ...consistencies()];
}
