/**
 * Objections (docs/protocol.md §4.7): what this manager says about records that break a rule, and
 * what it makes of the same from others.
 *
 *     take ─▶ shape, author, signature ─▶ this ledger is at its height? ─ not yet ─▶ waits
 *                                                   │
 *                       the record breaks a rule here too ─▶ refused, if nothing that waits cures it
 *                       it keeps every rule, at exactly this height, and the reason is a lasting
 *                       one ─▶ a false objection, kept and counted against its author
 *
 * Nobody believes an objection, and nobody is blamed for one that could have been true where it was
 * made: another clock, other records in the block, a ledger that has gone on.
 */
import { create } from "@bufbuild/protobuf";
import { emptyBytes, toHex } from "../base/bytes.js";
import { type Objection, ObjectionSchema } from "../gen/bss/v1/broadcast_pb.js";
import { checkObjection, lastingReasons, objectionDigest } from "../ledger/objections.js";
import type { ParsedRecord } from "../ledger/records.js";
import type { ParsedSubmission } from "../ledger/submissions.js";
import type { RuleReason, Violation } from "../ledger/violation.js";
import type { Pool } from "./pool.js";
import { type ScreeningPorts, violationNow } from "./screening.js";

export type ObjectionsPorts = ScreeningPorts & {
  readonly selfId: string;
  /** 32 bytes. */
  readonly consortiumId: Uint8Array;
  readonly pool: Pick<Pool, "unsettled" | "mayCure">;
  /** False while others are known to be further, and before they were heard. */
  readonly atTip: () => boolean;
  /** Signs a 32-byte digest with this manager's key; undefined while that is not possible. */
  readonly sign: (digest: Uint8Array) => Promise<Uint8Array | undefined>;
  /** Keeps a false objection durably; false when it is known. */
  readonly keepFalseObjection: (objection: Objection) => Promise<boolean>;
  readonly onDropped: (from: string, what: string) => void;
};

export type ObjectionsOptions = {
  /** A record that waits breaks a rule on this ledger, as `objection` of this manager says. */
  readonly refuse: (recordHex: string, objection: Objection) => Promise<void>;
  readonly observe: {
    objection(rule: string): void;
    falseObjection(objection: Objection): void;
  };
};

/** Objections that wait for this manager to reach their height, shared among all managers. */
const waitingMax = 10_000;
/** How far beyond this manager's height they may be; more than one behind is catching up anyway. */
const heightsAheadMax = 16n;
/** Whoever has made so many false objections at one height is not heard there any more. */
const falsePerHeightMax = 16;

export class Objections {
  readonly #ports: ObjectionsPorts;
  readonly #options: ObjectionsOptions;
  /** By author, then record in hex. */
  readonly #waiting = new Map<string, Map<string, Objection>>();
  /** By author, of the height after which `#falseAtHeight` counts. */
  readonly #falseByAuthor = new Map<string, number>();
  #falseAtHeight = 0;

