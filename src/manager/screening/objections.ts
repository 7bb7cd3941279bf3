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
import { toHex } from "../../base/bytes.js";
import {
  type Objection,
  ObjectionSchema,
  type ObjectionSignature,
  ObjectionSignatureSchema,
  type SignedObjections,
  SignedObjectionsSchema,
} from "../../gen/bss/v1/broadcast_pb.js";
import type { BlockFacts } from "../../ledger/blocks/block-facts.js";
import type { RecordObjection } from "../../ledger/blocks/block-filling.js";
import {
  checkObjections,
  lastingReasons,
  objectionsDigest,
  objectionsRoot,
  provenObjection,
} from "../../ledger/certificates/objections.js";
import type { ParsedRecord } from "../../ledger/records/records.js";
import { reasonsOfOrder } from "../../ledger/records/rules.js";
import type { ParsedSubmission } from "../../ledger/records/submissions.js";
import type { RuleReason } from "../../ledger/violation.js";
import type { FalseObjections } from "../../store/offences.js";
import type { BackgroundWork } from "../background-work.js";
import type { ManagerContext } from "../manager-context.js";
import type { ManagerObserver } from "../manager-observer.js";
import type { Pool } from "../pool/pool.js";
import type { Abstention } from "../ring/abstention.js";
import type { StatementLog } from "../signing/statement-log.js";
import { type RecordRefusal, type ScreeningContext, violationsNow } from "./screening.js";

type Context = ScreeningContext &
  Pick<ManagerContext, "selfId" | "consortiumId"> & {
    readonly store: { readonly falseObjections: Pick<FalseObjections, "add"> };
    readonly observer: Pick<ManagerObserver, "dropped" | "objection" | "falseObjection">;
  };

export type ObjectionsParts = {
  readonly pool: Pick<Pool, "waiting" | "mayCure">;
  readonly abstention: Pick<Abstention, "atTip">;
  readonly statements: Pick<StatementLog, "sign">;
  readonly background: Pick<BackgroundWork, "follow">;
  /** Records that wait break rules on the ledger of `height`, and nothing that waits cures them. */
  readonly refuse: (
    submission: ParsedSubmission,
    refusals: readonly RecordRefusal[],
    height: number,
  ) => Promise<void>;
};

/** One objection, with those that were signed with it. */
type Claim = {
  readonly objection: Objection;
  readonly index: number;
  readonly signed: SignedObjections;
  readonly managerId: string;
  readonly submissionHex: string;
  /** Names the record as a part of the submission. */
  readonly place: string;
};

/** Objections that are held until they are looked into, shared among all managers. */
const waitingMax = 10_000;
/** How far beyond this manager's height they may be; more than one behind is catching up anyway. */
const heightsAheadMax = 16n;
/** After this many false objections at one height a manager is not heard there any more. */
const falsePerHeightMax = 16;
/** Looks at a record while blocks come; whoever orders it next objects again. */
const attemptsMax = 3;

export class Objections {
  readonly #context: Context;
  readonly #parts: ObjectionsParts;
  /** By author, then submission and record. */
  readonly #waiting = new Map<string, ClaimsOfAuthor>();
  /** Submissions, ids in hex, some of whose objections are due, in the order of their turns. */
  readonly #due = new Set<string>();
  #isWorking = false;
  #work: Promise<void> = Promise.resolve();
  /** What follows is of the ledger of this height alone. */
  #lookedAtHeight = 0;
  /** Records that were found to keep every rule, with their submission. */
  readonly #accurate = new Set<string>();
  readonly #falseByAuthor = new Map<string, number>();

  constructor(context: Context, parts: ObjectionsParts) {
    this.#context = context;
    this.#parts = parts;
  }

