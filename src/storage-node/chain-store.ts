/** What the chain of a storage node needs of its store. Each write is one synchronous batch. */
import type { Block, BlockCertificates } from "../gen/bss/v1/block_pb.js";
import type { Attestation } from "../gen/bss/v1/vote_pb.js";
import type { Members } from "../ledger/members.js";
import type { StoredNode } from "../ledger/merkle/nodes.js";
import type { BuiltStorageHeader } from "../ledger/storage-blocks.js";
import type { StorageHead } from "../ledger/storage-head.js";

/** A candidate with what this node signed about it in one round. */
export type AttestedCandidate = {
  readonly block: Block;
  /** In the order of the leaves. */
  readonly sealedRecords: readonly Uint8Array[];
  readonly round: number;
  readonly attestation: Attestation;
};

export type AppendedBlock = {
  readonly block: Block;
  readonly sealedRecords: readonly Uint8Array[];
  readonly certificates: BlockCertificates;
  readonly storageHeader: BuiltStorageHeader;
  readonly newNodes: readonly StoredNode[];
  /** After the block. */
  readonly members: Members;
  /** After the block. */
  readonly head: StorageHead;
};

export type ChainStore = {
  /** Always what is on disk. */
  readonly head: StorageHead;
  /** Durable before the attestation is sent. There is one per height and round. */
  saveCandidate(candidate: AttestedCandidate): Promise<void>;
  /** Those of the height after the head. */
  loadCandidates(): Promise<readonly AttestedCandidate[]>;
  append(appended: AppendedBlock): Promise<void>;
  sealed(position: number): Promise<Uint8Array | undefined>;
  certificatesAt(height: number): Promise<BlockCertificates | undefined>;
  /**
   * Keeps what proves that the chain forks; the node does not go on after that, also when it is
   * started again.
   */
  saveForkEvidence(evidence: Uint8Array): Promise<void>;
  forkEvidence(): Promise<Uint8Array | undefined>;
};
