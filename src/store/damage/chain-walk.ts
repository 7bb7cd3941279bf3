/**
 * Walks up a storage node's chain on disk, block by block, and checks everything that is stored.
 * What follows from the blocks is computed again, as it was when they were appended, and compared
 * value by value.
 *
 *     header         ─▶ block, with the leaves that its sealed records have
 *     block          ─▶ storage header, places of blocks and records, changes of members
 *     all its leaves ─▶ tiles of the Merkle log
 *
 * A value that is missing, unreadable or wrong is written again. Blocks and sealed records cannot
 * be computed, and come from `fetch`. Hashes show that a block is the right one: each names the
 * block before it, from genesis up to the one that the head names.
 */
import { create, fromBinary } from "@bufbuild/protobuf";
import { assert, defined } from "../../base/assert.js";
import { emptyBytes, equalBytes } from "../../base/bytes.js";
import {
  type Block,
  BlockCertificatesSchema,
  type CertifiedStorageBlock,
} from "../../gen/bss/v1/block_pb.js";
import { blockId } from "../../ledger/blocks/block-hashes.js";
import { type ParsedBlock, parseHeader } from "../../ledger/blocks/block-parsing.js";
import { buildStorageBlockHeader, storageBlockId } from "../../ledger/blocks/storage-blocks.js";
import {
  appendLeaves,
  emptyFrontier,
  type Frontier,
  rootOf,
} from "../../ledger/merkle/frontier.js";
import type { StorageHead } from "../../ledger/storage-nodes/storage-head.js";
import { encode } from "../../ledger/wire.js";
import { buckets } from "../buckets.js";
import { encodeStorageHead } from "../chain/chain-head.js";
import { chainKeys } from "../chain/chain-writes.js";
import {
  extendTiles,
  isFullTile,
  type OpenTiles,
  openTileWrites,
  readOpenTiles,
} from "../chain/log-tiles.js";
import { readFrontier } from "../chain/merkle-log-store.js";
import { type BareBlock, encodeStorageBlock } from "../chain/stored-blocks.js";
import { damaged, present } from "../chain/stored-values.js";
import { u64Part } from "../key-codec.js";
import type { KeyValueStore, WriteOperation } from "../key-value-store.js";
import { storageBlockWrites } from "../storage-node-store.js";
import {
  parseStored,
  readBareBlock,
  readWholeBlock,
  tolerantCertificates,
  tolerantGet,
  tolerantGetMany,
} from "./tolerant-reads.js";

/** What was found to be damaged at one height. */
export type Damage = { readonly height: number; readonly what: readonly string[] };

export type ChainWalkPorts = {
  readonly kv: KeyValueStore;
  readonly head: () => StorageHead;
  /** Writes a head of the same height. */
  readonly replaceHead: (head: StorageHead) => Promise<void>;
  /** What the log goes on with from the head on. */
  readonly replaceTiles: (tiles: OpenTiles) => void;
  /** What was written with genesis. */
  readonly fixed: readonly WriteOperation[];
  /** 32 bytes. */
  readonly consortiumId: Uint8Array;
  /** The final block with this id, and its records, from elsewhere; waits until there is one. */
  readonly fetch: (height: number, blockId: Uint8Array) => Promise<CertifiedStorageBlock>;
  readonly found: (damage: Damage) => void;
  /** Nothing is appended while the job runs. */
  readonly inTurn: (job: () => Promise<void>) => Promise<void>;
};

export class ChainWalk {
  readonly #ports: ChainWalkPorts;
  #height = 0;
  #blockId: Uint8Array;
  #storageBlockId: Uint8Array;
  #frontier: Frontier = emptyFrontier;
  #tiles: OpenTiles = [];
  /** By node id: the last height that the certificates seen so far say it attested. */
  readonly #attested = new Map<string, number>();

  constructor(ports: ChainWalkPorts) {
    this.#ports = ports;
    this.#blockId = ports.consortiumId;
    this.#storageBlockId = ports.consortiumId;
  }

