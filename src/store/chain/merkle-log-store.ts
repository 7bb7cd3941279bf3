/**
 * Reading the Merkle log: proofs and roots of any size up to the head, from the stored tiles
 * (log-tiles.ts) and, below their lowest level, from the leaves of the sealed records.
 */
import { defined } from "../../base/assert.js";
import { type Frontier, rootOf } from "../../ledger/merkle/frontier.js";
import { type NodeRef, nodeHash } from "../../ledger/merkle/nodes.js";
import { foldPlan, type ProofPlan, rootPlan } from "../../ledger/merkle/proofs.js";
import type { KeyValueStore } from "../key-value-store.js";
import {
  hashesOf,
  levelOfRank,
  lowestLevel,
  rankLevels,
  readTiles,
  type TileRef,
  tileHashes,
} from "./log-tiles.js";
import { holderOf, readSegments } from "./sealed-records.js";
import type { Segment } from "./segments.js";
import { damaged } from "./stored-values.js";

type Reads = Pick<KeyValueStore, "getMany" | "range">;

/**
 * The hashes that the plan describes: of an inclusion or consistency proof.
 *
 * @throws StoreError CORRUPT when something that the plan needs is absent or damaged
 */
export async function readProof(kv: Reads, plan: ProofPlan): Promise<Uint8Array[]> {
  const refs = plan.flat();
  const hashes = await readNodes(kv, refs);
  const byName = new Map(refs.map((ref, i) => [nameOf(ref), hashes[i]]));
  return foldPlan(plan, (ref) => defined(byName.get(nameOf(ref)), "a node that was read"));
}

/** The frontier from which the log goes on after `treeSize` leaves. Rejects as `readProof` does. */
export async function readFrontier(kv: Reads, treeSize: number): Promise<Frontier> {
  return { size: treeSize, peaks: await readNodes(kv, rootPlan(treeSize)) };
}

/** The root of the log's first `treeSize` leaves. Rejects as `readProof` does. */
export async function readRoot(kv: Reads, treeSize: number): Promise<Uint8Array> {
  return rootOf(await readFrontier(kv, treeSize));
}

/** The hashes in the order of the refs. */
async function readNodes(kv: Reads, refs: readonly NodeRef[]): Promise<readonly Uint8Array[]> {
  const tileRefs = refs.flatMap((ref) => (ref.level < lowestLevel ? [] : [placeOf(ref).tile]));
  const positions = refs.flatMap((ref) => (ref.level < lowestLevel ? leavesUnder(ref) : []));
  const [tiles, segments] = await Promise.all([
    readTiles(kv, tileRefs),
    positions.length === 0 ? [] : readSegments(kv, positions),
  ]);
  return refs.map((ref) => {
    if (ref.level < lowestLevel) {
      return rootOfComplete(leavesUnder(ref).map((position) => leafAt(segments, position)));
    }
    const { tile, first, end } = placeOf(ref);
    return rootOfComplete(hashesOf(tiles, tile, first, end));
  });
}

/** Where the stored hashes below a node are: all in one tile. */
function placeOf({ level, index }: NodeRef): {
  readonly tile: TileRef;
  readonly first: number;
  readonly end: number;
} {
  const rank = Math.floor((level - lowestLevel) / rankLevels);
  const count = 2 ** (level - levelOfRank(rank));
  const first = (index * count) % tileHashes;
  const tile = { rank, index: Math.floor((index * count) / tileHashes) };
  return { tile, first, end: first + count };
}

function leavesUnder({ level, index }: NodeRef): number[] {
  const count = 2 ** level;
  return Array.from({ length: count }, (_, i) => index * count + i);
}

function leafAt(segments: readonly Segment[], position: number): Uint8Array {
  const segment = holderOf(segments, position);
  if (segment !== undefined) return segment.leafHash(position);
  throw damaged(`the sealed record at position ${position}`, "is missing");
}

/** The root over 1, 2, 4, … neighbouring subtrees of equal size. */
function rootOfComplete(hashes: readonly Uint8Array[]): Uint8Array {
  let level = hashes;
  while (level.length > 1) {
    const above: Uint8Array[] = [];
    for (let i = 0; i < level.length; i += 2) {
      above.push(nodeHash(defined(level[i], "a left child"), defined(level[i + 1], "a right one")));
    }
    level = above;
  }
  return defined(level[0], "a subtree has a leaf");
}

function nameOf({ level, index }: NodeRef): string {
  return `${level}/${index}`;
}
