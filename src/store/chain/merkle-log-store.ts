/**
 * The stored part of the Merkle log: the root of every complete subtree; those of level 0 are the
 * leaf hashes. A complete subtree never changes, so nodes are only ever added. The incomplete right
 * edge of the tree is not stored, but computed from complete subtrees when a proof is made.
 */
import { assert, defined } from "../../base/assert.js";
import { hashBytes } from "../../crypto/hash.js";
import { type Frontier, rootOf } from "../../ledger/merkle/frontier.js";
import type { NodeRef, StoredNode } from "../../ledger/merkle/nodes.js";
import { foldPlan, type ProofPlan, rootPlan } from "../../ledger/merkle/proofs.js";
import { buckets } from "../buckets.js";
import { bucketKey, u8Part, u64Part } from "../key-codec.js";
import type { KeyValueStore, WriteOperation } from "../key-value-store.js";
import { StoreError } from "../store-error.js";

export function merkleNodeKey({ level, index }: NodeRef): Uint8Array {
  return bucketKey(buckets.merkleNode, u8Part(level), u64Part(index));
}

/** The writes for the nodes that an append completed; they belong into the block's batch. */
export function merkleNodeWrites(nodes: readonly StoredNode[]): WriteOperation[] {
  return nodes.map((node) => {
    assert(node.hash.length === hashBytes, `a node hash of ${node.hash.length} bytes`);
    return { type: "put", key: merkleNodeKey(node), value: node.hash };
  });
}

/**
 * The hashes that the plan describes: of an inclusion or consistency proof.
 * Rejects with `CORRUPT` when a node that the plan needs is absent or is not a hash.
 */
export async function readProof(store: KeyValueStore, plan: ProofPlan): Promise<Uint8Array[]> {
  const refs = plan.flat();
  const hashes = await readMerkleNodes(store, refs);
  const byName = new Map(refs.map((ref, position) => [nameOf(ref), hashes[position]]));
  return foldPlan(plan, (ref) => defined(byName.get(nameOf(ref)), "a node that was not read"));
}

/** The frontier from which the log goes on after `treeSize` leaves. Rejects as `readProof` does. */
export async function readFrontier(store: KeyValueStore, treeSize: number): Promise<Frontier> {
  return { size: treeSize, peaks: await readMerkleNodes(store, rootPlan(treeSize)) };
}

/** The root of the log's first `treeSize` leaves. Rejects as `readProof` does. */
export async function readRoot(store: KeyValueStore, treeSize: number): Promise<Uint8Array> {
  return rootOf(await readFrontier(store, treeSize));
}

/** The hashes in the order of the refs; the longest proof needs some thousand. */
async function readMerkleNodes(
  store: KeyValueStore,
  refs: readonly NodeRef[],
): Promise<readonly Uint8Array[]> {
  const hashes = await store.getMany(refs.map(merkleNodeKey));
  return refs.map((ref, position) => {
    const hash = hashes[position];
    if (hash?.length !== hashBytes) throw damaged(nameOf(ref), hash);
    return hash;
  });
}

function nameOf({ level, index }: NodeRef): string {
  return `${level}/${index}`;
}

function damaged(name: string, hash: Uint8Array | undefined): StoreError {
  const what =
    hash === undefined ? "is missing" : `has ${hash.length} bytes instead of ${hashBytes}`;
  return new StoreError(
    "CORRUPT",
    `node ${name} (level/index) of the Merkle log ${what}: check the store with "bss check"`,
  );
}
