/**
 * The stored part of the Merkle log: the roots of every 16 leaves, and above them of every 16 of
 * those, of every 16 of these, and so on. Sixteen that follow each other are a tile, one row:
 *
 *     level 12    …                       tiles of rank 2: roots of 4,096 leaves each
 *     level 8     ├──┼──┼── 16 ──┤        tiles of rank 1: roots of 256 leaves each
 *     level 4     ├──┼──┼── 16 ──┤        tiles of rank 0: roots of 16 leaves each
 *     level 0     the leaves, which follow from the sealed records (segments.ts)
 *
 *     rank ‖ u64 index ──▶ rank, index, up to 16 hashes of 32 bytes
 *
 * Levels in between are computed from the next lower stored one: a proof takes 11 hashes for each
 * rank, and 41 below the lowest one. The log so costs about two bytes for each record, and a write
 * for every 256 of them. Leaf hashes are not kept, as they would add 32 bytes to a reading that
 * takes 140.
 *
 * The last tile of a rank grows: it is written anew with each hash that it gets, and the hashes in
 * it stay as they are. So reads for any past size work on what is stored today.
 */
import { assert, defined } from "../../base/assert.js";
import { concatBytes } from "../../base/bytes.js";
import { hashBytes } from "../../crypto/hash.js";
import type { StoredNode } from "../../ledger/merkle/nodes.js";
import { buckets } from "../buckets.js";
import { bucketKey, u8Part, u64Part } from "../key-codec.js";
import type { KeyValueStore, WriteOperation } from "../key-value-store.js";
import { isDamage, type StoreError } from "../store-error.js";
import { damaged, present } from "./stored-values.js";
import { encodeVarints, StoredReader } from "./varint.js";

/** The lowest level of the tree that is stored: roots of 16 leaves. */
export const lowestLevel = 4;
/** From one stored level to the next: 16 hashes. */
export const rankLevels = 4;
export const tileHashes = 2 ** rankLevels;

export type TileRef = { readonly rank: number; readonly index: number };

/** The tile of a rank to which the next hash of that rank belongs. */
type OpenTile = {
  readonly index: number;
  /** Undefined when those that are stored cannot be read: the tile is then left as it is. */
  readonly hashes: readonly Uint8Array[] | undefined;
};

/** By rank: what a log's tiles go on with. */
export type OpenTiles = readonly OpenTile[];

type PutOperation = Extract<WriteOperation, { readonly type: "put" }>;

export function tileKey({ rank, index }: TileRef): Uint8Array {
  return bucketKey(buckets.logTile, u8Part(rank), u64Part(index));
}

/** The level of the tree whose hashes tiles of the rank hold. */
export function levelOfRank(rank: number): number {
  return lowestLevel + rank * rankLevels;
}

/** The tiles after an append that completed these nodes of the tree, and the writes for them. */
export function extendTiles(
  open: OpenTiles,
  completed: readonly StoredNode[],
): { readonly open: OpenTiles; readonly writes: readonly PutOperation[] } {
  const next: (OpenTile | undefined)[] = [...open];
  const writes: PutOperation[] = [];
  const touched = new Set<number>();
  for (const { level, index, hash } of completed) {
    const rank = (level - lowestLevel) / rankLevels;
    if (rank < 0 || !Number.isInteger(rank)) continue;
    assert(hash.length === hashBytes, `a node hash of ${hash.length} bytes`);
    const tile = { rank, index: Math.floor(index / tileHashes) };
    const before = index % tileHashes === 0 ? [] : next[rank]?.hashes;
    const isNext = before === undefined || before.length === index % tileHashes;
    assert(isNext, "a tile gets its hashes in order");
    const hashes = before && [...before, hash];
    next[rank] = { index: tile.index, hashes };
    touched.add(rank);
    if (index % tileHashes < tileHashes - 1) continue;
    if (hashes !== undefined) writes.push(tileWrite(tile, hashes));
    next[rank] = { index: tile.index + 1, hashes: [] };
  }
  const whole = next.map((tile) => defined(tile, "no rank is left out"));
  const grown = [...touched].flatMap((rank) => openTileWrites(whole, rank));
  return { open: whole, writes: [...writes, ...grown] };
}

/** The write for the last tile of a rank, or of each; none for one that is empty or unknown. */
export function openTileWrites(open: OpenTiles, only?: number): PutOperation[] {
  return open.flatMap(({ index, hashes }, rank) => {
    if (only !== undefined && rank !== only) return [];
    return hashes === undefined || hashes.length === 0 ? [] : [tileWrite({ rank, index }, hashes)];
  });
}

