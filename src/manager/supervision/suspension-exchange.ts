/**
 * How evidence and resumes come to every manager: checked and verified when they come in, and kept
 * until they are on the chain. Evidence is passed on once, and said again each second. A resume is
 * said by its author only: whoever does not hear the author would wait for its ACCEPT in vain.
 */
import type { Evidence, ResumeManager } from "../../gen/bss/v1/genesis_pb.js";
import { checkEvidence, evidenceHeight } from "../../ledger/certificates/evidence.js";
import type { SignatureCheck } from "../../ledger/certificates/signature-check.js";
import { checkResume } from "../../ledger/members/operation-signatures.js";
import type { OffenceLog } from "../../store/offences.js";
import type { ManagerContext } from "../manager-context.js";
import type { ManagerObserver } from "../manager-observer.js";
import type { PeerSender } from "../peers/peer-sender.js";
import type { BlockTrigger } from "../ring/block-trigger.js";
import type { SuspensionPool } from "./suspension-pool.js";

type Context = Pick<ManagerContext, "consortiumId" | "head" | "signatures" | "monotonicMs"> & {
  readonly store: {
    readonly offences: Pick<OffenceLog, "saveEvidence" | "deleteEvidence" | "loadEvidence">;
  };
  readonly observer: Pick<ManagerObserver, "dropped" | "accused">;
};

export type SuspensionExchangeParts = {
  readonly pool: SuspensionPool;
  readonly peers: Pick<PeerSender, "tell">;
  readonly trigger: Pick<BlockTrigger, "check">;
};

const repeatMs = 1_000;

export class SuspensionExchange {
  readonly #context: Context;
  readonly #parts: SuspensionExchangeParts;
  #saidAtMs = 0;

  constructor(context: Context, parts: SuspensionExchangeParts) {
    this.#context = context;
    this.#parts = parts;
  }

  /** Takes up what was not on the chain when the manager stopped. */
  async restore(): Promise<void> {
    const { offences } = this.#context.store;
    const { pool } = this.#parts;
    for (const evidence of await offences.loadEvidence()) {
      if (!pool.addEvidence(evidence)) await offences.deleteEvidence(evidence.managerId);
    }
  }

  /** Takes evidence that this manager's ring has found. */
  async accuse(evidence: Evidence): Promise<void> {
    const { store, observer } = this.#context;
    const { pool, peers, trigger } = this.#parts;
    if (!pool.addEvidence(evidence)) return;
    observer.accused(evidence);
    await store.offences.saveEvidence(evidence);
    peers.tell({ case: "evidence", value: evidence });
    trigger.check();
  }

  /** Evidence from another manager. */
  async takeEvidence(from: string, evidence: Evidence): Promise<void> {
    const { head, consortiumId, observer } = this.#context;
    const { pool } = this.#parts;
    if (!pool.wantsEvidence(evidence.managerId)) return;
    const { height, members } = head();
    // Its height is not reached here yet: it comes again.
    if (evidenceHeight(evidence) > height + 1) return;
    const checks = checkEvidence(evidence, members, consortiumId, height + 1);
    if (!checks.ok) return observer.dropped(from, checks.error.reason);
    if (await this.#verify(from, checks.value)) await this.accuse(evidence);
  }

  /** A resume from its author, or whoever passes it on. */
  async takeResume(from: string, resume: ResumeManager): Promise<void> {
    const { head, consortiumId, observer } = this.#context;
    const { pool, trigger } = this.#parts;
    if (!pool.wantsResume(resume)) return;
    const check = checkResume(resume, head().members, consortiumId);
    if (!check.ok) return observer.dropped(from, check.error.reason);
    if (!(await this.#verify(from, [check.value]))) return;
    pool.addResume(resume);
    trigger.check();
  }

  async onAppended(height: number, blockId: Uint8Array): Promise<void> {
    const { offences } = this.#context.store;
    for (const managerId of this.#parts.pool.onAppended(height, blockId)) {
      await offences.deleteEvidence(managerId);
    }
  }

  /** Says again what is not on the chain. */
  tick(): void {
    const { monotonicMs } = this.#context;
    if (monotonicMs() - this.#saidAtMs < repeatMs) return;
    this.#saidAtMs = monotonicMs();
    this.#tellAll();
  }

  onPeerConnected(peer: string): void {
    this.#tellAll(peer);
  }

  #tellAll(to?: string): void {
    const { pool, peers } = this.#parts;
    for (const value of pool.evidence) peers.tell({ case: "evidence", value }, to);
  }

  async #verify(from: string, checks: readonly SignatureCheck[]): Promise<boolean> {
    const invalid = await this.#context.signatures.firstInvalid(checks);
    if (invalid !== undefined) this.#context.observer.dropped(from, invalid.violation.reason);
    return invalid === undefined;
  }
}
