/**
 * The way of a submission through one manager, from the caller to the receipt:
 *
 *     take ─▶ parse ─▶ screen (signatures, rules) ─▶ pool ─▶ relay to the others ─▶ wake the ring
 *                        │                                                               │
 *                        ▼                                                               ▼
 *     answer ◀── what the ledger has,     outcomes ◀── placed by a block, or refused by an
 *          ▲     or contradicts              │         objection that holds here
 *          └─────────────────────────────────┘
 *
 * What the ledger has already is answered with its first place, what it contradicts for good is
 * refused, both by the manager that is asked and without a word to the others. Order decides
 * between pending records that exclude each other, so such a record is refused only by whoever
 * builds a block; everybody else runs the rule again on the ledger before believing it.
 *
 * Screening goes a few submissions at a time, in turn for those who send them. The caller's
 * deadline ends the wait and nothing else: the submission stays, and a retry gets the same receipt.
 */
import { defined } from "../../base/assert.js";
import { toHex } from "../../base/bytes.js";
import { ok, type Result } from "../../base/result.js";
import type { RingStatus } from "../../consensus/ring/events.js";
import {
  type RecordOutcome,
  type SignedObjections,
  type SubmitResponse,
  WaitFor,
} from "../../gen/bss/v1/broadcast_pb.js";
import type { Submission } from "../../gen/bss/v1/record_pb.js";
import type { RecordObjection } from "../../ledger/blocks/block-filling.js";
import type { ExecutedBlock } from "../../ledger/blocks/executed-block.js";
import { workOf, workOfAll } from "../../ledger/records/intervals.js";
import { recordHash } from "../../ledger/records/record-hash.js";
import type { ParsedRecord } from "../../ledger/records/records.js";
import { contradictions } from "../../ledger/records/rules.js";
import {
  decodedBytesOf,
  type ParsedSubmission,
  parseInPieces,
  parseSubmission,
  parsingWorkOf,
  pooledBytesOf,
  submissionId,
} from "../../ledger/records/submissions.js";
import type { RuleReason, Violation } from "../../ledger/violation.js";
import { RpcError, rpcErrorOfViolation } from "../../rpc/rpc-error.js";
import type { AppendedBlock, ManagerStore } from "../../store/manager-store.js";
import type { BackgroundWork } from "../background-work.js";
import type { ManagerContext } from "../manager-context.js";
import type { ManagerObserver } from "../manager-observer.js";
import { type Pool, turnCostOf } from "../pool/pool.js";
import { PoolSealing } from "../pool/pool-sealing.js";
import type { Abstention } from "../ring/abstention.js";
import type { BlockSize } from "../ring/block-size.js";
import type { BlockTrigger } from "../ring/block-trigger.js";
import type { CandidateBlocks } from "../ring/candidate-blocks.js";
import { bySubmission, Objections } from "../screening/objections.js";
import {
  pausesOf,
  type RecordRefusal,
  type Screened,
  Screener,
  type SecondLook,
  type Waiting,
} from "../screening/screening.js";
import { type Causer, priceOf } from "../screening/screening-budget.js";
import type { TipWatch } from "../screening/tip-watch.js";
import type { StatementLog } from "../signing/statement-log.js";
import { Admission } from "./admission.js";
import type { Availability } from "./availability.js";
import { BlockSummaries } from "./block-summaries.js";
import { type BroadcastSender, hashesOf, leftOutOf, openPart } from "./broadcast-sender.js";
import type { Entry } from "./entry-queue.js";
import { type OutcomeWatch, RecordOutcomes } from "./record-outcomes.js";
import { withStandingRecords } from "./standing-records.js";
import { objectionsAmong, outcomesOf, placeOf, submitResponse } from "./submit-response.js";

type Context = Pick<
  ManagerContext,
  | "selfId"
  | "consortiumId"
  | "policy"
  | "signatures"
  | "head"
  | "readState"
  | "wallMs"
  | "monotonicMs"
  | "time"
  | "epochKey"
> & {
  readonly store: Pick<
    ManagerStore,
    | "head"
    | "finalBlock"
    | "locations"
    | "placesAt"
    | "savePooled"
    | "deletePooled"
    | "falseObjections"
  >;
  readonly observer: Pick<
    ManagerObserver,
    "dropped" | "verdict" | "objection" | "falseObjection" | "committed" | "poolChanged"
  >;
};