  constructor(ports: ObjectionsPorts, options: ObjectionsOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  /**
   * This manager's own, signed: the record breaks a rule on the ledger of `height`. While it cannot
   * be signed its signature is empty, and it is for this manager's own callers only.
   */
  async raise(
    submission: Pick<ParsedSubmission, "id">,
    record: ParsedRecord,
    broken: Violation & { readonly height: number },
  ): Promise<Objection> {
    const { consortiumId, selfId: managerId, sign } = this.#ports;
    const { reason, message, field = "" } = broken;
    const claim = {
      ...{ submissionId: submission.id, recordHash: record.hash, reason },
      height: BigInt(broken.height),
    };
    const signature = (await sign(objectionDigest({ consortiumId, ...claim }))) ?? emptyBytes;
    this.#options.observe.objection(reason);
    return create(ObjectionSchema, { ...claim, message, field, managerId, signature });
  }

  /** Another manager's, whoever passes it on. */
  async take(from: string, objection: Objection): Promise<void> {
    const { consortiumId, selfId, pool, signatures, onDropped } = this.#ports;
    const { members, height } = this.#ports.head();
    const check = checkObjection(objection, members, consortiumId);
    if (!check.ok) return onDropped(from, check.error.reason);
    const { managerId } = objection;
    if (managerId === selfId || this.#falseHere(managerId) >= falsePerHeightMax) return;
    if (objection.height > BigInt(height) + heightsAheadMax) return;
    if (pool.unsettled(toHex(objection.submissionId), toHex(objection.recordHash)) === undefined) {
      return;
    }
    const invalid = await signatures.firstInvalid([check.value]);
    if (invalid !== undefined) return onDropped(from, invalid.violation.reason);
    await this.consider(objection);
  }

  /** Looks into an objection whose author is sure, now or once this ledger is at its height. */
  async consider(objection: Objection): Promise<void> {
    if (objection.height <= BigInt(this.#ports.head().height)) return this.#review(objection);
    const { managerId } = objection;
    const recordHex = toHex(objection.recordHash);
    const ofAuthor = this.#waiting.get(managerId) ?? new Map<string, Objection>();
    const earlier = ofAuthor.get(recordHex);
    // The earliest counts, so that a later one cannot put it off.
    if (earlier !== undefined && earlier.height <= objection.height) return;
    if (earlier === undefined && ofAuthor.size >= this.#share()) return;
    this.#waiting.set(managerId, ofAuthor.set(recordHex, objection));
  }

  /** This ledger has grown by one block. */
  async onAppended(): Promise<void> {
    const head = BigInt(this.#ports.head().height);
    for (const [managerId, ofAuthor] of this.#waiting) {
      for (const [recordHex, objection] of ofAuthor) {
        const { submissionId, height } = objection;
        const waits = this.#ports.pool.unsettled(toHex(submissionId), recordHex) !== undefined;
        if (waits && height > head) continue;
        ofAuthor.delete(recordHex);
        if (waits) await this.#review(objection);
      }
      if (ofAuthor.size === 0) this.#waiting.delete(managerId);
    }
  }

  /**
   * Refuses a waiting record if it breaks a rule on the ledger as it stands and nothing that waits
   * may change that. Without the second, an objection at the right moment would throw out a trade
   * whose reading is on its way. A manager that is behind refuses nothing: what is missing here may
   * be in a block that everybody else has. The record waits; whoever orders it next leaves it out.
   */
  async #review(objection: Objection): Promise<void> {
    const { pool, atTip } = this.#ports;
    if (!atTip()) return;
    const recordHex = toHex(objection.recordHash);
    const submission = pool.unsettled(toHex(objection.submissionId), recordHex);
    const record = submission?.records.find(({ hashHex }) => hashHex === recordHex);
    if (submission === undefined || record === undefined) return;
    const { height } = this.#ports.head();
    const broken = await violationNow(submission, record, this.#ports);
    if (broken === undefined) return this.#blame(objection, height);
    if (broken.reason === "RECORD_ON_LEDGER" || pool.mayCure(record, broken.reason)) return;
    const own = await this.raise(submission, record, { ...broken, height });
    await this.#options.refuse(recordHex, own);
  }

  /** The record keeps every rule on the ledger of `height`. */
  async #blame(objection: Objection, height: number): Promise<void> {
    const { managerId, reason } = objection;
    if (managerId === this.#ports.selfId) return;
    if (objection.height !== BigInt(height) || this.#ports.head().height !== height) return;
    if (!lastingReasons.has(reason as RuleReason)) return;
    if (this.#falseHere(managerId) >= falsePerHeightMax) return;
    this.#falseByAuthor.set(managerId, this.#falseHere(managerId) + 1);
    if (!(await this.#ports.keepFalseObjection(objection))) return;
    this.#options.observe.falseObjection(objection);
  }

  /** How many false objections of this author were found at the height of this moment. */
  #falseHere(managerId: string): number {
    const { height } = this.#ports.head();
    if (this.#falseAtHeight !== height) this.#falseByAuthor.clear();
    this.#falseAtHeight = height;
    return this.#falseByAuthor.get(managerId) ?? 0;
  }

  #share(): number {
    return Math.ceil(waitingMax / this.#ports.head().members.managers.length);
  }
}
