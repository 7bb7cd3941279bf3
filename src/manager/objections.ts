/**
 * Objections (docs/protocol.md §4.7): what this manager says about records that break a rule, and
 * what it makes of the same from others.
 *
 *     take ─▶ shape, author, signature ─▶ this ledger is at its height? ─ not yet ─▶ waits
 *                                                   │
 *        the submission's turn: all its records that somebody objects to, one read of the state
 *                                                   │
 *                 a record breaks a rule here too ─▶ refused, if nothing that waits cures it
 *                 it keeps every rule, at exactly this height, and the reason is a lasting
 *                 one ─▶ a false objection, kept and counted against its author
 *
 * Nobody believes an objection, and nobody is blamed for one that could have been true where it was
 * made: another clock, other records in the block, a ledger that has gone on.
 *
 * Submissions are looked into one after the other, outside of the ring's turns and with a pause
 * after each, and a record once at each height, however many object to it: so what objections cost
 * grows with what was sent, and no vote waits for it.
 */
import { create } from "@bufbuild/protobuf";
import { emptyBytes, toHex } from "../base/bytes.js";
import { type Objection, ObjectionSchema } from "../gen/bss/v1/broadcast_pb.js";
import { checkObjection, lastingReasons, objectionDigest } from "../ledger/objections.js";
import type { ParsedRecord } from "../ledger/records.js";
import type { ParsedSubmission } from "../ledger/submissions.js";
import type { RuleReason, Violation } from "../ledger/violation.js";
import type { DropReason } from "../metrics/label-values.js";
import type { Pool } from "./pool.js";
import { type RecordRefusal, type ScreeningPorts, violationsNow } from "./screening.js";

export type ObjectionsPorts = ScreeningPorts & {
  readonly selfId: string;
  /** 32 bytes. */
  readonly consortiumId: Uint8Array;
  readonly pool: Pick<Pool, "waiting" | "mayCure">;
  /** False while others are known to be further, and before they were heard. */
  readonly atTip: () => boolean;
  /** Signs a 32-byte digest with this manager's key; undefined while that is not possible. */
  readonly sign: (digest: Uint8Array) => Promise<Uint8Array | undefined>;
  /** Keeps a false objection durably; false when it is known. */
  readonly keepFalseObjection: (objection: Objection) => Promise<boolean>;
  readonly onDropped: (from: string, what: DropReason) => void;
  /** Work that nobody waits for; if it fails, so does the manager. */
  readonly follow: (work: Promise<void>) => void;
};

export type ObjectionsOptions = {
  /** Records that wait break rules on the ledger of `height`, and nothing that waits cures them. */
  readonly refuse: (
    submission: ParsedSubmission,
    refusals: readonly RecordRefusal[],
    height: number,
  ) => Promise<void>;
  readonly observe: {
    objection(rule: RuleReason): void;
    falseObjection(objection: Objection): void;
  };
};

/** Objections that wait to be looked into, shared among all managers. */
const waitingMax = 10_000;
/** How far beyond this manager's height they may be; more than one behind is catching up anyway. */
const heightsAheadMax = 16n;
/** Whoever has made so many false objections at one height is not heard there any more. */
const falsePerHeightMax = 16;
/** Looks at a record while blocks come; whoever orders it next objects again. */
const attemptsMax = 3;
/** Signatures that are made before others have their turn. */
const signaturesAtOnce = 50;

export class Objections {
  readonly #ports: ObjectionsPorts;
  readonly #options: ObjectionsOptions;
  /** By author, then submission and record. */
  readonly #waiting = new Map<string, Map<string, Objection>>();
  /** Submissions, ids in hex, some of whose objections are due, in the order of their turns. */
  readonly #due = new Set<string>();
  #isWorking = false;
  #work: Promise<void> = Promise.resolve();
  /** What follows is of the ledger of this height alone. */
  #lookedAtHeight = 0;
  /** Records that were found to keep every rule, with their submission. */
  readonly #accurate = new Set<string>();
  readonly #falseByAuthor = new Map<string, number>();