export type SubmissionsParts = {
  readonly pool: Pool;
  readonly candidates: Pick<CandidateBlocks, "mightCure">;
  readonly ring: { status(): Pick<RingStatus, "step"> };
  readonly abstention: Pick<Abstention, "atTip">;
  readonly tip: Pick<TipWatch, "knowsAllFinal">;
  readonly availability: Pick<Availability, "whatIsMissing">;
  readonly statements: Pick<StatementLog, "sign">;
  readonly broadcast: Pick<BroadcastSender, "relay" | "sendVerdict" | "sendObjections">;
  readonly background: Pick<BackgroundWork, "follow">;
  readonly trigger: Pick<BlockTrigger, "check">;
  readonly size: Pick<BlockSize, "recordsMax">;
};

export type TakeOptions = {
  readonly callerId: string;
  readonly waitFor: WaitFor;
  /** Aborts when the caller has gone or its deadline is near; its reason may say so. */
  readonly signal: AbortSignal;
  /**
   * The submission is parsed, and its lists take so many bytes more.
   *
   * @throws RpcError where that is too much
   */
  readonly onParsed?: (bytes: number) => void;
  /** The pool counts the submission from here. */
  readonly onPooled?: () => void;
};

type EnterOptions = TakeOptions & {
  readonly watch: OutcomeWatch;
  readonly entry: Entry | undefined;
};

/**
 * A participant of whom so many of the longest blocks wait is in no hurry to have more screened:
 * what is voted on waits too, and a small record takes nearly two turns.
 */
const aheadBlocks = 4;

/** What the pool made of a submission; "settled" when nothing of it is left to order. */
type Added = ReturnType<Pool["add"]> | "settled";

export class Submissions {
  readonly #context: Context;
  readonly #parts: SubmissionsParts;
  readonly #outcomes = new RecordOutcomes();
  readonly #objections: Objections;
  readonly #screener: Screener;
  readonly #sealing: PoolSealing;
  readonly #summaries: BlockSummaries;
  readonly #admission: Admission;

