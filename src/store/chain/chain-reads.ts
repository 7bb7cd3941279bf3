/**
 * Reading the ledger, alike on both roles' stores. Everything up to the head is there and never
 * changes, so no read needs a lock or a snapshot: once it knows the head, a reader can take its
 * time.
 *
 * Every read may reject with a StoreError, which is CORRUPT when something is missing or damaged.
 */
import { create } from "@bufbuild/protobuf";
import { equalBytes } from "../../base/bytes.js";
import {
  type Block,
  type BlockCertificates,
  BlockCertificatesSchema,
  type CertifiedStorageBlock,
  CertifiedStorageBlockSchema,
} from "../../gen/bss/v1/block_pb.js";
import { type ControlOperation, ControlOperationSchema } from "../../gen/bss/v1/genesis_pb.js";
import type { GenesisState } from "../../ledger/genesis.js";
import type { Members } from "../../ledger/members/members.js";
import type { Frontier } from "../../ledger/merkle/frontier.js";
import { consistencyProofPlan, inclusionProofPlan } from "../../ledger/merkle/proofs.js";
import { buckets } from "../buckets.js";
import { bucketKey, bucketRange, KeyReader, u64Part } from "../key-codec.js";
import type { KeyValueStore } from "../key-value-store.js";
import { chainKeys, changesMembers, decodeU64, type RecordLocation } from "./chain-writes.js";
import { readProof, readRoot } from "./merkle-log-store.js";
import {
  holderOf,
  type PlacedRecord,
  type PlacedSealedRecord,
  readPlaces,
  readRecords,
  readSealed,
  readSegments,
  type SealedRecord,
} from "./sealed-records.js";
import { type BareBlock, readLeaves, readWithSealed } from "./stored-blocks.js";
import { damaged, getAll, present, storedMessage } from "./stored-values.js";

export type { PlacedRecord, PlacedSealedRecord } from "./sealed-records.js";

/** The last final block, and what holds after it. */
export type ReaderHead = {
  /** 0 for genesis. */
  readonly height: number;
  /** 32 bytes, of the managers' block; the consortium id for genesis. */
  readonly blockId: Uint8Array;
  readonly frontier: Frontier;
  readonly members: Members;
};

/** A final block as it is stored. */
export type StoredBlock = {
  readonly block: Block;
  /** Exact bytes of the StorageBlockHeader; on storage nodes only. */
  readonly storageHeader?: Uint8Array;
};

/** A block as it is stored, without its leaves. */
export type StoredBareBlock = StoredBlock & BareBlock;

/** A final block with what makes it final. */
export type FinalBlock = StoredBlock & { readonly certificates: BlockCertificates };

/** What a caller can do without. */
export type BlockParts = {
  /** With false, the block has none; default true. They cost a hash or two each. */
  readonly leaves?: boolean;
};

/** An operation that changed who belongs. */
type MembershipEntry = MembershipPlace & { readonly operation: ControlOperation };

/** Where an operation stands that changed who belongs; participants and meters are state. */
export type MembershipPlace = {
  /** Block that carries it; 0 for genesis. */
  readonly height: number;
  /** Among the operations of that block, or of genesis. */
  readonly place: number;
};

/** What answering queries about the public ledger takes, from the store of either role. */
export type LedgerReader = Pick<
  ChainReads,
  | "readerHead"
  | "finalBlock"
  | "heightOfBlock"
  | "location"
  | "inclusionProof"
  | "consistencyProof"
  | "rootAt"
  | "membershipHistory"
  | "lastAttestedHeights"
>;

export abstract class ChainReads {
  protected readonly kv: KeyValueStore;
  readonly #genesis: GenesisState;

  constructor(kv: KeyValueStore, genesis: GenesisState) {
    this.kv = kv;
    this.#genesis = genesis;
  }

  /** The head as far as both roles know it; always what is on disk. */
  abstract get readerHead(): ReaderHead;

  /** The block of a height, undefined for 0 and heights above the head. */
  abstract bareBlock(height: number): Promise<StoredBareBlock | undefined>;

  /** Position of each record; undefined for one that is not on the ledger. */
  protected abstract positions(
    recordHashes: readonly Uint8Array[],
  ): Promise<readonly (number | undefined)[]>;

  /** Undefined for heights without a block: 0, and those above the head. */
  async finalBlock(
    height: number,
    { leaves = true }: BlockParts = {},
  ): Promise<FinalBlock | undefined> {
    const bare = await this.bareBlock(height);
    if (bare === undefined) return undefined;
    const { storageHeader } = bare;
    const block = leaves ? await readLeaves(this.kv, bare) : bare.block;
    const certificates = await this.#certificatesOf(height);
    return { block, certificates, ...(storageHeader === undefined ? {} : { storageHeader }) };
  }

  /**
   * A final block as it is shipped to storage nodes, without anything that only managers may see.
   */
  async storageBlockAt(height: number): Promise<CertifiedStorageBlock | undefined> {
    const bare = await this.bareBlock(height);
    if (bare === undefined) return undefined;
    const whole = await readWithSealed(this.kv, bare);
    const certificates = await this.#certificatesOf(height);
    return create(CertifiedStorageBlockSchema, { ...whole, certificates });
  }

  /** Undefined for ids that are not of a final block; so for the consortium id. */
  async heightOfBlock(blockId: Uint8Array): Promise<number | undefined> {
    const bytes = await this.kv.get(chainKeys.heightOfBlock(blockId));
    return bytes && decodeU64(bytes);
  }