function tileWrite(tile: TileRef, hashes: readonly Uint8Array[]): PutOperation {
  const value = concatBytes(encodeVarints([tile.rank, tile.index]), ...hashes);
  return { type: "put", key: tileKey(tile), value };
}

/** Whether the tile that is written will not change any more. */
export function isFullTile({ value }: PutOperation): boolean {
  return value.length >= tileHashes * hashBytes;
}

/**
 * The tiles with which a log of that size goes on.
 *
 * @throws StoreError CORRUPT
 */
export function readOpenTiles(kv: TileReads, treeSize: number): Promise<OpenTiles> {
  return Promise.all(hashCounts(treeSize).map((count, rank) => readOpenTile(kv, rank, count)));
}

/** The same, with an unknown tile for each that cannot be read, and one of the damages found. */
export async function readOpenTilesLeft(
  kv: TileReads,
  treeSize: number,
): Promise<{ readonly tiles: OpenTiles; readonly damage: StoreError | undefined }> {
  let damage: StoreError | undefined;
  const tiles = await Promise.all(
    unknownTiles(treeSize).map(async (unknown, rank) => {
      try {
        const count = defined(hashCounts(treeSize)[rank], "each rank has hashes");
        return await readOpenTile(kv, rank, count);
      } catch (error) {
        if (!isDamage(error)) throw error;
        damage ??= error;
        return unknown;
      }
    }),
  );
  return { tiles, damage };
}

type TileReads = Pick<KeyValueStore, "getMany">;

async function readOpenTile(kv: TileReads, rank: number, count: number): Promise<OpenTile> {
  const ref = { rank, index: Math.floor(count / tileHashes) };
  const inTile = count % tileHashes;
  if (inTile === 0) return { index: ref.index, hashes: [] };
  return { index: ref.index, hashes: hashesOf(await readTiles(kv, [ref]), ref, 0, inTile) };
}

/** By rank: how many hashes a log of that size has. */
function hashCounts(treeSize: number): readonly number[] {
  const counts: number[] = [];
  for (let rank = 0; treeSize >= 2 ** levelOfRank(rank); rank += 1) {
    counts.push(Math.floor(treeSize / 2 ** levelOfRank(rank)));
  }
  return counts;
}

/** Tiles that stand for what cannot be read, until a check of the whole store brings them back. */
export function unknownTiles(treeSize: number): OpenTiles {
  return hashCounts(treeSize).map((count) => {
    const isEmpty = count % tileHashes === 0;
    return { index: Math.floor(count / tileHashes), hashes: isEmpty ? [] : undefined };
  });
}

/** Tiles by name. */
export type Tiles = ReadonlyMap<string, readonly Uint8Array[]>;

/** @throws StoreError CORRUPT when one is absent or is not what was written there */
export async function readTiles(
  kv: Pick<KeyValueStore, "getMany">,
  refs: readonly TileRef[],
): Promise<Tiles> {
  if (refs.length === 0) return new Map();
  const byName = new Map(refs.map((ref) => [nameOf(ref), ref]));
  const values = await kv.getMany([...byName.values()].map(tileKey));
  const tiles = new Map<string, readonly Uint8Array[]>();
  for (const [i, [name, ref]] of [...byName].entries()) {
    tiles.set(name, decodeTile(ref, present(values[i], `tile ${name} of the Merkle log`)));
  }
  return tiles;
}

/** Some of a tile's hashes. @throws StoreError CORRUPT when the tile has fewer */
export function hashesOf(
  tiles: Tiles,
  ref: TileRef,
  first: number,
  end: number,
): readonly Uint8Array[] {
  const hashes = defined(tiles.get(nameOf(ref)), "a tile that was read");
  if (hashes.length < end) throw damaged(`tile ${nameOf(ref)} of the Merkle log`, "is cut off");
  return hashes.slice(first, end);
}

function decodeTile(ref: TileRef, value: Uint8Array): readonly Uint8Array[] {
  const reader = new StoredReader(value, `tile ${nameOf(ref)} of the Merkle log`);
  if (reader.varint() !== ref.rank || reader.varint() !== ref.index) throw reader.damage();
  const count = reader.left / hashBytes;
  if (!Number.isInteger(count) || count < 1 || count > tileHashes) throw reader.damage();
  return Array.from({ length: count }, () => reader.take(hashBytes));
}

/** rank/index */
function nameOf({ rank, index }: TileRef): string {
  return `${rank}/${index}`;
}
