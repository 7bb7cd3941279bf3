/**
 * All that a storage node keeps on disk: its chain with the sealed records, and what it has
 * attested about blocks that are not decided yet. It never holds plaintext, submission headers or
 * keys.
 *
 *     append ──▶ one synchronous batch ──▶ head             all of a block is there, or nothing
 *     saveCandidate ──▶ one synchronous batch ──▶ attest    see the attestation log
 *
 * Callers await one write after the other. After a write that failed the store accepts no other:
 * the node stops, and opening it shows what is on disk.
 */

import { assert } from "../base/assert.js";
import { concatBytes, emptyBytes, equalBytes, utf8 } from "../base/bytes.js";
import type { StorageAppend } from "../consensus/attestation/attestor.js";
import type { Block, BlockCertificates } from "../gen/bss/v1/block_pb.js";
import type { ControlOperation } from "../gen/bss/v1/genesis_pb.js";
import type { BuiltStorageHeader } from "../ledger/blocks/storage-blocks.js";
import type { GenesisState } from "../ledger/genesis.js";
import type { StoredNode } from "../ledger/merkle/nodes.js";
import { genesisStorageHead, type StorageHead } from "../ledger/storage-nodes/storage-head.js";
import { buckets } from "./buckets.js";
import { checkHead, decodeStorageHead, encodeStorageHead, readHead } from "./chain/chain-head.js";
import { ChainReads, type ReaderHead, type StoredBareBlock } from "./chain/chain-reads.js";
import {
  type ChainWriteParts,
  chainKeys,
  chainWrites,
  controlOf,
  decodeU64,
} from "./chain/chain-writes.js";
import { extendTiles, type OpenTiles, readOpenTilesLeft } from "./chain/log-tiles.js";
import { readRecordPlaces, recordPlaceWrites } from "./chain/record-places.js";
import { decodeStorageBlock, encodeStorageBlock } from "./chain/stored-blocks.js";
import { damaged } from "./chain/stored-values.js";
import { tolerantGet } from "./damage/tolerant-reads.js";
import {
  AttestationLog,
  type AttestedCandidate,
} from "./double-sign-protection/attestation-log.js";
import { bucketKey, bucketRange, KeyReader, u64Part } from "./key-codec.js";
import type { Durability, KeyValueStore, WriteOperation } from "./key-value-store.js";
import type { StoreError } from "./store-error.js";
import { isDamage } from "./store-error.js";
import { identityWrite, isNewStore, type StoreOwner } from "./store-identity.js";

export type { AttestedCandidate } from "./double-sign-protection/attestation-log.js";

type ScrubState = { readonly height: number; readonly lastPassUnixMs: number };

export type AppendedStorageBlock = {
  readonly block: Block;
  /** In the order of the leaves. */
  readonly sealedRecords: readonly Uint8Array[];
  /** The certificates that showed this node that the block is final. */
  readonly certificates: BlockCertificates;
  readonly storageHeader: BuiltStorageHeader;
  readonly newNodes: readonly StoredNode[];
  /** After the block. */
  readonly head: StorageHead;
};

/** What is stored of a block that was found final. */
export function appendedOf({ block, log, ...rest }: StorageAppend): AppendedStorageBlock {
  return { ...rest, block: block.block, newNodes: log.newNodes };
}

const scrubKey = bucketKey(buckets.meta, utf8("scrub"));
/** There from when damage is found until a repair has come to its end. */
const unfinishedRepairKey = bucketKey(buckets.meta, utf8("unfinished-repair"));
const forkEvidenceKey = bucketKey(buckets.meta, utf8("fork-evidence"));

/** Where storage nodes keep blocks, and the places of records. */
abstract class StoredLedger extends ChainReads {
  close(): Promise<void> {
    return this.kv.close();
  }

  override bareBlock(height: number): Promise<StoredBareBlock | undefined> {
    return readStorageBlock(this.kv, height);
  }

  protected override positions(
    recordHashes: readonly Uint8Array[],
  ): Promise<readonly (number | undefined)[]> {
    return readRecordPlaces(this.kv, recordHashes);
  }
}

export class StorageNodeStore extends StoredLedger {
  readonly #attestations: AttestationLog;
  /** What was written with genesis, apart from the head. */
  readonly #fixed: readonly WriteOperation[];
  #head: StorageHead;
  #headCertificates: BlockCertificates | undefined;
  #doubt: StoreError | undefined;
  #tiles: OpenTiles = [];

