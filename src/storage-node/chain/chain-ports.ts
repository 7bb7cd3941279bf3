/** What the parts of a storage node that handle its chain share. */

import type { SignatureCache } from "../../crypto/signature-cache.js";
import type { Policy } from "../../gen/bss/v1/genesis_pb.js";
import type { DropReason } from "../../metrics/label-values.js";
import type { SyncObserver } from "../../node/sync-observer.js";
import type { AttestationMark } from "../../store/signing/attestation-mark.js";
import type { HaltEvidence } from "../halting.js";
import type { UpMessage } from "../up-message.js";
import type { ChainStore } from "./chain-store.js";

/** Told of what happens, for metrics and logs. */
export type ChainObserver = {
  appended(height: number, treeSize: number, records: number): void;
  attested(verdict: "match" | "mismatch", height: number, round: number): void;
  /** A candidate came for which this node lacks blocks. */
  behind(managerId: string, height: number): void;
  dropped(managerId: string, reason: DropReason): void;
  wrote(seconds: number): void;
} & Pick<SyncObserver, "blamed" | "syncNews">;

export type ChainPorts = {
  readonly nodeId: string;
  /** 32 bytes. */
  readonly consortiumId: Uint8Array;
  readonly policy: Policy;
  readonly store: ChainStore;
  readonly mark: Pick<AttestationMark, "mayAttest" | "raise">;
  /** The node repairs itself: it attests nothing. */
  readonly repairing: () => boolean;
  /** Something on disk or in memory is not as it should be; `cause` is for people. */
  readonly onDoubt: (cause: string) => void;
  /** A block whose id is certain, known from elsewhere: no chain without it is followed. */
  readonly checkpoint?: { readonly height: number; readonly blockId: Uint8Array };
  readonly signatures: SignatureCache;
  /** Signs a 32-byte digest with this node's key. */
  readonly sign: (digest: Uint8Array) => Uint8Array;
  readonly monotonicMs: () => number;
  /** Sends to one manager, or to all that are connected; never waits. False when none took it. */
  readonly tell: (message: UpMessage, managerId?: string) => boolean;
  readonly isLinked: (managerId: string) => boolean;
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

/** Runs a write and reports how long it took. */
export async function timed(ports: ChainPorts, write: Promise<void>): Promise<void> {
  const startMs = ports.monotonicMs();
  await write;
  ports.observe.wrote((ports.monotonicMs() - startMs) / 1_000);
}
