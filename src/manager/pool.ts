/**
 * The pool: submissions that this manager has checked and that wait for a block, in the order of
 * their arrival. It holds no connections and reads no clock.
 *
 * A submission is *ripe*, ready to be ordered, once every other active manager has said that it
 * finds it accurate too, or once `verdictWaitMs` has passed since it came: a manager that is slow
 * or down does not hold it up, it will see it in the block. A submission leaves when each of its
 * records is settled: on the ledger, or refused.
 */
import { defined } from "../base/assert.js";
import { toHex } from "../base/bytes.js";
import { participantsInPoolMin } from "../config/limits.js";
import { submissionMemoryBytes } from "../ledger/message-sizes.js";
import type { ParsedRecord } from "../ledger/records.js";
import type { ParsedSubmission } from "../ledger/submissions.js";
import type { RuleReason } from "../ledger/violation.js";
import { CureIndex } from "./cure-index.js";

export type PoolLimits = {
  readonly submissionsMax: number;
  readonly bytesMax: number;
};

const participantShare = 1 / participantsInPoolMin;
/** Verdicts that came before their submission, remembered for it. */
const earlyVerdictsMax = 10_000;

export type WaitingSubmission = {
  readonly submission: ParsedSubmission;
  /** Record hashes, hex, that are neither on the ledger nor refused. */
  readonly unsettled: ReadonlySet<string>;
};

type Pooled = WaitingSubmission & {
  /** Taken in here, so this manager relays it. */
  readonly own: boolean;
  readonly arrivedMs: number;
  readonly byteCount: number;
  readonly verdicts: Set<string>;
  readonly unsettled: Set<string>;
};

/** What one participant has in the pool. */
type Held = { readonly submissions: number; readonly bytes: number };

/** A record that is unsettled, with everything that brings it. */
type PendingRecord = { readonly record: ParsedRecord; readonly holders: Set<Pooled> };

export type PoolOptions = {
  readonly limits: PoolLimits;
  readonly verdictWaitMs: number;
};