  constructor(ports: ObjectionsPorts, options: ObjectionsOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  /**
   * This manager's own, signed: the records break rules on the ledger of `height`. While it cannot
   * be signed its signature is empty, and it is for this manager's own callers only.
   */
  async raise(
    submission: Pick<ParsedSubmission, "id">,
    refusals: readonly RecordRefusal[],
    height: number,
  ): Promise<readonly Objection[]> {
    const objections: Objection[] = [];
    const pause = this.#ports.pauses();
    for (const [i, { record, violation }] of refusals.entries()) {
      if (i > 0 && i % signaturesAtOnce === 0) await pause();
      objections.push(await this.#raiseOne(submission, record, { ...violation, height }));
    }
    return objections;
  }

  async #raiseOne(
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

  /** Whether this manager has objected to the record, and that waits to be looked into. */
  hasRaised(submission: ParsedSubmission, record: ParsedRecord): boolean {
    const own = this.#waiting.get(this.#ports.selfId);
    return own?.has(placeIn(submission.idHex, record.hashHex)) === true;
  }

  /** Another manager's, whoever passes it on. */
  async take(from: string, objection: Objection): Promise<void> {
    const { consortiumId, selfId, signatures, onDropped } = this.#ports;
    const { members, height } = this.#ports.head();
    const check = checkObjection(objection, members, consortiumId);
    if (!check.ok) return onDropped(from, check.error.reason);
    const { managerId } = objection;
    if (managerId === selfId || this.#falseHere(managerId) >= falsePerHeightMax) return;
    if (objection.height > BigInt(height) + heightsAheadMax) return;
    if (!this.#isNews(objection)) return;
    const invalid = await signatures.firstInvalid([check.value]);
    if (invalid !== undefined) return onDropped(from, invalid.violation.reason);
    this.consider(objection);
  }

  /** Has an objection looked into whose author is sure, once this ledger is at its height. */
  consider(objection: Objection): void {
    if (!this.#isNews(objection)) return;
    const { managerId } = objection;
    const ofAuthor = this.#waiting.get(managerId) ?? new Map<string, Objection>();
    const place = placeOf(objection);
    if (!ofAuthor.has(place) && ofAuthor.size >= this.#share()) return;
    this.#waiting.set(managerId, ofAuthor.set(place, objection));
    if (objection.height > BigInt(this.#ports.head().height)) return;
    this.#due.add(toHex(objection.submissionId));
    this.#startWork();
  }

  /** This ledger has grown by one block. */
  onAppended(): void {
    const head = BigInt(this.#ports.head().height);
    for (const [managerId, ofAuthor] of this.#waiting) {
      for (const [place, objection] of ofAuthor) {
        if (!this.#isUnsettled(objection)) ofAuthor.delete(place);
        else if (objection.height <= head) this.#due.add(toHex(objection.submissionId));
      }
      if (ofAuthor.size === 0) this.#waiting.delete(managerId);
    }
    this.#startWork();
  }

  /** Resolves when everything that was due has been looked into. */
  async idle(): Promise<void> {
    while (this.#isWorking) await this.#work;
  }

  #startWork(): void {
    if (this.#isWorking || this.#due.size === 0) return;
    this.#isWorking = true;
    this.#work = this.#lookIntoAll();
    this.#ports.follow(this.#work);
  }

  async #lookIntoAll(): Promise<void> {
    const pause = this.#ports.pauses();
    try {
      // What becomes due meanwhile is added to the end.
      for (const idHex of this.#due) {
        this.#due.delete(idHex);
        await this.#review(idHex, this.#takeDue(idHex));
        await pause();
      }
    } finally {
      this.#isWorking = false;
    }
  }

  /** The objections to records of a submission whose height this ledger has reached. */
  #takeDue(idHex: string): readonly Objection[] {
    const { height } = this.#ports.head();
    const due: Objection[] = [];
    const waiting = this.#ports.pool.waiting(idHex);
    for (const ofAuthor of this.#waiting.values()) {
      for (const recordHex of waiting?.unsettled ?? []) {
        const place = placeIn(idHex, recordHex);
        const objection = ofAuthor.get(place);
        if (objection === undefined || objection.height > BigInt(height)) continue;
        ofAuthor.delete(place);
        due.push(objection);
      }
    }
    return due;
  }

  /**
   * Refuses waiting records that break a rule on the ledger as it stands if nothing that waits may
   * change that. Without the second, an objection at the right moment would throw out a trade whose
   * reading is on its way. A manager that is behind refuses nothing: what is missing here may be in
   * a block that everybody else has. The records wait; whoever orders them next leaves them out.
   */
  async #review(idHex: string, due: readonly Objection[]): Promise<void> {
    const { pool, atTip } = this.#ports;
    const waiting = pool.waiting(idHex);
    if (waiting === undefined || due.length === 0 || !atTip()) return;
    const { submission } = waiting;
    const named = new Set(due.map(({ recordHash }) => toHex(recordHash)));
    const unknown = submission.records.filter(({ hashHex }) => {
      return named.has(hashHex) && !this.#isAccurate(placeIn(idHex, hashHex));
    });
    if (unknown.length > 0) await this.#lookInto(submission, unknown);
    for (const objection of due) {
      if (this.#isAccurate(placeOf(objection))) await this.#blame(objection);
    }
  }

  async #lookInto(
    submission: ParsedSubmission,
    records: readonly ParsedRecord[],
    attempt = 1,
  ): Promise<void> {
    const { pool, head } = this.#ports;
    const { height, broken } = await violationsNow(submission, records, this.#ports);
    if (head().height !== height) {
      // A block has come meanwhile, and what was pending may be in it.
      if (attempt < attemptsMax) await this.#lookInto(submission, records, attempt + 1);
      return;
    }
    const refusals: RecordRefusal[] = [];
    for (const record of records) {
      const violation = broken.get(record);
      if (violation === undefined) {
        this.#noteAccurate(placeIn(submission.idHex, record.hashHex));
        continue;
      }
      const { reason } = violation;
      if (reason === "RECORD_ON_LEDGER" || pool.mayCure(record, reason)) continue;
      refusals.push({ record, violation });
    }
    if (refusals.length > 0) await this.#options.refuse(submission, refusals, height);
  }

  /** The record keeps every rule on the ledger of this moment. */
  async #blame(objection: Objection): Promise<void> {
    const { managerId, reason } = objection;
    if (managerId === this.#ports.selfId) return;
    if (objection.height !== BigInt(this.#ports.head().height)) return;
    if (!lastingReasons.has(reason as RuleReason)) return;
    if (this.#falseHere(managerId) >= falsePerHeightMax) return;
    this.#falseByAuthor.set(managerId, this.#falseHere(managerId) + 1);
    if (!(await this.#ports.keepFalseObjection(objection))) return;
    this.#options.observe.falseObjection(objection);
  }

  /** Whether there is anything to find out: not if its author says it again, or later. */
  #isNews(objection: Objection): boolean {
    const earlier = this.#waiting.get(objection.managerId)?.get(placeOf(objection));
    // The earliest counts, so that a later one cannot put it off.
    if (earlier !== undefined && earlier.height <= objection.height) return false;
    return this.#isUnsettled(objection);
  }

  #isUnsettled({ submissionId, recordHash }: Objection): boolean {
    const waiting = this.#ports.pool.waiting(toHex(submissionId));
    return waiting?.unsettled.has(toHex(recordHash)) === true;
  }

  #isAccurate(place: string): boolean {
    this.#forgetOtherHeights();
    return this.#accurate.has(place);
  }

  #noteAccurate(place: string): void {
    this.#forgetOtherHeights();
    if (this.#accurate.size < waitingMax) this.#accurate.add(place);
  }

  /** How many false objections of this author were found at the height of this moment. */
  #falseHere(managerId: string): number {
    this.#forgetOtherHeights();
    return this.#falseByAuthor.get(managerId) ?? 0;
  }

  #forgetOtherHeights(): void {
    const { height } = this.#ports.head();
    if (this.#lookedAtHeight === height) return;
    this.#lookedAtHeight = height;
    this.#falseByAuthor.clear();
    this.#accurate.clear();
  }

  #share(): number {
    return Math.ceil(waitingMax / this.#ports.head().members.managers.length);
  }
}

function placeOf({ submissionId, recordHash }: Objection): string {
  return placeIn(toHex(submissionId), toHex(recordHash));
}

/** Names a record as a part of a submission; both in hex. */
function placeIn(submissionHex: string, recordHex: string): string {
  return `${submissionHex}/${recordHex}`;
}
