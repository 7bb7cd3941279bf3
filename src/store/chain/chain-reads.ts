/**
 * Reading the ledger, alike on both roles' stores. Everything up to the head is there and never
 * changes, so no read needs a lock or a snapshot: whoever has taken note of the head can read on.
 *
 * Every read rejects with a StoreError: CORRUPT when what must be there is missing or damaged.
 */
import { create } from "@bufbuild/protobuf";
import { assert } from "../../base/assert.js";
import {
  type Block,
  type BlockCertificates,
  BlockCertificatesSchema,
  type CertifiedStorageBlock,
  CertifiedStorageBlockSchema,
} from "../../gen/bss/v1/block_pb.js";
import { type ControlOperation, ControlOperationSchema } from "../../gen/bss/v1/genesis_pb.js";
import { parseHeader } from "../../ledger/blocks/block-parsing.js";
import type { GenesisState } from "../../ledger/genesis.js";
import type { Members } from "../../ledger/members/members.js";
import type { Frontier } from "../../ledger/merkle/frontier.js";
import { consistencyProofPlan, inclusionProofPlan } from "../../ledger/merkle/proofs.js";
import { buckets } from "../buckets.js";
import { bucketKey, bucketRange, KeyReader, u64Part } from "../key-codec.js";
import { type KeyValueStore, rangeLimitMax } from "../key-value-store.js";
import {
  chainKeys,
  changesMembers,
  decodeLocation,
  decodeSealed,
  decodeU64,
  type RecordLocation,
  type SealedRecord,
} from "./chain-writes.js";
import { readProof, readRoot } from "./merkle-log-store.js";
import { damaged, getAll, present, storedMessage } from "./stored-values.js";

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

/** A final block with what makes it final. */
export type FinalBlock = StoredBlock & { readonly certificates: BlockCertificates };

/** An operation that changed who belongs; participants and meters are state. */
export type MembershipEntry = MembershipPlace & {
  readonly operation: ControlOperation;
};

/** Where an operation stands that changed who belongs. */
export type MembershipPlace = {
  /** Block that carries it; 0 for genesis. */
  readonly height: number;
  /** Among the operations of that block, or of genesis. */
  readonly place: number;
};

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
  protected abstract storedBlock(height: number): Promise<StoredBlock | undefined>;

  /** The store as those see it who answer questions about the public ledger. */
  get reader() {
    return {
      head: () => this.readerHead,
      finalBlock: (height: number) => this.finalBlock(height),
      heightOfBlock: (blockId: Uint8Array) => this.heightOfBlock(blockId),
      location: (recordHash: Uint8Array) => this.location(recordHash),
      inclusionProof: (position: number, treeSize: number) =>
        this.inclusionProof(position, treeSize),
      consistencyProof: (fromSize: number, toSize: number) =>
        this.consistencyProof(fromSize, toSize),
      rootAt: (treeSize: number) => this.rootAt(treeSize),
      membershipHistory: (from?: MembershipPlace) => this.membershipHistory(from),
      lastAttestedHeights: (nodeIds: readonly string[]) => this.lastAttestedHeights(nodeIds),
    } as const;
  }

  /** Undefined for heights without a block: 0, and those above the head. */
  async finalBlock(height: number): Promise<FinalBlock | undefined> {
    const stored = await this.storedBlock(height);
    if (stored === undefined) return undefined;
    const certificates = await this.certificatesAt(height);
    return { ...stored, certificates: present(certificates, `certificates of height ${height}`) };
  }

  /**
   * A final block as it is shipped to storage nodes, without anything that only managers may see.
   */
  async storageBlockAt(height: number): Promise<CertifiedStorageBlock | undefined> {
    const final = await this.finalBlock(height);
    if (final === undefined) return undefined;
    const { block, certificates } = final;
    const sealedRecords = await this.sealedOf(block);
    return create(CertifiedStorageBlockSchema, { block, sealedRecords, certificates });
  }

  /** Undefined for ids that are not of a final block; so for the consortium id. */
  async heightOfBlock(blockId: Uint8Array): Promise<number | undefined> {
    const bytes = await this.kv.get(chainKeys.heightOfBlock(blockId));
    return bytes && decodeU64(bytes);
  }

  /** Those that the next block carries; at the head those that this node decided by. */
  async certificatesAt(height: number): Promise<BlockCertificates | undefined> {
    const bytes = await this.kv.get(chainKeys.certificates(height));
    return bytes && storedMessage(BlockCertificatesSchema, bytes, `certificates of ${height}`);
  }

  /** Undefined for a record that is not on the ledger. `recordHash` has 32 bytes. */
  async location(recordHash: Uint8Array): Promise<RecordLocation | undefined> {
    return (await this.locations([recordHash]))[0];
  }

  /** In the order of the hashes. */
  async locations(
    recordHashes: readonly Uint8Array[],
  ): Promise<readonly (RecordLocation | undefined)[]> {
    const values = await getAll(this.kv, recordHashes.map(chainKeys.location));
    return values.map((bytes) => bytes && decodeLocation(bytes));
  }

  /** The sealed record at a position in the log; undefined beyond its end. */
  async sealed(position: number): Promise<Uint8Array | undefined> {
    return (await this.sealedRecordAt(position))?.sealed;
  }

  async recordHashAt(position: number): Promise<Uint8Array | undefined> {
    return (await this.sealedRecordAt(position))?.recordHash;
  }

  async sealedRecordAt(position: number): Promise<SealedRecord | undefined> {
    const bytes = await this.kv.get(chainKeys.sealed(position));
    return bytes && decodeSealed(bytes);
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

  /** The sealed records of a stored block, in the order of its leaves. */
  protected async sealedOf(block: Block): Promise<Uint8Array[]> {
    const count = block.leaves.length;
    if (count === 0) return [];
    const parsed = parseHeader(block.header);
    assert(parsed.ok, "the header of a stored block decodes");
    const { treeSize, height } = parsed.value;
    const gte = chainKeys.sealed(treeSize - count);
    const lt = chainKeys.sealed(treeSize);
    const sealed: Uint8Array[] = [];
    const pageEntries = Math.min(count, rangeLimitMax);
    for await (const [, bytes] of this.kv.scan({ gte, lt, pageEntries })) {
      sealed.push(decodeSealed(bytes).sealed);
    }
    if (sealed.length === count) return sealed;
    throw damaged(
      `${count - sealed.length} of the sealed records of block ${height}`,
      "are missing",
    );
  }
}