export class Pool {
  readonly #options: PoolOptions;
  readonly #byId = new Map<string, Pooled>();
  readonly #byRecord = new Map<string, PendingRecord>();
  /** Of the records that are unsettled. */
  readonly #cures = new CureIndex();
  readonly #heldBy = new Map<string, Held>();
  readonly #earlyVerdicts = new Map<string, Set<string>>();
  #byteCount = 0;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  get submissionCount(): number {
    return this.#byId.size;
  }

  get recordCount(): number {
    return this.#byRecord.size;
  }

  get byteCount(): number {
    return this.#byteCount;
  }

  has(idHex: string): boolean {
    return this.#byId.has(idHex);
  }

  /** The submissions that were taken in here and are not settled. */
  own(): readonly ParsedSubmission[] {
    return [...this.#byId.values()].filter(({ own }) => own).map(({ submission }) => submission);
  }

  /** A submission that waits, and the hashes in hex of its records that are unsettled. */
  waiting(idHex: string): WaitingSubmission | undefined {
    return this.#byId.get(idHex);
  }

  /**
   * Whether a record that breaks a rule on the ledger may keep it once others that wait are there:
   * its parent, or readings of the energy that it trades. These do not wait for it in turn, so a
   * record is not kept for ever.
   */
  mayCure(record: ParsedRecord, reason: RuleReason): boolean {
    return this.#cures.cures(record, reason);
  }

  /** Whether a record that comes should be tried in a block, as something here might cure it. */
  mightCure(record: ParsedRecord, reason: RuleReason): boolean {
    return this.#cures.mightCure(record, reason);
  }

  /** Adds a submission of which `unsettled` records are to be ordered; "full" past a limit. */
  add(
    submission: ParsedSubmission,
    options: {
      readonly own: boolean;
      readonly nowMs: number;
      readonly unsettled: readonly string[];
    },
  ): "added" | "known" | "full" {
    const known = this.#byId.get(submission.idHex);
    if (known !== undefined) {
      this.#takeUp(known, options.unsettled);
      return "known";
    }
    const { limits } = this.#options;
    const byteCount = sizeOf(submission);
    const held = this.#heldBy.get(submission.participantId) ?? { submissions: 0, bytes: 0 };
    if (
      this.#byId.size >= limits.submissionsMax ||
      this.#byteCount + byteCount > limits.bytesMax ||
      held.submissions >= limits.submissionsMax * participantShare ||
      held.bytes + byteCount > limits.bytesMax * participantShare
    ) {
      return "full";
    }
    const pooled: Pooled = {
      submission,
      own: options.own,
      arrivedMs: options.nowMs,
      byteCount,
      verdicts: this.#earlyVerdicts.get(submission.idHex) ?? new Set(),
      unsettled: new Set(options.unsettled),
    };
    this.#earlyVerdicts.delete(submission.idHex);
    this.#byId.set(submission.idHex, pooled);
    for (const record of submission.records) this.#hold(record, pooled);
    this.#byteCount += byteCount;
    this.#heldBy.set(submission.participantId, {
      submissions: held.submissions + 1,
      bytes: held.bytes + byteCount,
    });
    return "added";
  }

  /** `managerId` finds a submission accurate; it may say so before the submission is here. */
  verdict(managerId: string, submissionId: Uint8Array): void {
    const idHex = toHex(submissionId);
    const pooled = this.#byId.get(idHex);
    if (pooled !== undefined) {
      pooled.verdicts.add(managerId);
      return;
    }
    const early = this.#earlyVerdicts.get(idHex) ?? new Set();
    this.#earlyVerdicts.set(idHex, early.add(managerId));
    for (const oldest of this.#earlyVerdicts.keys()) {
      if (this.#earlyVerdicts.size <= earlyVerdictsMax) break;
      this.#earlyVerdicts.delete(oldest);
    }
  }

  /**
   * Ripe submissions with up to `recordsMax` records in all, in the order of arrival, those that
   * were postponed last. `awaited` are the other active managers.
   */
  ripe(nowMs: number, awaited: readonly string[], recordsMax: number): readonly ParsedSubmission[] {
    const found: ParsedSubmission[] = [];
    let records = 0;
    for (const pooled of this.#byId.values()) {
      if (!this.#isRipe(pooled, nowMs, awaited)) continue;
      found.push(pooled.submission);
      records += pooled.unsettled.size;
      if (records >= recordsMax) break;
    }
    return found;
  }

  /**
   * Puts a submission behind all others: it was tried in vain, and what it waits for may be among
   * those that have not been tried.
   */
  postpone(idHex: string): void {
    const pooled = this.#byId.get(idHex);
    if (pooled === undefined) return;
    this.#byId.delete(idHex);
    this.#byId.set(idHex, pooled);
  }

  /** Records of pooled submissions that must not be ordered again: settled ones. */
  settledOf(submissions: readonly ParsedSubmission[]): ReadonlySet<string> {
    const settled = new Set<string>();
    for (const submission of submissions) {
      const unsettled = this.#byId.get(submission.idHex)?.unsettled;
      for (const { hashHex } of submission.records) {
        if (unsettled?.has(hashHex) !== true) settled.add(hashHex);
      }
    }
    return settled;
  }

  /**
   * These records are on the ledger or refused. Returns the ids of submissions that left with them.
   */
  settle(recordHexes: Iterable<string>): readonly Uint8Array[] {
    const left: Uint8Array[] = [];
    for (const hash of recordHexes) {
      const pending = this.#byRecord.get(hash);
      if (pending === undefined) continue;
      for (const pooled of pending.holders) {
        pooled.unsettled.delete(hash);
        if (pooled.unsettled.size > 0) continue;
        this.#remove(pooled);
        left.push(pooled.submission.id);
      }
      this.#byRecord.delete(hash);
      this.#cures.remove(pending.record);
    }
    return left;
  }

  /** What was refused of a submission that waits still, and is accurate by now. */
  #takeUp(pooled: Pooled, unsettled: readonly string[]): void {
    for (const hash of unsettled) pooled.unsettled.add(hash);
    for (const record of pooled.submission.records) this.#hold(record, pooled);
  }

  #hold(record: ParsedRecord, pooled: Pooled): void {
    if (!pooled.unsettled.has(record.hashHex)) return;
    const known = this.#byRecord.get(record.hashHex);
    if (known === undefined) {
      this.#byRecord.set(record.hashHex, { record, holders: new Set([pooled]) });
      this.#cures.add(record);
    } else {
      known.holders.add(pooled);
    }
  }

  #isRipe(pooled: Pooled, nowMs: number, awaited: readonly string[]): boolean {
    if (nowMs - pooled.arrivedMs >= this.#options.verdictWaitMs) return true;
    return awaited.every((managerId) => pooled.verdicts.has(managerId));
  }

  #remove({ submission, byteCount }: Pooled): void {
    this.#byId.delete(submission.idHex);
    this.#byteCount -= byteCount;
    const { submissions, bytes } = defined(
      this.#heldBy.get(submission.participantId),
      "whose submission is in the pool holds something",
    );
    const rest = { submissions: submissions - 1, bytes: bytes - byteCount };
    if (rest.submissions > 0) this.#heldBy.set(submission.participantId, rest);
    else this.#heldBy.delete(submission.participantId);
  }
}

/** What a submission takes in memory, roughly. */
function sizeOf({ headerBytes, records }: ParsedSubmission): number {
  const byteCount = records.reduce((sum, { bytes }) => sum + bytes.length, headerBytes.length);
  return submissionMemoryBytes(byteCount, records.length);
}
