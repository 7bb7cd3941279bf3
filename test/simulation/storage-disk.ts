/** What a storage node has on its disk: its chain, and what it has attested at the next height. */
import type { StorageAppend } from "../../src/consensus/attestor.js";
import type { Attestation } from "../../src/gen/bss/v1/vote_pb.js";
import type { ParsedBlock } from "../../src/ledger/blocks.js";
import type { GenesisState } from "../../src/ledger/genesis.js";
import { genesisStorageHead, type StorageHead } from "../../src/ledger/storage-head.js";

export type StoredCandidate = {
  readonly block: ParsedBlock;
  readonly sealedRecords: readonly Uint8Array[];
};

export class StorageDisk {
  head: StorageHead;
  readonly blocks: StorageAppend[] = [];
  /** By position in the log. */
  readonly sealed: Uint8Array[] = [];
  readonly candidates = new Map<string, StoredCandidate>();
  /** By round of the height after the head. */
  readonly attestations = new Map<number, Attestation>();

  constructor(genesis: GenesisState) {
    this.head = genesisStorageHead(genesis);
  }

  append(append: StorageAppend): void {
    this.head = append.head;
    this.blocks.push(append);
    this.sealed.push(...append.sealedRecords);
    this.candidates.clear();
    this.attestations.clear();
  }
}