  /** This manager's own: the records break rules on the ledger of `height`. */
  ofRefusals(refusals: readonly RecordRefusal[], height: number): readonly Objection[] {
    return refusals.map(({ record, violation: { reason, message, field = "" } }) => {
      this.#context.observer.objection(reason);
      const claim = { recordHash: record.hash, reason, height: BigInt(height) };
      return create(ObjectionSchema, { ...claim, message, field });
    });
  }

  /**
   * This manager's own, to records that it left out of a block that it made. What order decides is
   * judged when the height is decided: others may have done so already, with what the record needs.
   * Without records the block itself has changed nothing else.
   */
  ofBlock(
    refusals: readonly RecordRefusal[],
    { height, leafCount }: Pick<BlockFacts, "height" | "leafCount">,
  ): readonly Objection[] {
    const isOfOrder = ({ violation: { reason } }: RecordRefusal) =>
      leafCount > 0 || reasonsOfOrder.has(reason);
    const lasting = refusals.filter((each) => !isOfOrder(each));
    return [
      ...this.ofRefusals(refusals.filter(isOfOrder), height),
      ...this.ofRefusals(lasting, height - 1),
    ];
  }

  /** One signature for all of them; undefined for none, and while nothing can be signed. */
  async signatureOver(
    { id: submissionId }: Pick<ParsedSubmission, "id">,
    objections: readonly Objection[],
  ): Promise<ObjectionSignature | undefined> {
    if (objections.length === 0) return undefined;
    const { consortiumId, selfId: managerId, head } = this.#context;
    const [count, root] = [objections.length, objectionsRoot(objections)];
    const digest = objectionsDigest({ consortiumId, submissionId, count, root });
    const signature = await this.#parts.statements.sign("objection", head().height, digest);
    if (signature === undefined) return undefined;
    return create(ObjectionSignatureSchema, { submissionId, managerId, signature });
  }

  async signed(
    submission: Pick<ParsedSubmission, "id">,
    objections: readonly Objection[],
  ): Promise<SignedObjections | undefined> {
    const signature = await this.signatureOver(submission, objections);
    if (signature === undefined) return undefined;
    return create(SignedObjectionsSchema, { objections: [...objections], signature });
  }

  /** Whether this manager has objected to the record, and that waits to be looked into. */
  hasRaised(submission: ParsedSubmission, record: ParsedRecord): boolean {
    const own = this.#waiting.get(this.#context.selfId);
    return own?.has(placeIn(submission.idHex, record.hashHex)) === true;
  }

