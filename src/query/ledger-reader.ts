/**
 * What answering questions about the public ledger takes: both roles' stores offer it, so both
 * answer alike.
 *
 * Everything up to the head is there and never changes, so a reader that has taken note of the head
 * once can read on at its leisure: no lock, no snapshot.
 */
import type {
  FinalBlock,
  MembershipEntry,
  MembershipPlace,
  ReaderHead,
} from "../store/chain/chain-reads.js";
import type { RecordLocation } from "../store/chain/chain-writes.js";

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