  private constructor(
    kv: KeyValueStore,
    genesis: GenesisState,
    parts: {
      readonly head: StorageHead;
      readonly attestations: AttestationLog;
      readonly fixed: readonly WriteOperation[];
    },
  ) {
    super(kv, genesis);
    this.#head = parts.head;
    this.#attestations = parts.attestations;
    this.#fixed = parts.fixed;
  }

  /**
   * Opens the store, and writes genesis into an empty one.
   *
   * Damage around the head does not keep it from opening: a check of the whole store follows, see
   * `doubt`. Blocks that are appended meanwhile may leave out tiles, which nothing would show after
   * a restart. So damage is noted on disk until the check has come to its end.
   *
   * @throws StoreError MISMATCH when it is another node's or consortium's, CORRUPT without a head
   */
  static async open(kv: KeyValueStore, genesis: GenesisState): Promise<StorageNodeStore> {
    const owner: StoreOwner = { role: "storage", consortiumId: genesis.consortiumId };
    const fixed = [identityWrite(owner), ...participantWrites(genesis.operations)];
    if (await isNewStore(kv, owner)) {
      await kv.write([...fixed, headWrite(genesisStorageHead(genesis))], "sync");
    }
    const head = await readHead(kv, decodeStorageHead);
    const attestations = await AttestationLog.open(kv);
    const store = new StorageNodeStore(kv, genesis, { head, attestations, fixed });
    const { tiles, damage } = await readOpenTilesLeft(kv, head.frontier.size);
    store.#tiles = tiles;
    store.#doubt = damage;
    try {
      store.#headCertificates = await checkHead(kv, store);
    } catch (error) {
      if (!isDamage(error)) throw error;
      store.#doubt ??= error;
    }
    if (store.#doubt !== undefined) await store.#noteRepair(true);
    else if ((await kv.get(unfinishedRepairKey)) !== undefined) {
      store.#doubt = damaged("the store", "was not repaired to the end");
    }
    return store;
  }

  /** What was found damaged when the store was opened. */
  get doubt(): StoreError | undefined {
    return this.#doubt;
  }

  /** What the check of the whole store reads and mends. */
  get mendable() {
    return {
      kv: this.kv,
      fixed: this.#fixed,
      head: () => this.#head,
      replaceHead: (head: StorageHead) => this.#replace(head),
      replaceTiles: (tiles: OpenTiles) => {
        this.#tiles = tiles;
      },
      noteRepair: (isUnfinished: boolean) => this.#noteRepair(isUnfinished),
    };
  }

  /** After the last block; always what is on disk. */
  get head(): StorageHead {
    return this.#head;
  }

  override get readerHead(): ReaderHead {
    const { height, managerBlockId: blockId, frontier, members } = this.#head;
    return { height, blockId, frontier, members };
  }

  /** The certificates that showed that the head's block is final; undefined at height 0. */
  get headCertificates(): BlockCertificates | undefined {
    return this.#headCertificates;
  }

  /**
   * Puts a candidate for the next height and this node's attestation on disk, in one synchronous
   * batch, before the attestation is sent. There is one per round; saving it again is allowed.
   */
  saveCandidate(candidate: AttestedCandidate): Promise<void> {
    return this.#attestations.save(this.#head.height + 1, candidate);
  }

  /** Whether this node's attestation of that round, about the next height, is on its disk. */
  remembers(round: number): boolean {
    return this.#attestations.has(this.#head.height + 1, round);
  }

  /** The attested candidates for the next height, ascending by round. */
  loadCandidates(): Promise<readonly AttestedCandidate[]> {
    return this.#attestations.load(this.#head.height + 1);
  }

  /**
   * Makes the next block the head, with its sealed records, or changes nothing: all is one batch. A
   * later write with "sync" also flushes what was "buffered" before it.
   */
  async append(appended: AppendedStorageBlock, durability: Durability = "sync"): Promise<void> {
    const { block, sealedRecords, certificates, storageHeader, newNodes, head } = appended;
    const { previousStorageBlockId } = storageHeader.header;
    const { height, managerBlockId: blockId, frontier } = head;
    assert(height === this.#head.height + 1, `block ${height} does not follow the head`);
    const follows = equalBytes(previousStorageBlockId, this.#head.storageBlockId);
    assert(follows, "a storage block follows the head");
    const attestations = this.#attestations.clear();
    const tiles = extendTiles(this.#tiles, newNodes);
    const batch: WriteOperation[] = [
      ...storageBlockWrites({
        height,
        blockId,
        block,
        certificates,
        sealedRecords,
        treeSize: frontier.size,
        tileWrites: tiles.writes,
        storageHeaderBytes: storageHeader.headerBytes,
      }),
      ...attestations.writes,
      headWrite(head),
    ];
    await this.kv.write(batch, durability);
    this.#head = head;
    this.#headCertificates = certificates;
    this.#tiles = tiles.open;
    attestations.onWritten();
  }

  /** Resolves when every block that was appended is on stable storage. */
  flush(): Promise<void> {
    return this.kv.write([], "sync");
  }

  /**
   * SHA-256 of the SPKI with which a participant is registered, 32 bytes: who may call this node.
   */
  participantSpki(id: string): Promise<Uint8Array | undefined> {
    return this.kv.get(participantKey(id));
  }

  /** How far the check of the whole store has come, and when it last came to its end: two u64. */
  async saveScrub({ height, lastPassUnixMs }: ScrubState): Promise<void> {
    const value = concatBytes(u64Part(height), u64Part(lastPassUnixMs));
    await this.kv.write([{ type: "put", key: scrubKey, value }], "buffered");
  }

  /** Zeros when nothing was kept, or it cannot be read. */
  async scrubState(): Promise<ScrubState> {
    const value = await tolerantGet(this.kv, scrubKey);
    try {
      const height = decodeU64(value?.subarray(0, 8) ?? emptyBytes);
      return { height, lastPassUnixMs: decodeU64(value?.subarray(8) ?? emptyBytes) };
    } catch (error) {
      if (!isDamage(error)) throw error;
      return { height: 0, lastPassUnixMs: 0 };
    }
  }

  /** Keeps what proves that the chain forks, the first such proof only: the node stops after it. */
  async saveForkEvidence(evidence: Uint8Array): Promise<void> {
    if ((await this.forkEvidence()) !== undefined) return;
    await this.kv.write([{ type: "put", key: forkEvidenceKey, value: evidence }], "sync");
  }

  forkEvidence(): Promise<Uint8Array | undefined> {
    return this.kv.get(forkEvidenceKey);
  }

  #noteRepair(isUnfinished: boolean): Promise<void> {
    const note: WriteOperation = isUnfinished
      ? { type: "put", key: unfinishedRepairKey, value: emptyBytes }
      : { type: "delete", key: unfinishedRepairKey };
    return this.kv.write([note], "sync");
  }

  async #replace(head: StorageHead): Promise<void> {
    assert(head.height === this.#head.height, "the head is replaced by a better copy of itself");
    await this.kv.write([headWrite(head)], "sync");
    this.#head = head;
  }
}

/** The readable blocks of a store that has lost its head. */
export class LeftBlocks extends StoredLedger {
  override get readerHead(): ReaderHead {
    throw damaged("the head", "is missing");
  }

  /** The height of the last block that is there; 0 for none. */
  async top(): Promise<number> {
    const range = { ...bucketRange(buckets.storageBlock), reverse: true, limit: 1 };
    const [last] = await this.kv.range(range);
    return last === undefined ? 0 : Number(new KeyReader(last[0], buckets.storageBlock).u64());
  }
}

async function readStorageBlock(
  kv: KeyValueStore,
  height: number,
): Promise<StoredBareBlock | undefined> {
  const value = await kv.get(chainKeys.storageBlock(height));
  return value && decodeStorageBlock(value, height);
}

/** What is written for a final block, apart from the head. */
export function storageBlockWrites(
  parts: ChainWriteParts & { readonly storageHeaderBytes: Uint8Array },
): WriteOperation[] {
  const { height, block, treeSize, storageHeaderBytes } = parts;
  const { leaves } = block;
  return [
    {
      type: "put",
      key: chainKeys.storageBlock(height),
      value: encodeStorageBlock(block, storageHeaderBytes),
    },
    ...chainWrites(parts),
    ...recordPlaceWrites(treeSize - leaves.length, leaves),
    ...participantWrites(controlOf(block)),
  ];
}

function participantWrites(operations: readonly ControlOperation[]): WriteOperation[] {
  return operations.flatMap(({ operation }) => {
    if (operation.case !== "registerParticipant") return [];
    const { participantId, tlsSpkiSha256 } = operation.value;
    return [{ type: "put", key: participantKey(participantId), value: tlsSpkiSha256 }];
  });
}

function participantKey(id: string): Uint8Array {
  return bucketKey(buckets.participantSpki, utf8(id));
}

export function headWrite(head: StorageHead): WriteOperation {
  return { type: "put", key: chainKeys.head, value: encodeStorageHead(head) };
}
