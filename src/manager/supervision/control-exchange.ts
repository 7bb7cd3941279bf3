/**
 * How control operations come to every manager: checked and verified when they come in, kept,
 * passed on once, and said again until they are on the chain. A resume is said by its author only:
 * who does not hear the author would wait for its ACCEPT in vain.
 */

import type { SignatureCache } from "../../crypto/signature-cache.js";
import type { Evidence, ResumeManager } from "../../gen/bss/v1/genesis_pb.js";
import type { VoteRequest } from "../../gen/bss/v1/vote_pb.js";
import { checkEvidence, evidenceHeight } from "../../ledger/certificates/evidence.js";
import type { SignatureCheck } from "../../ledger/certificates/signature-check.js";
import { checkResume } from "../../ledger/members/operation-signatures.js";
import type { LedgerHead } from "../../ledger/state/head.js";
import type { DropReason } from "../../metrics/label-values.js";
import type { OffenceLog } from "../../store/offences.js";
import type { ControlPool } from "./control-pool.js";

export type ControlExchangePorts = {
  readonly consortiumId: Uint8Array;
  readonly head: () => LedgerHead;
  readonly signatures: SignatureCache;
  readonly pool: ControlPool;
  readonly offences: Pick<OffenceLog, "saveEvidence" | "deleteEvidence" | "loadEvidence">;
  /** To one manager, or to every other one. */
  readonly tell: (message: VoteRequest["message"], to?: string) => void;
  /** There is something for the next block. */
  readonly wake: () => void;
  readonly onDropped: (from: string, reason: DropReason) => void;
  /** Evidence that was not known here. */
  readonly onAccused: (evidence: Evidence) => void;
  readonly monotonicMs: () => number;
};

const repeatMs = 1_000;

export class ControlExchange {
  readonly #ports: ControlExchangePorts;
  #saidAtMs = 0;

  constructor(ports: ControlExchangePorts) {
    this.#ports = ports;
  }

  /** Takes up what was not on the chain when the manager stopped. */
  async restore(): Promise<void> {
    const { offences, pool } = this.#ports;
    for (const evidence of await offences.loadEvidence()) {
      if (!pool.addEvidence(evidence)) await offences.deleteEvidence(evidence.managerId);
    }
  }

  /** Takes evidence that this manager's ring has found. */
  async accuse(evidence: Evidence): Promise<void> {
    const { pool, offences, tell, wake, onAccused } = this.#ports;
    if (!pool.addEvidence(evidence)) return;
    onAccused(evidence);
    await offences.saveEvidence(evidence);
    tell({ case: "evidence", value: evidence });
    wake();
  }

  /** Evidence from another manager. */
  async takeEvidence(from: string, evidence: Evidence): Promise<void> {
    const { pool, head, consortiumId } = this.#ports;
    if (!pool.wantsEvidence(evidence.managerId)) return;
    const { height, members } = head();
    // Of a height that is not reached here: it comes again.
    if (evidenceHeight(evidence) > height + 1) return;
    const checks = checkEvidence(evidence, members, consortiumId, height + 1);
    if (!checks.ok) return this.#ports.onDropped(from, checks.error.reason);
    if (await this.#verify(from, checks.value)) await this.accuse(evidence);
  }

  /** A resume from its author, or whoever passes it on. */
  async takeResume(from: string, resume: ResumeManager): Promise<void> {
    const { pool, head, consortiumId, wake } = this.#ports;
    if (!pool.wantsResume(resume)) return;
    const check = checkResume(resume, head().members, consortiumId);
    if (!check.ok) return this.#ports.onDropped(from, check.error.reason);
    if (!(await this.#verify(from, [check.value]))) return;
    pool.addResume(resume);
    wake();
  }

  async onAppended(height: number, blockId: Uint8Array): Promise<void> {
    const { pool, offences } = this.#ports;
    for (const managerId of pool.onAppended(height, blockId)) {
      await offences.deleteEvidence(managerId);
    }
  }

  /** Says again what is not on the chain. */
  tick(): void {
    const { monotonicMs } = this.#ports;
    if (monotonicMs() - this.#saidAtMs < repeatMs) return;
    this.#saidAtMs = monotonicMs();
    this.#tellAll();
  }

  onPeerConnected(peer: string): void {
    this.#tellAll(peer);
  }

  #tellAll(to?: string): void {
    const { pool, tell } = this.#ports;
    for (const value of pool.evidence) tell({ case: "evidence", value }, to);
  }

  async #verify(from: string, checks: readonly SignatureCheck[]): Promise<boolean> {
    const invalid = await this.#ports.signatures.firstInvalid(checks);
    if (invalid !== undefined) this.#ports.onDropped(from, invalid.violation.reason);
    return invalid === undefined;
  }
}
