/** What the chain of a storage node takes from outside: what tests and simulations replace. */

import type { SignatureCache } from "../../crypto/signature-cache.js";
import type { GenesisState } from "../../ledger/genesis.js";
import type { DropReason } from "../../metrics/label-values.js";
import type { SyncObserver } from "../../node/sync-observer.js";
import type { AttestationMark } from "../../store/double-sign-protection/attestation-mark.js";
import type { StorageNodeStore } from "../../store/storage-node-store.js";
import type { HaltEvidence } from "../halting.js";
import type { ManagerLinks } from "../manager-links.js";
import type { SelfRepair } from "../repair/self-repair.js";

/** Told of what happens, for metrics and logs. */
export type ChainObserver = {
  appended(height: number, treeSize: number, records: number): void;
  attested(verdict: "match" | "mismatch", height: number, round: number): void;
  /** A candidate came for which this node lacks blocks. */
  behind(managerId: string, height: number): void;
  dropped(managerId: string, reason: DropReason): void;
  wrote(seconds: number): void;
} & Pick<SyncObserver, "blamed" | "syncNews">;

/** Each write is one synchronous batch. */
export type ChainStore = Pick<
  StorageNodeStore,
  | "head"
  | "saveCandidate"
  | "loadCandidates"
  | "remembers"
  | "append"
  | "flush"
  | "sealedRecordsAt"
  | "certificatesAt"
>;

export type ChainPorts = {
  readonly nodeId: string;
  readonly genesis: Pick<GenesisState, "consortiumId" | "policy">;
  /** A block whose id is certain, known from elsewhere: no chain without it is followed. */
  readonly checkpoint?: { readonly height: number; readonly blockId: Uint8Array };
  readonly store: ChainStore;
  /** Double-sign protection. */
  readonly mark: Pick<AttestationMark, "mayAttest" | "raise">;
  /** While it repairs the store, the node attests nothing. */
  readonly repair: Pick<SelfRepair, "repairing" | "report">;
  readonly links: Pick<ManagerLinks, "send" | "isConnected">;
  readonly signatures: SignatureCache;
  /** Signs a 32-byte digest with this node's key. */
  readonly sign: (digest: Uint8Array) => Uint8Array;
  readonly monotonicMs: () => number;
  readonly observe: ChainObserver;
  /** The block after the last head can be read. */
  readonly onAppended: () => void;
  /** Something failed that was not awaited: this node itself is at fault. */
  readonly onFailed: (cause: unknown) => void;
  /**
   * The chain forks, or this node's log is wrong: it takes no part from here on. Resolves when that
   * is on disk.
   */
  readonly onHalt: (evidence: HaltEvidence) => Promise<void>;
};
