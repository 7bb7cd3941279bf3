/** A plain pool: what waits for a block, in the order of arrival, until it is settled. */
import type { ParsedSubmission } from "../../src/ledger/submissions.js";
import type { RuleReason, Violation } from "../../src/ledger/violation.js";

type Pooled = { readonly submission: ParsedSubmission; readonly unsettled: Set<string> };

/** Times that a record may be refused for what another record may cure, before it is given back. */
const refusalsMax = 3;

/** Refusals that another record may cure. */
const curable: ReadonlySet<RuleReason> = new Set([
  "PARENT_UNKNOWN",
  "DOUBLE_SPEND",
  "OVER_PURCHASE",
  "EXPORT_BELOW_SOLD",
  "IMPORT_BELOW_BOUGHT",
]);

export class SimulatedPool {
  readonly #byId = new Map<string, Pooled>();
  /** Record hash in hex → sizes of the log on which it was refused for what may yet be cured. */
  readonly #refusedAt = new Map<string, Set<number>>();

  /** False when it is known. */
  add(submission: ParsedSubmission): boolean {
    if (this.#byId.has(submission.idHex)) return false;
    const unsettled = new Set(submission.records.map(({ hashHex }) => hashHex));
    this.#byId.set(submission.idHex, { submission, unsettled });
    return true;
  }

  has(idHex: string): boolean {
    return this.#byId.has(idHex);
  }

  submissions(): readonly ParsedSubmission[] {
    return [...this.#byId.values()].map(({ submission }) => submission);
  }

  /** Whether there is a record that was not refused on a log of this size. */
  hasWork(treeSize: number): boolean {
    for (const { unsettled } of this.#byId.values()) {
      for (const hash of unsettled) if (!this.wasRefused(hash, treeSize)) return true;
    }
    return false;
  }

  /** These records are on the ledger or refused for good. Returns the submissions that left. */
  settle(hashes: Iterable<string>): readonly string[] {
    const settled = new Set(hashes);
    const left: string[] = [];
    for (const [id, { unsettled }] of this.#byId) {
      for (const hash of unsettled) if (settled.has(hash)) unsettled.delete(hash);
      if (unsettled.size > 0) continue;
      this.#byId.delete(id);
      left.push(id);
    }
    return left;
  }

  /** The submission of a record that waits. */
  holding(hashHex: string): ParsedSubmission | undefined {
    for (const { submission, unsettled } of this.#byId.values()) {
      if (unsettled.has(hashHex)) return submission;
    }
    return undefined;
  }

  /** Whether a record was refused on a log of `treeSize` records. */
  wasRefused(hashHex: string, treeSize: number): boolean {
    return this.#refusedAt.get(hashHex)?.has(treeSize) === true;
  }

  /**
   * A record breaks a rule on a log of `treeSize` records. True when it is to be given back: it
   * was refused too often, or nothing can cure it.
   */
  refuse(hashHex: string, { reason }: Violation, treeSize: number): boolean {
    const refusedAt = this.#refusedAt.get(hashHex) ?? new Set();
    this.#refusedAt.set(hashHex, refusedAt.add(treeSize));
    return !curable.has(reason) || refusedAt.size >= refusalsMax;
  }
}