  /** Goes on after a height that was checked before; undefined if what this needs is damaged. */
  static async resume(ports: ChainWalkPorts, height: number): Promise<ChainWalk | undefined> {
    const walk = new ChainWalk(ports);
    if (height === 0) return walk;
    const bare = await readBareBlock(ports.kv, height);
    const header = bare && parseHeader(bare.block.header);
    if (bare === undefined || !header?.ok) return undefined;
    const { treeSize, header: fields } = header.value;
    walk.#height = height;
    walk.#blockId = blockId(bare.block.header);
    walk.#storageBlockId = storageBlockId(bare.storageHeader);
    walk.#frontier = await readFrontier(ports.kv, treeSize);
    walk.#tiles = await readOpenTiles(ports.kv, treeSize);
    return equalBytes(rootOf(walk.#frontier), fields.hash1) ? walk : undefined;
  }

  /** The last height that has been checked. */
  get height(): number {
    return this.#height;
  }

  /**
   * Checks the next height, and mends what it can; false at the head.
   *
   * @throws StoreError CORRUPT when the block itself is damaged: see `mendBlocks`
   */
  async step(): Promise<boolean> {
    const { head } = this.#ports;
    const height = this.#height + 1;
    if (height > head().height) return false;
    const { block, sealedRecords } = await this.#blockAt(height);
    const { frontier, nodes } = appendLeaves(this.#frontier, block.leafHashes);
    const root = rootOf(frontier);
    assert(equalBytes(root, block.header.hash1), "a final block's root is that of its leaves");
    const storageHeader = buildStorageBlockHeader({
      block,
      previousStorageBlockId: this.#storageBlockId,
      hash2: root,
      treeSize: frontier.size,
    });
    const tiles = extendTiles(this.#tiles, nodes);
    const writes = storageBlockWrites({
      height,
      blockId: block.blockId,
      block: block.block,
      sealedRecords,
      // A tile that later blocks fill is checked with them, or at the head.
      tileWrites: tiles.writes.filter(isFullTile),
      // A block's certificates are in the next one; those of the head are checked at the end.
      certificates: create(BlockCertificatesSchema),
      treeSize: frontier.size,
      storageHeaderBytes: storageHeader.headerBytes,
    });
    if (height === 1) await this.#compare(0, this.#ports.fixed);
    const own = chainKeys.certificates(height);
    const fixed = writes.filter(
      ({ key }) => key[0] !== buckets.lastAttested && !equalBytes(key, own),
    );
    await this.#compare(height, fixed);
    this.#noteAttested(block);
    this.#height = height;
    this.#blockId = block.blockId;
    this.#storageBlockId = storageHeader.storageBlockId;
    this.#frontier = frontier;
    this.#tiles = tiles.open;
    return true;
  }

  /**
   * Checks the tiles that grow with the log, for which any later height is as good as this one;
   * mends nothing.
   */
  async checkOpenTiles(): Promise<void> {
    const writes = openTileWrites(this.#tiles);
    const keys = writes.map(({ key }) => key);
    const stored = await tolerantGetMany(this.#ports.kv, keys);
    const areRight = writes.every(({ value }, i) => {
      return equalBytes(stored[i]?.subarray(0, value.length) ?? emptyBytes, value);
    });
    const what = [defined(names.get(buckets.logTile), "tiles have a name")];
    if (!areRight) this.#ports.found({ height: this.#height, what });
  }

  /**
   * At the head: checks what is kept once for the whole chain, and what is in memory. False if the
   * head has moved on.
   */
  async finish(): Promise<boolean> {
    let finished = false;
    await this.#ports.inTurn(async () => {
      if (this.#ports.head().height !== this.#height) return;
      finished = true;
      await this.#checkAttested();
      await this.#compare(this.#height, openTileWrites(this.#tiles));
      this.#ports.replaceTiles(this.#tiles);
      await this.#checkHead();
    });
    if (finished) await this.#checkHeadCertificates();
    return finished;
  }

  /**
   * The block that follows, with its sealed records: as stored if whole, or from elsewhere.
   *
   * @throws StoreError CORRUPT when the block's header is damaged
   */
  async #blockAt(height: number): Promise<{
    readonly block: ParsedBlock;
    readonly sealedRecords: readonly Uint8Array[];
  }> {
    const { kv, fetch } = this.#ports;
    const bare = await readBareBlock(kv, height);
    const follows = bare !== undefined && previousOf(bare, height);
    if (!follows || !equalBytes(follows, this.#blockId)) {
      throw damaged(`block ${height}`, "is missing or damaged");
    }
    const stored = await readWholeBlock(kv, bare, height);
    if (stored !== undefined) return stored;
    const { block, sealedRecords } = await fetch(height, blockId(bare.block.header));
    return { block: fetchedBlock(block, height), sealedRecords };
  }

  #noteAttested({ block, height }: ParsedBlock): void {
    if (block.previousCertificates.length === 0) return;
    const { integrity } = fromBinary(BlockCertificatesSchema, block.previousCertificates);
    for (const { nodeId } of integrity?.signatures ?? []) this.#attested.set(nodeId, height - 1);
  }

  async #checkAttested(): Promise<void> {
    const writes = [...this.#attested].map(([id, height]): WriteOperation => {
      return { type: "put", key: chainKeys.lastAttested(id), value: u64Part(height) };
    });
    await this.#compare(this.#height, writes);
  }

  /** Checks that the head, on disk and in memory, is the one that follows from the blocks. */
  async #checkHead(): Promise<void> {
    const { kv, head, found, replaceHead } = this.#ports;
    const right: StorageHead = {
      ...head(),
      frontier: this.#frontier,
      storageBlockId: this.#storageBlockId,
    };
    const bytes = encodeStorageHead(right);
    const stored = await tolerantGet(kv, chainKeys.head);
    const isRight = stored !== undefined && equalBytes(stored, bytes);
    if (isRight && equalBytes(encodeStorageHead(head()), bytes)) return;
    found({ height: this.#height, what: ["head"] });
    await replaceHead(right);
  }

  /** Checks the head's certificates; those of a lower height are in the next block. */
  async #checkHeadCertificates(): Promise<void> {
    const { kv, fetch, inTurn, head } = this.#ports;
    const [height, blockId] = [this.#height, this.#blockId];
    if (height === 0) return;
    const key = chainKeys.certificates(height);
    const stored = await tolerantCertificates(kv, height);
    if (equalBytes(stored?.commit?.blockId ?? emptyBytes, blockId)) return;
    const { certificates } = await fetch(height, blockId);
    const value = encode(BlockCertificatesSchema, present(certificates, "the certificates"));
    await inTurn(async () => {
      if (head().height === height) await this.#compare(height, [{ type: "put", key, value }]);
    });
  }

  /** Makes those writes that are not on disk as they should be. */
  async #compare(height: number, writes: readonly WriteOperation[]): Promise<void> {
    const { kv, found } = this.#ports;
    const keys = writes.map(({ key }) => key);
    const stored = await tolerantGetMany(kv, keys);
    const wrong = writes.filter((write, i) => {
      const value = stored[i];
      if (write.type === "delete") return value !== undefined;
      return value === undefined || !equalBytes(value, write.value);
    });
    if (wrong.length === 0) return;
    const what = wrong.map(({ key }) => names.get(key[0]) ?? "other values");
    found({ height, what: [...new Set(what)] });
    await kv.write(wrong, "sync");
  }
}

/**
 * Walks down from the head by the ids that blocks name, and fetches each block that is missing or
 * another one. `beat` is called for each height.
 */
export async function mendBlocks(ports: ChainWalkPorts, beat: () => void): Promise<void> {
  const { kv, head, consortiumId, fetch, found } = ports;
  let { height, managerBlockId: expected } = head();
  for (; height > 0; height -= 1) {
    beat();
    const bare = await readBareBlock(kv, height);
    if (bare !== undefined && equalBytes(blockId(bare.block.header), expected)) {
      const previous = previousOf(bare, height);
      if (previous === undefined) throw damaged(`block ${height}`, "has no header");
      expected = previous;
      continue;
    }
    found({ height, what: ["block"] });
    const fetched = fetchedBlock((await fetch(height, expected)).block, height);
    // The walk up writes its storage header when it comes here.
    const value = encodeStorageBlock(fetched.block, emptyBytes);
    await kv.write([{ type: "put", key: chainKeys.storageBlock(height), value }], "sync");
    expected = fetched.header.previousBlockId;
  }
  if (!equalBytes(expected, consortiumId)) throw damaged("the chain", "does not begin at genesis");
}

/** The id of the block before, by the header; undefined if that is not one of this height. */
function previousOf({ block }: BareBlock, height: number): Uint8Array | undefined {
  const parsed = parseHeader(block.header);
  if (!parsed.ok || parsed.value.height !== height) return undefined;
  return parsed.value.header.previousBlockId;
}

function fetchedBlock(block: Block | undefined, height: number): ParsedBlock {
  const what = "a block that was fetched";
  return present(parseStored(present(block, what), height), what);
}

const names = new Map<number | undefined, string>([
  [buckets.meta, "identity"],
  [buckets.heightByBlockId, "index of blocks"],
  [buckets.recordPlace, "index of records"],
  [buckets.segment, "sealed records"],
  [buckets.sealedApart, "sealed records"],
  [buckets.logTile, "tiles of the Merkle log"],
  [buckets.certificate, "certificates"],
  [buckets.storageBlock, "block"],
  [buckets.membership, "changes of members"],
  [buckets.lastAttested, "last attestations"],
  [buckets.participantSpki, "participants"],
]);