  constructor(context: Context, parts: SubmissionsParts) {
    this.#context = context;
    this.#parts = parts;
    const { pool, candidates, ring, tip, size } = parts;
    const { monotonicMs } = context;
    const shared = { untilMs: 0 };
    const isVoting = () => ring.status().step !== "idle";
    const screening = {
      ...context,
      pauses: (restTimes?: () => number) => pausesOf(context.time, isVoting, shared, restTimes),
      mightCure: (record: ParsedRecord, reason: RuleReason) =>
        pool.mightCure(record, reason) || candidates.mightCure(record, reason),
    };
    const aheadMin = aheadBlocks * context.policy.blockRecordsMax;
    const isAhead = (id: string) => pool.waitingOf(id) >= aheadMin;
    this.#screener = new Screener({ ...screening, isAhead }, tip);
    this.#summaries = new BlockSummaries(context.store);
    const blockRecordsMax = () => size.recordsMax(monotonicMs());
    this.#admission = new Admission({ pool, blockRecordsMax, monotonicMs });
    const beside = { ...screening, pauses: () => this.#screener.pauses() };
    this.#sealing = new PoolSealing({ ...beside, ...parts });
    this.#objections = new Objections(beside, {
      ...parts,
      refuse: (...refused) => this.#refuse(...refused),
    });
  }

  /**
   * Handles a participant's submission until it is final, or until it is safely kept with
   * WAIT_FOR_ACCEPTED.
   *
   * @throws RpcError when the submission as a whole is refused, or is not final
   * when `signal` aborts
   */
  async take(message: Submission | undefined, options: TakeOptions): Promise<SubmitResponse> {
    const entry = await this.#letIn(options.callerId, message);
    try {
      return await this.#takeIn(message, options, entry);
    } finally {
      entry?.end();
    }
  }

  async #takeIn(
    message: Submission | undefined,
    options: TakeOptions,
    entry: Entry | undefined,
  ): Promise<SubmitResponse> {
    const { callerId, waitFor, signal } = options;
    const startedMs = this.#context.monotonicMs();
    const parsing = message === undefined ? 0 : parsingWorkOf(message);
    const caller: Causer = { kind: "caller", id: callerId };
    const parse = () => this.#parse(callerId, message);
    const onTurn = () => this.#refuseIfLate(message, entry);
    const waiting = { signal, onTurn };
    const submission = await this.#screener.parsed(caller, parsing, parse, waiting);
    options.onParsed?.(decodedBytesOf(submission.records));
    const watch = this.#outcomes.watch(submission.records.map(({ hashHex }) => hashHex));
    try {
      const screened = await this.#screen(caller, submission, waiting);
      await this.#note(watch, screened, callerId);
      const second = await this.#screener.lookAgain(caller, submission, screened, signal);
      await this.#note(watch, second, callerId);
      const accurate = [...screened.accurate, ...second.accurate];
      this.#context.observer.verdict(
        screened.refused.length + second.refused.length === 0 ? "accepted" : "objected",
      );
      if (accurate.length > 0) {
        if (entry === undefined) this.#screener.budget.charge(caller, workOfAll(accurate));
        await this.#enter(caller, submission, accurate, { ...options, watch, entry });
        if (waitFor !== WaitFor.ACCEPTED) {
          const awaited = accurate.map(({ hashHex }) => hashHex);
          if (!(await watch.all(awaited, signal))) throw this.#unfinished(signal);
          this.#context.observer.committed((this.#context.monotonicMs() - startedMs) / 1_000);
        }
      }
      return await this.#respond(caller, submission, outcomesOf(submission, watch.settled));
    } finally {
      watch.close();
    }
  }

  /** A submission that another manager relays: this manager's verdict on it. */
  async takeRelayed(
    from: string,
    message: Submission,
    leftOut: readonly number[] = [],
  ): Promise<SignedObjections | undefined> {
    try {
      return await this.#takeRelayed(from, message, leftOut);
    } catch (error) {
      // The manager that relayed it orders it; this one judges it again as a part of the block.
      if (!(error instanceof RpcError)) throw error;
      if (error.reason === "REFUSALS_EXHAUSTED") {
        this.#context.observer.dropped(from, "OVER_BUDGET");
      }
      return undefined;
    }
  }

  async #takeRelayed(
    from: string,
    message: Submission,
    leftOut: readonly number[],
  ): Promise<SignedObjections | undefined> {
    const { observer } = this.#context;
    const { pool, broadcast, trigger } = this.#parts;
    const relay = { kind: "manager", id: from } as const;
    const { size } = this.#context.head().frontier;
    const submission = await this.#parseRelayed(from, message);
    const { idHex } = submission;
    // Whoever relays it has found it accurate.
    pool.verdict(from, submission.id);
    trigger.check();
    const waiting = pool.waiting(idHex)?.unsettled;
    const open = openPart(submission, leftOut).records;
    const records = open.filter(({ hashHex }) => waiting?.has(hashHex) !== true);
    if (records.length === 0) return undefined;
    const causer: Causer = { ...relay, participantId: submission.participantId };
    const screened = await this.#screenAndPool(causer, submission, records);
    if (!screened.ok) {
      this.#chargeRelay(from, workOfAll(records));
      return undefined;
    }
    const { refused, height, accurate, open: lacking, onLedger } = screened.value;
    // An honest manager relays what has something new to it, unless a block had it meanwhile.
    const isVain =
      accurate.length + lacking.length === 0 && !(await this.#isPlacedSince(size, onLedger));
    if (isVain) this.#chargeRelay(from, priceOf(screened.value));
    // What the ledger contradicts nobody will order; the rest is what the verdict is about.
    if (refused.every(({ violation }) => contradictions.has(violation.reason))) {
      observer.verdict("accepted");
      broadcast.sendVerdict(submission.id);
    }
    this.#sealing.add(submission);
    return this.#objections.signed(submission, this.#objections.ofRefusals(refused, height));
  }

  /**
   * To the manager that relayed something in vain. One that is behind knows neither participants
   * nor meters that are new: it takes for refused, or for signed by nobody, what is right.
   */
  #chargeRelay(from: string, records: number): void {
    if (!this.#parts.abstention.atTip) return;
    this.#screener.budget.charge(ofAllFrom(from), records);
  }

  /** Whether the last of the records was put on the ledger when it had `size` records or more. */
  async #isPlacedSince(size: number, onLedger: readonly ParsedRecord[]): Promise<boolean> {
    const last = onLedger.at(-1);
    if (last === undefined) return false;
    const [location] = await this.#context.store.locations([last.hash]);
    return location !== undefined && location.position >= size;
  }

  /**
   * What waits here already is not parsed again. What cannot be parsed is charged to the manager
   * that relays it, as it is nobody's.
   */
  async #parseRelayed(from: string, message: Submission): Promise<ParsedSubmission> {
    const { consortiumId, policy, observer } = this.#context;
    const known = this.#parts.pool.submission(
      toHex(submissionId(message.header, message.signature)),
    );
    if (known !== undefined) return known;
    function* parse() {
      const parsed = yield* parseInPieces(consortiumId, message, policy);
      if (parsed.ok) return parsed.value;
      observer.dropped(from, parsed.error.reason);
      throw rpcErrorOfViolation(parsed.error, "submission");
    }
    return this.#screener.parsed(ofAllFrom(from), parsingWorkOf(message), parse);
  }

  /** Another manager found records wrong; `from` passes it on. */
  takeObjections(from: string, objections: SignedObjections): Promise<void> {
    return this.#objections.take(from, objections);
  }

  /** Records that this manager left out of a block, as they break a rule there. */
  async reportObjections(
    objections: readonly RecordObjection[],
    executed: ExecutedBlock,
  ): Promise<void> {
    const { broadcast, pool } = this.#parts;
    // A manager that makes blocks round after round says the same thing once.
    const news = objections.filter(({ submission, record }) => {
      return !this.#objections.hasRaised(submission, record);
    });
    for (const [submission, some] of bySubmission(news)) {
      const said = this.#objections.ofBlock(some, executed.facts);
      const raised = await this.#objections.signed(submission, said);
      if (raised === undefined) continue;
      broadcast.sendObjections(raised);
      this.#objections.consider(raised);
    }
    for (const submission of bySubmission(objections).keys()) pool.postpone(submission.idHex);
  }

  /** A block has been appended. */
  async onAppended(appended: AppendedBlock): Promise<void> {
    const {
      executed,
      block: { block },
    } = appended;
    const { placed, facts } = executed;
    this.#summaries.onAppended(appended);
    for (const [i, { record, position }] of placed.entries()) {
      // Of most records another manager's callers wait for the place.
      if (!this.#outcomes.isAwaited(record.hashHex)) continue;
      const { sealDigest } = defined(block?.leaves[i], "a block has a leaf for each record");
      const place = placeOf({ height: facts.height, position, sealDigest });
      this.#outcomes.settle(record.hashHex, { kind: "placed", place });
    }
    const cost = this.#parts.pool.placed(placed.map(({ record }) => record.hashHex));
    const records = workOfAll(placed.map(({ record }) => record));
    if (records > 0) this.#admission.onPlaced({ records, cost });
    this.#objections.onAppended();
    this.#poolChanged();
  }

  /** Resolves when every objection that is due has been looked into. */
  idle(): Promise<void> {
    return this.#objections.idle();
  }

  /** Takes up what a stop left behind. */
  async restore(messages: readonly Submission[]): Promise<void> {
    for (const message of messages) {
      const parsed = parseSubmission(this.#context.consortiumId, message, this.#context.policy);
      if (!parsed.ok) continue;
      const { participantId } = parsed.value;
      const causer: Causer = { kind: "own", participantId };
      const { records } = parsed.value;
      const screened = await this.#screenAndPool(causer, parsed.value, records);
      if (!screened.ok || screened.value.added === "settled") {
        await this.#context.store.deletePooled([parsed.value.id]);
        continue;
      }
      const open = this.#parts.pool.waiting(parsed.value.idHex)?.unsettled;
      if (open === undefined) continue;
      const { broadcast } = this.#parts;
      broadcast.relay({ submission: message, leftOut: leftOutOf(parsed.value, open) });
      this.#sealing.add(parsed.value);
    }
  }

  /**
   * Lets a caller's submission in, before any work on it. Neither room nor time is needed for what
   * waits here already. None is needed either if the first or last record is on the ledger, because
   * its submitter may ask for the places of what is final. Then there is no entry, and what is new
   * of it is charged.
   *
   * @throws RpcError POOL_FULL or POOL_SHARE_FULL
   */
  async #letIn(callerId: string, message: Submission | undefined): Promise<Entry | undefined> {
    if (message === undefined) return this.#admission.enter(callerId, 0);
    const { pool } = this.#parts;
    const cost = turnCostOf(message);
    const room = pool.roomFor(callerId, pooledBytesOf(message));
    const refusal = room === "room" ? this.#admission.refusal(callerId, cost) : noRoom(room);
    if (refusal === undefined || this.#isPooled(message)) {
      return this.#admission.enter(callerId, cost);
    }
    if (await this.#isOnLedger(message)) return undefined;
    throw refusal;
  }

  /** @throws RpcError POOL_SHARE_FULL, if too much has come since the submission was let in */
  async #refuseIfLate(message: Submission | undefined, entry: Entry | undefined): Promise<void> {
    if (message === undefined || entry === undefined) return;
    const refusal = this.#admission.refusalInTurn(entry);
    if (refusal === undefined || this.#isPooled(message)) return;
    if (!(await this.#isOnLedger(message))) throw refusal;
  }

  #isPooled({ header, signature }: Submission): boolean {
    return this.#parts.pool.has(toHex(submissionId(header, signature)));
  }

  /** Whether the first or the last record is there: it may be asked for the places of all. */
  async #isOnLedger(message: Submission): Promise<boolean> {
    const { consortiumId, policy, store } = this.#context;
    const [first, last] = [message.records.at(0), message.records.at(-1)];
    const hashes = [first, last].flatMap((bytes) => {
      const isShort = bytes !== undefined && bytes.length <= policy.recordBytesMax;
      return isShort ? [recordHash(consortiumId, bytes)] : [];
    });
    const locations = await store.locations(hashes);
    return locations.some((location) => location !== undefined);
  }

  #poolChanged(): void {
    this.#context.observer.poolChanged(this.#parts.pool);
    this.#parts.trigger.check();
  }

  *#parse(
    callerId: string,
    message: Submission | undefined,
  ): Generator<undefined, ParsedSubmission> {
    if (message === undefined) {
      const text = "the request holds no submission";
      throw new RpcError("SUBMISSION_MALFORMED", text, { field: "submission" });
    }
    const { consortiumId, policy } = this.#context;
    const parsed = yield* parseInPieces(consortiumId, message, policy);
    if (!parsed.ok) throw rpcErrorOfViolation(parsed.error, "submission");
    const { participantId } = parsed.value;
    if (participantId !== callerId) {
      const text = `the submission is ${participantId}'s, the caller is ${callerId}`;
      const field = "submission.header.participant_id";
      throw new RpcError("CALLER_NOT_SUBMITTER", text, { field });
    }
    return parsed.value;
  }

  async #screen(caller: Causer, submission: ParsedSubmission, waiting: Waiting): Promise<Screened> {
    const screened = await this.#screener.screen(caller, submission, waiting);
    if (screened.ok) return screened.value;
    this.#context.observer.verdict("objected");
    throw rpcErrorOfViolation(screened.error, "submission");
  }

  /** What is settled without a block: what the ledger has, and what is refused. */
  async #note(
    watch: OutcomeWatch,
    { height, onLedger, refused }: SecondLook,
    callerId: string,
  ): Promise<void> {
    const { store } = this.#context;
    if (onLedger.length > 0) {
      const locations = await store.locations(onLedger.map(({ hash }) => hash));
      for (const [i, { hashHex }] of onLedger.entries()) {
        const location = defined(locations[i], "a record on the ledger is in the index");
        watch.note(hashHex, { kind: "placed", place: placeOf(location) });
      }
    }
    const objections = this.#objections.ofRefusals(refused, height);
    for (const objection of await withStandingRecords(objections, refused, callerId, store)) {
      watch.note(toHex(objection.recordHash), { kind: "refused", objection });
    }
  }

  /** With one signature over all that is refused. */
  async #respond(
    caller: Causer,
    submission: ParsedSubmission,
    outcomes: RecordOutcome[],
  ): Promise<SubmitResponse> {
    const refused = objectionsAmong(outcomes);
    const summaries = this.#summaries;
    if (refused.length === 0) return submitResponse(summaries, outcomes);
    const sign = () => this.#objections.signatureOver(submission, refused);
    const signature = await this.#screener.inTurn(caller, refused.length, sign);
    return submitResponse(summaries, outcomes, signature);
  }

  /** Into the pool, on disk if the caller is to be told that it is kept, and on to the others. */
  async #enter(
    causer: Causer,
    submission: ParsedSubmission,
    accurate: readonly ParsedRecord[],
    { waitFor, watch, entry, onPooled }: EnterOptions,
  ): Promise<void> {
    const { store } = this.#context;
    const { pool, broadcast } = this.#parts;
    const added = this.#addToPool(submission, accurate, { causer, watch });
    if (added === "full" || added === "share") throw noRoom(added);
    entry?.arrive();
    if (added === "settled") return;
    if (added === "added") onPooled?.();
    if (waitFor === WaitFor.ACCEPTED) {
      await store.savePooled(submission);
      // A block that completed it meanwhile has deleted what was not there yet.
      if (!pool.has(submission.idHex)) await store.deletePooled([submission.id]);
    }
    if (added === "known") return;
    const leftOut = leftOutOf(submission, hashesOf(accurate));
    broadcast.relay({ submission: submission.message, leftOut });
    this.#sealing.add(submission);
  }

  /** One that is not new here: what is open of it waits for a block like the rest. */
  async #screenAndPool(
    causer: Causer,
    submission: ParsedSubmission,
    records: readonly ParsedRecord[],
  ): Promise<Result<Screened & { readonly added: Added }, Violation>> {
    const watch = this.#outcomes.watch(submission.records.map(({ hashHex }) => hashHex));
    try {
      const screened = await this.#screener.screen(causer, { ...submission, records });
      if (!screened.ok) return screened;
      const accurate = [...screened.value.accurate, ...screened.value.open];
      const added = this.#addToPool(submission, accurate, { causer, watch });
      return ok({ ...screened.value, added });
    } finally {
      watch.close();
    }
  }

  /**
   * `watch` was there before the records were screened: what a block has settled since then must
   * not wait for another one, which would never come.
   */
  #addToPool(
    submission: ParsedSubmission,
    accurate: readonly ParsedRecord[],
    { causer, watch }: { readonly causer: Causer; readonly watch: OutcomeWatch },
  ): Added {
    const { pool } = this.#parts;
    const { monotonicMs } = this.#context;
    const unsettled = [...hashesOf(accurate)].filter((hash) => !watch.settled.has(hash));
    if (unsettled.length === 0) return "settled";
    const added = pool.add(submission, { causer, nowMs: monotonicMs(), unsettled });
    this.#poolChanged();
    return added;
  }

  /** Records that waited are not going to be ordered. */
  async #refuse(
    submission: ParsedSubmission,
    refusals: readonly RecordRefusal[],
    height: number,
  ): Promise<void> {
    const awaited = refusals.filter(({ record }) => this.#outcomes.isAwaited(record.hashHex));
    const brought = this.#parts.pool.waiting(submission.idHex)?.unsettled;
    for (const { record } of refusals) {
      const causer = brought?.get(record.hashHex);
      if (causer !== undefined) this.#screener.budget.charge(causer, workOf(record));
    }
    // A call that comes from now on finds no pending record to wait for.
    const left = this.#parts.pool.refuse(refusals.map(({ record }) => record.hashHex));
    for (const objection of this.#objections.ofRefusals(awaited, height)) {
      this.#outcomes.settle(toHex(objection.recordHash), { kind: "refused", objection });
    }
    if (left.length > 0) await this.#context.store.deletePooled(left);
    this.#poolChanged();
  }

  /** The wait ended before the records were final. Nothing is lost: they stay in the pool. */
  #unfinished({ reason }: AbortSignal): RpcError {
    const missing = this.#parts.availability.whatIsMissing();
    if (missing !== undefined) return missing;
    if (reason instanceof RpcError) return reason;
    const text = "not final before the deadline; nothing is lost, try again for the receipt";
    return new RpcError("DEADLINE", text);
  }
}

/** The account of a manager for what no honest one relays, whosever it is. */
function ofAllFrom(managerId: string): Causer {
  return { kind: "manager", id: managerId, participantId: "" };
}

function noRoom(room: "full" | "share"): RpcError {
  if (room === "full") {
    return new RpcError("POOL_FULL", "the pool of submissions that wait to be ordered is full");
  }
  const text = "the participant has as much in the pool as it may; it is ordered in turn";
  return new RpcError("POOL_SHARE_FULL", text);
}