  /**
   * The certificates that the next block carries; at the head, those by which this node decided.
   */
  async certificatesAt(height: number): Promise<BlockCertificates | undefined> {
    const what = `certificates of ${height}`;
    // Before the next block, which takes their place: they are there, or it is.
    const own = await this.kv.get(chainKeys.certificates(height));
    if (own !== undefined) return storedMessage(BlockCertificatesSchema, own, what);
    const canonical = (await this.bareBlock(height + 1))?.block.previousCertificates;
    if (canonical === undefined || height === 0) return undefined;
    return storedMessage(BlockCertificatesSchema, canonical, what);
  }

  /** Undefined for a record that is not on the ledger. `recordHash` has 32 bytes. */
  async location(recordHash: Uint8Array): Promise<RecordLocation | undefined> {
    return (await this.locations([recordHash]))[0];
  }

  /** In the order of the hashes. */
  async locations(
    recordHashes: readonly Uint8Array[],
  ): Promise<readonly (RecordLocation | undefined)[]> {
    const positions = await this.positions(recordHashes);
    const known = positions.flatMap((position) => position ?? []);
    const segments = await readSegments(this.kv, known);
    return recordHashes.map((recordHash, i) => {
      const position = positions[i];
      if (position === undefined) return undefined;
      const segment = holderOf(segments, position);
      if (segment === undefined || !equalBytes(segment.recordHash(position), recordHash)) {
        throw damaged(`the sealed record at position ${position}`, "is not the one it should be");
      }
      return { height: segment.height, position, sealDigest: segment.sealDigest(position) };
    });
  }

  /** Whether each record is on the ledger, in the order of the hashes. */
  async areOnLedger(recordHashes: readonly Uint8Array[]): Promise<readonly boolean[]> {
    return (await this.positions(recordHashes)).map((position) => position !== undefined);
  }

  /** A record by its hash; undefined for one that is not on the ledger. */
  async recordOf(recordHash: Uint8Array): Promise<PlacedSealedRecord | undefined> {
    const [position] = await this.positions([recordHash]);
    if (position === undefined) return undefined;
    for await (const record of this.recordsAt([position])) {
      if (equalBytes(record.recordHash, recordHash)) return record;
    }
    throw damaged(`the sealed record at position ${position}`, "is not the one it should be");
  }

  /** In the order of the positions. @throws StoreError CORRUPT beyond the log's end, too */
  recordsAt(positions: readonly number[]): AsyncGenerator<PlacedSealedRecord, void, undefined> {
    return readRecords(this.kv, positions);
  }

  /** The same without the records, of which those that stand apart are not read. */
  placesAt(positions: readonly number[]): AsyncGenerator<PlacedRecord, void, undefined> {
    return readPlaces(this.kv, positions);
  }

  /** In the order of the positions; undefined beyond the log's end. */
  sealedRecordsAt(positions: readonly number[]): Promise<readonly (SealedRecord | undefined)[]> {
    return readSealed(this.kv, positions);
  }

  /** For 0 ≤ position < treeSize ≤ the head's. */
  inclusionProof(position: number, treeSize: number): Promise<readonly Uint8Array[]> {
    return readProof(this.kv, inclusionProofPlan(position, treeSize));
  }

  /** For 1 ≤ fromSize ≤ toSize ≤ the head's. */
  consistencyProof(fromSize: number, toSize: number): Promise<readonly Uint8Array[]> {
    return readProof(this.kv, consistencyProofPlan(fromSize, toSize));
  }

  /** The root of the log's first `treeSize` leaves, for 0 ≤ treeSize ≤ the head's. */
  rootAt(treeSize: number): Promise<Uint8Array> {
    return readRoot(this.kv, treeSize);
  }

  /** Changes of membership from a place on, oldest first, those of genesis included. */
  async *membershipHistory(
    from: MembershipPlace = { height: 0, place: 0 },
  ): AsyncGenerator<MembershipEntry, void, undefined> {
    const { operations } = this.#genesis.genesis;
    const first = from.height === 0 ? from.place : operations.length;
    for (const [i, operation] of operations.slice(first).entries()) {
      if (changesMembers(operation)) yield { height: 0, place: first + i, operation };
    }
    const { lt } = bucketRange(buckets.membership);
    const gte = bucketKey(buckets.membership, u64Part(from.height), u64Part(from.place));
    const start = from.height === 0 ? bucketRange(buckets.membership).gte : gte;
    for await (const [key, bytes] of this.kv.scan({ gte: start, lt })) {
      const reader = new KeyReader(key, buckets.membership);
      const height = Number(reader.u64());
      const place = Number(reader.u64());
      const operation = storedMessage(ControlOperationSchema, bytes, `an operation of ${height}`);
      yield { height, place, operation };
    }
  }

  /**
   * By node id: height of its last attestation in a canonical certificate. Absent for nodes without
   * any.
   */
  async lastAttestedHeights(nodeIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const values = await getAll(this.kv, nodeIds.map(chainKeys.lastAttested));
    const heights = new Map<string, number>();
    for (const [i, nodeId] of nodeIds.entries()) {
      const bytes = values[i];
      if (bytes !== undefined) heights.set(nodeId, decodeU64(bytes));
    }
    return heights;
  }

  async #certificatesOf(height: number): Promise<BlockCertificates> {
    return present(await this.certificatesAt(height), `certificates of height ${height}`);
  }
}