  /** Another manager's, whoever passes them on. */
  async take(from: string, signed: SignedObjections): Promise<void> {
    const { consortiumId, selfId, signatures, observer } = this.#context;
    // A manager that was behind may have caught up without a word.
    this.#startWork();
    const checked = checkObjections(signed, this.#context.head().members, consortiumId);
    if (!checked.ok) return observer.dropped(from, checked.error.reason);
    const managerId = signed.signature?.managerId ?? "";
    if (managerId === selfId || this.#falseHere(managerId) >= falsePerHeightMax) return;
    const isNear = ({ objection: { height } }: Claim) =>
      height <= BigInt(this.#context.head().height) + heightsAheadMax;
    const news = claimsOf(signed).filter((each) => isNear(each) && this.#isNews(each));
    if (news.length === 0) return;
    const invalid = await signatures.firstInvalid([checked.value.check()]);
    if (invalid !== undefined) return observer.dropped(from, invalid.violation.reason);
    for (const claim of claimsOf(withoutTexts(signed))) if (isNear(claim)) this.#consider(claim);
  }

  /** Has objections looked into whose author is sure, once this ledger is at their heights. */
  consider(signed: SignedObjections): void {
    for (const claim of claimsOf(signed)) this.#consider(claim);
  }

  #consider(claim: Claim): void {
    if (!this.#isNews(claim)) return;
    const { managerId, submissionHex, objection } = claim;
    const ofAuthor = this.#waiting.get(managerId) ?? new ClaimsOfAuthor();
    if (!ofAuthor.add(claim, this.#share())) return;
    this.#waiting.set(managerId, ofAuthor);
    if (objection.height > BigInt(this.#context.head().height)) return;
    this.#due.add(submissionHex);
    this.#startWork();
  }

  /** This ledger has grown by one block. */
  onAppended(): void {
    const head = BigInt(this.#context.head().height);
    for (const [managerId, ofAuthor] of this.#waiting) {
      for (const claim of ofAuthor.values()) {
        if (!this.#isUnsettled(claim)) ofAuthor.delete(claim.place);
        else if (claim.objection.height <= head) this.#due.add(claim.submissionHex);
      }
      if (ofAuthor.size === 0) this.#waiting.delete(managerId);
    }
    this.#startWork();
  }

  /** Resolves when everything that was due has been looked into. */
  async idle(): Promise<void> {
    while (this.#isWorking) await this.#work;
  }

  /** A manager that is behind looks into nothing: what is due waits until it is not. */
  #startWork(): void {
    if (this.#isWorking || this.#due.size === 0 || !this.#parts.abstention.atTip) return;
    this.#isWorking = true;
    this.#work = this.#lookIntoAll();
    this.#parts.background.follow(this.#work);
  }

  async #lookIntoAll(): Promise<void> {
    const pause = this.#context.pauses();
    try {
      // What becomes due meanwhile is added to the end.
      for (const idHex of this.#due) {
        if (!this.#parts.abstention.atTip) return;
        this.#due.delete(idHex);
        await this.#review(idHex, this.#takeDue(idHex));
        await pause();
      }
    } finally {
      this.#isWorking = false;
    }
  }

  /** The objections to records of a submission whose height this ledger has reached. */
  #takeDue(idHex: string): readonly Claim[] {
    const { height } = this.#context.head();
    const due: Claim[] = [];
    const waiting = this.#parts.pool.waiting(idHex);
    for (const ofAuthor of this.#waiting.values()) {
      for (const recordHex of waiting?.unsettled.keys() ?? []) {
        const place = placeIn(idHex, recordHex);
        const claim = ofAuthor.get(place);
        if (claim === undefined || claim.objection.height > BigInt(height)) continue;
        ofAuthor.delete(place);
        due.push(claim);
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
  async #review(idHex: string, due: readonly Claim[]): Promise<void> {
    const waiting = this.#parts.pool.waiting(idHex);
    if (waiting === undefined || due.length === 0) return;
    const { submission } = waiting;
    const named = new Set(due.map(({ place }) => place));
    const unknown = submission.records.filter(({ hashHex }) => {
      const place = placeIn(idHex, hashHex);
      return named.has(place) && !this.#isAccurate(place);
    });
    if (unknown.length > 0) await this.#lookInto(submission, unknown);
    for (const claim of due) if (this.#isAccurate(claim.place)) await this.#blame(claim);
  }

  async #lookInto(
    submission: ParsedSubmission,
    records: readonly ParsedRecord[],
    attempt = 1,
  ): Promise<void> {
    const { head } = this.#context;
    const { pool, refuse } = this.#parts;
    const { height, broken } = await violationsNow(submission, records, this.#context);
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
    if (refusals.length > 0) await refuse(submission, refusals, height);
  }

  /** The record keeps every rule on the ledger of this moment. */
  async #blame({ managerId, objection, index, signed }: Claim): Promise<void> {
    const { selfId, store, observer } = this.#context;
    if (managerId === selfId) return;
    if (objection.height !== BigInt(this.#context.head().height)) return;
    if (!lastingReasons.has(objection.reason as RuleReason)) return;
    if (this.#falseHere(managerId) >= falsePerHeightMax) return;
    this.#falseByAuthor.set(managerId, this.#falseHere(managerId) + 1);
    if (!(await store.falseObjections.add(provenObjection(signed, index)))) return;
    observer.falseObjection(managerId, objection);
  }

  /** Whether there is anything to find out: not if its author says it again, or later. */
  #isNews(claim: Claim): boolean {
    const earlier = this.#waiting.get(claim.managerId)?.get(claim.place);
    // The earliest counts, so that a later one cannot put it off.
    if (earlier !== undefined && earlier.objection.height <= claim.objection.height) return false;
    return this.#isUnsettled(claim);
  }

  #isUnsettled({ submissionHex, objection: { recordHash } }: Claim): boolean {
    const waiting = this.#parts.pool.waiting(submissionHex);
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
    const { height } = this.#context.head();
    if (this.#lookedAtHeight === height) return;
    this.#lookedAtHeight = height;
    this.#falseByAuthor.clear();
    this.#accurate.clear();
  }

  #share(): number {
    return Math.ceil(waitingMax / this.#context.head().members.managers.length);
  }
}

/**
 * Objections of one author that wait. Each is held with all that were signed with it, as they prove
 * it together; so these count, whether or not they wait as well.
 */
class ClaimsOfAuthor {
  readonly #byPlace = new Map<string, Claim>();
  /** How many wait of those under one signature. */
  readonly #together = new Map<SignedObjections, number>();
  #held = 0;

  get size(): number {
    return this.#byPlace.size;
  }

  has(place: string): boolean {
    return this.#byPlace.has(place);
  }

  get(place: string): Claim | undefined {
    return this.#byPlace.get(place);
  }

  values(): Iterable<Claim> {
    return this.#byPlace.values();
  }

  /**
   * In place of an earlier one; false where too much would be held. The first that were signed
   * together fit, and all of them: of many managers, a share is less than a submission's records.
   */
  add(claim: Claim, heldMax: number): boolean {
    const { signed, place } = claim;
    if (this.#byPlace.get(place)?.signed !== signed) {
      const waiting = this.#together.get(signed) ?? 0;
      const more = waiting === 0 ? signed.objections.length : 0;
      if (more > 0 && this.#held > 0 && this.#held + more > heldMax) return false;
      this.delete(place);
      this.#together.set(signed, waiting + 1);
      this.#held += more;
    }
    this.#byPlace.set(place, claim);
    return true;
  }

  delete(place: string): void {
    const claim = this.#byPlace.get(place);
    if (claim === undefined) return;
    const { signed } = claim;
    this.#byPlace.delete(place);
    const left = (this.#together.get(signed) ?? 1) - 1;
    if (left > 0) this.#together.set(signed, left);
    else if (this.#together.delete(signed)) this.#held -= signed.objections.length;
  }
}

/** What is not signed is for people, long, and not kept. */
function withoutTexts({ objections, signature }: SignedObjections): SignedObjections {
  const bare = objections.map(({ recordHash, reason, height }) => ({ recordHash, reason, height }));
  return create(SignedObjectionsSchema, {
    objections: bare,
    ...(signature === undefined ? {} : { signature }),
  });
}

/** Those under one signature, each by itself; none without a signature. */
function claimsOf(signed: SignedObjections): readonly Claim[] {
  const { objections, signature } = signed;
  if (signature === undefined) return [];
  const [submissionHex, { managerId }] = [toHex(signature.submissionId), signature];
  return objections.map((objection, index) => {
    const place = placeIn(submissionHex, toHex(objection.recordHash));
    return { objection, index, signed, managerId, submissionHex, place };
  });
}

/** Names a record as a part of a submission; both in hex. */
function placeIn(submissionHex: string, recordHex: string): string {
  return `${submissionHex}/${recordHex}`;
}

/** Records that were left out of a block, with the submission that each is of. */
export function bySubmission(
  objections: readonly RecordObjection[],
): ReadonlyMap<ParsedSubmission, readonly RecordObjection[]> {
  const found = new Map<ParsedSubmission, RecordObjection[]>();
  for (const objection of objections) {
    const known = found.get(objection.submission);
    if (known === undefined) found.set(objection.submission, [objection]);
    else known.push(objection);
  }
  return found;
}
