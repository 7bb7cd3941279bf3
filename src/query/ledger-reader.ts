/**
 * What answering questions about the public ledger takes: both roles' stores offer it, so both
 * answer alike.
 *
 * Everything up to the head is there and never changes, so a reader that has taken note of the head
 * once can read on at its leisure: no lock, no snapshot.
 */
import type { Block, BlockCertificates } from "../gen/bss/v1/block_pb.js";
import type { ControlOperation } from "../gen/bss/v1/genesis_pb.js";
import type { Members } from "../ledger/members/members.js";
import type { Frontier } from "../ledger/merkle/frontier.js";

/** The last final block, and what holds after it. */
export type ReaderHead = {
  /** 0 for genesis. */
  readonly height: number;
  /** 32 bytes, of the managers' block; the consortium id for genesis. */
  readonly blockId: Uint8Array;
  readonly frontier: Frontier;
  readonly members: Members;
};

/** A final block with what makes it final. */
export type FinalBlock = {
  readonly block: Block;
  readonly certificates: BlockCertificates;
  /** Exact bytes of the StorageBlockHeader; on storage nodes only. */
  readonly storageHeader?: Uint8Array;
};

/** Where a record stands. */
export type RecordLocation = {
  readonly height: number;
  /** Index of its leaf in the Merkle log. */
  readonly position: number;
  /** 32 bytes. */
  readonly sealDigest: Uint8Array;
};

/** Where an operation stands that changed who belongs; participants and meters are state. */
export type MembershipPlace = {
  /** Block that carries it; 0 for genesis. */
  readonly height: number;
  /** Among the operations of that block, or of genesis. */
  readonly place: number;
};

export type MembershipEntry = MembershipPlace & { readonly operation: ControlOperation };

export type LedgerReader = {
  /** Of this moment; whatever it names can be read. */
  head(): ReaderHead;
  /** Undefined for heights without a block: 0, and those above the head. */
  finalBlock(height: number): Promise<FinalBlock | undefined>;
  heightOfBlock(blockId: Uint8Array): Promise<number | undefined>;
  location(recordHash: Uint8Array): Promise<RecordLocation | undefined>;
  /** For 0 ≤ position < treeSize ≤ the head's. */
  inclusionProof(position: number, treeSize: number): Promise<readonly Uint8Array[]>;
  /** For 1 ≤ fromSize ≤ toSize ≤ the head's. */
  consistencyProof(fromSize: number, toSize: number): Promise<readonly Uint8Array[]>;
  /** For 0 ≤ treeSize ≤ the head's. */
  rootAt(treeSize: number): Promise<Uint8Array>;
  /** From a place on, oldest first, those of genesis included. */
  membershipHistory(from?: MembershipPlace): AsyncIterable<MembershipEntry>;
  /**
   * By node id: height of its last attestation in a canonical certificate. Absent for nodes without
   * any.
   */
  lastAttestedHeights(nodeIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
};
