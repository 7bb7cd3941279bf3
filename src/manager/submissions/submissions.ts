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
import type { ManagerBlock } from "../../gen/bss/v1/block_pb.js";
import {
  type Objection,
  type ObjectionSignature,
  type RecordOutcome,
  type SignedObjections,
  type SubmitResponse,
  WaitFor,
} from "../../gen/bss/v1/broadcast_pb.js";
import type { Policy } from "../../gen/bss/v1/genesis_pb.js";
import type { Submission } from "../../gen/bss/v1/record_pb.js";
import type { RecordObjection } from "../../ledger/blocks/block-filling.js";
import type { ExecutedBlock } from "../../ledger/blocks/executed-block.js";
import { contradictions } from "../../ledger/records/order-reasons.js";
import { type ParsedRecord, recordHash } from "../../ledger/records/records.js";
import {
  memoryBytesOf,
  type ParsedSubmission,
  parseSubmission,
  submissionId,
} from "../../ledger/records/submissions.js";
import type { RuleReason, Violation } from "../../ledger/violation.js";
import type { RecordLocation } from "../../query/ledger-reader.js";
import { RpcError, rpcErrorOfViolation } from "../../rpc/rpc-error.js";
import type { Pool } from "../pool/pool.js";
import { bySubmission, Objections, type ObjectionsPorts } from "../screening/objections.js";
import {
  type RecordRefusal,
  type Screened,
  Screener,
  type ScreenerPorts,
  type SecondLook,
} from "../screening/screening.js";
import type { Causer } from "../screening/screening-budget.js";
import { hashesOf, leftOutOf, openPart } from "./broadcast-exchange.js";
import {
  type OutcomeWatch,
  objectionsAmong,
  outcomesOf,
  placeOf,
  RecordOutcomes,
} from "./record-outcomes.js";

type CheckPorts = ObjectionsPorts & ScreenerPorts & RoomPorts;

export type SubmissionsPorts = CheckPorts & {
  readonly pool: Pool;
  /** Makes a submission survive a restart. */
  readonly savePooled: (submission: ParsedSubmission) => Promise<void>;
  /** For those of which nothing is left to add; a block that completes one sees to it itself. */
  readonly deletePooled: (ids: readonly Uint8Array[]) => Promise<void>;
  readonly relay: (submission: Submission, leftOut: readonly number[]) => void;
  /** Tells every manager that this one finds a submission accurate. */
  readonly sendVerdict: (submissionId: Uint8Array) => void;
  readonly sendObjections: (objections: SignedObjections) => void;
  /** The pool has changed. */
  readonly onPoolChanged: () => void;
  /** The answer to a caller: outcomes in the submission's order, with the blocks that they name. */
  readonly respond: (
    outcomes: RecordOutcome[],
    signature: ObjectionSignature | undefined,
  ) => Promise<SubmitResponse>;
  /** Whose absence keeps blocks from being made; undefined when nobody is missing. */
  readonly whatIsMissing: () => RpcError | undefined;
  readonly observe: {
    verdict(result: "accepted" | "objected"): void;
    objection(rule: RuleReason): void;
    falseObjection(managerId: string, objection: Objection): void;
    committed(seconds: number): void;
  };
};

export type TakeOptions = {
  readonly callerId: string;
  readonly waitFor: WaitFor;
  /** Aborts when the caller has gone or its deadline is near; its reason may say so. */
  readonly signal: AbortSignal;
  /** The pool counts the submission from here. */
  readonly onPooled?: () => void;
};

/** What the pool made of a submission; "settled" when nothing of it is left to order. */
type Added = ReturnType<Pool["add"]> | "settled";

export class Submissions {
  readonly #ports: SubmissionsPorts;
  readonly #outcomes = new RecordOutcomes();
  readonly #objections: Objections;
  readonly #screener: Screener;

  constructor(ports: SubmissionsPorts) {
    this.#ports = ports;
    this.#screener = new Screener(ports);
    this.#objections = new Objections(ports, {
      refuse: (...refused) => this.#refuse(...refused),
      observe: ports.observe,
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
    const { callerId, waitFor, signal } = options;
    const startedMs = this.#ports.monotonicMs();
    const recordCount = message?.records.length ?? 0;
    const caller: Causer = { kind: "caller", id: callerId };
    const isLetIn = await hasRoom(this.#ports, callerId, message);
    const parse = () => this.#parse(callerId, message);
    const submission = await this.#screener.parsed(caller, recordCount, parse, signal);
    const watch = this.#outcomes.watch(submission.records.map(({ hashHex }) => hashHex));
    try {
      const screened = await this.#screen(caller, submission, signal);
      await this.#note(watch, screened);
      const second = await this.#screener.lookAgain(caller, submission, screened, signal);
      await this.#note(watch, second);
      const accurate = [...screened.accurate, ...second.accurate];
      this.#ports.observe.verdict(
        screened.refused.length + second.refused.length === 0 ? "accepted" : "objected",
      );
      if (accurate.length > 0) {
        if (!isLetIn) this.#screener.budget.charge(caller, accurate.length);
        await this.#enter(caller, submission, accurate, { ...options, watch });
        if (waitFor !== WaitFor.ACCEPTED) {
          const awaited = accurate.map(({ hashHex }) => hashHex);
          if (!(await watch.all(awaited, signal))) throw this.#unfinished(signal);
          this.#ports.observe.committed((this.#ports.monotonicMs() - startedMs) / 1_000);
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
      // Whoever relayed it orders it; what this manager thinks of it, it says of the block.
      if (!(error instanceof RpcError)) throw error;
      this.#ports.onDropped(from, "OVER_BUDGET");
      return undefined;
    }
  }

  async #takeRelayed(
    from: string,
    message: Submission,
    leftOut: readonly number[],
  ): Promise<SignedObjections | undefined> {
    const { consortiumId, policy, pool, observe, sendVerdict } = this.#ports;
    const relay = { kind: "manager", id: from } as const;
    const unknown: Causer = { ...relay, participantId: "" };
    const parse = async () => parseSubmission(consortiumId, message, policy);
    const parsed = await this.#screener.inTurn(unknown, message.records.length, parse);
    if (!parsed.ok) return undefined;
    const submission = parsed.value;
    const { idHex } = submission;
    const waiting = pool.waiting(idHex)?.unsettled;
    const open = openPart(submission, leftOut).records;
    const records = open.filter(({ hashHex }) => waiting?.has(hashHex) !== true);
    if (records.length === 0) return undefined;
    const causer: Causer = { ...relay, participantId: submission.participantId };
    const screened = await this.#screenAndPool(causer, submission, records);
    if (!screened.ok) return undefined;
    const { refused, height } = screened.value;
    // What the ledger contradicts nobody will order; the rest is what the verdict is about.
    if (refused.every(({ violation }) => contradictions.has(violation.reason))) {
      observe.verdict("accepted");
      sendVerdict(submission.id);
    }
    return this.#objections.signed(submission, this.#objections.ofRefusals(refused, height));
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
    const { sendObjections, pool } = this.#ports;
    // Whoever makes blocks round after round says it once.
    const news = objections.filter(({ submission, record }) => {
      return !this.#objections.hasRaised(submission, record);
    });
    for (const [submission, some] of bySubmission(news)) {
      const said = this.#objections.ofBlock(some, executed.facts);
      const raised = await this.#objections.signed(submission, said);
      if (raised === undefined) continue;
      sendObjections(raised);
      this.#objections.consider(raised);
    }
    for (const submission of bySubmission(objections).keys()) pool.postpone(submission.idHex);
  }

  /** A block has been appended. */
  async onAppended({ placed, facts }: ExecutedBlock, { block }: ManagerBlock): Promise<void> {
    for (const [i, { record, position }] of placed.entries()) {
      const { sealDigest } = defined(block?.leaves[i], "a block has a leaf for each record");
      const place = placeOf({ height: facts.height, position, sealDigest });
      this.#outcomes.settle(record.hashHex, { kind: "placed", place });
    }
    this.#ports.pool.placed(placed.map(({ record }) => record.hashHex));
    this.#objections.onAppended();
    this.#ports.onPoolChanged();
  }

  /** Resolves when every objection that is due has been looked into. */
  idle(): Promise<void> {
    return this.#objections.idle();
  }

  /** Takes up what a stop left behind. */
  async restore(messages: readonly Submission[]): Promise<void> {
    for (const message of messages) {
      const parsed = parseSubmission(this.#ports.consortiumId, message, this.#ports.policy);
      if (!parsed.ok) continue;
      const { participantId } = parsed.value;
      const causer: Causer = { kind: "own", participantId };
      const { records } = parsed.value;
      const screened = await this.#screenAndPool(causer, parsed.value, records);
      if (!screened.ok || screened.value.added === "settled") {
        await this.#ports.deletePooled([parsed.value.id]);
        continue;
      }
      const open = this.#ports.pool.waiting(parsed.value.idHex)?.unsettled;
      if (open === undefined) continue;
      this.#ports.relay(message, leftOutOf(parsed.value, open));
      this.#ports.sendVerdict(parsed.value.id);
    }
  }

  #parse(callerId: string, message: Submission | undefined): ParsedSubmission {
    if (message === undefined) {
      const text = "the request holds no submission";
      throw new RpcError("SUBMISSION_MALFORMED", text, { field: "submission" });
    }
    const parsed = parseSubmission(this.#ports.consortiumId, message, this.#ports.policy);
    if (!parsed.ok) throw rpcErrorOfViolation(parsed.error, "submission");
    const { participantId } = parsed.value;
    if (participantId !== callerId) {
      const text = `the submission is ${participantId}'s, the caller is ${callerId}`;
      const field = "submission.header.participant_id";
      throw new RpcError("CALLER_NOT_SUBMITTER", text, { field });
    }
    return parsed.value;
  }

  async #screen(
    caller: Causer,
    submission: ParsedSubmission,
    signal: AbortSignal,
  ): Promise<Screened> {
    const screened = await this.#screener.screen(caller, submission, signal);
    if (screened.ok) return screened.value;
    this.#ports.observe.verdict("objected");
    throw rpcErrorOfViolation(screened.error, "submission");
  }

  /** What is settled without a block: what the ledger has, and what is refused. */
  async #note(watch: OutcomeWatch, { height, onLedger, refused }: SecondLook): Promise<void> {
    if (onLedger.length > 0) {
      const locations = await this.#ports.locate(onLedger.map(({ hash }) => hash));
      for (const [i, { hashHex }] of onLedger.entries()) {
        const location = defined(locations[i], "a record on the ledger is in the index");
        watch.note(hashHex, { kind: "placed", place: placeOf(location) });
      }
    }
    for (const objection of this.#objections.ofRefusals(refused, height)) {
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
    if (refused.length === 0) return this.#ports.respond(outcomes, undefined);
    const sign = () => this.#objections.signatureOver(submission, refused);
    const signature = await this.#screener.inTurn(caller, refused.length, sign);
    return this.#ports.respond(outcomes, signature);
  }

  /** Into the pool, on disk if the caller is to be told that it is kept, and on to the others. */
  async #enter(
    causer: Causer,
    submission: ParsedSubmission,
    accurate: readonly ParsedRecord[],
    { waitFor, watch, onPooled }: TakeOptions & { readonly watch: OutcomeWatch },
  ): Promise<void> {
    const { pool, savePooled, deletePooled, relay, sendVerdict } = this.#ports;
    const added = this.#addToPool(submission, accurate, { causer, watch });
    if (added === "full" || added === "share") throw noRoom(added);
    if (added === "settled") return;
    if (added === "added") onPooled?.();
    if (waitFor === WaitFor.ACCEPTED) {
      await savePooled(submission);
      // A block that completed it meanwhile has deleted what was not there yet.
      if (!pool.has(submission.idHex)) await deletePooled([submission.id]);
    }
    if (added === "known") return;
    relay(submission.message, leftOutOf(submission, hashesOf(accurate)));
    sendVerdict(submission.id);
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
    const { pool, monotonicMs, onPoolChanged } = this.#ports;
    const unsettled = [...hashesOf(accurate)].filter((hash) => !watch.settled.has(hash));
    if (unsettled.length === 0) return "settled";
    const added = pool.add(submission, { causer, nowMs: monotonicMs(), unsettled });
    onPoolChanged();
    return added;
  }

  /** Records that waited are not going to be ordered. */
  async #refuse(
    submission: ParsedSubmission,
    refusals: readonly RecordRefusal[],
    height: number,
  ): Promise<void> {
    const awaited = refusals.filter(({ record }) => this.#outcomes.isAwaited(record.hashHex));
    const brought = this.#ports.pool.waiting(submission.idHex)?.unsettled;
    for (const { record } of refusals) {
      const causer = brought?.get(record.hashHex);
      if (causer !== undefined) this.#screener.budget.charge(causer, 1);
    }
    // Whoever comes from now on finds nothing that it could wait with.
    const left = this.#ports.pool.refuse(refusals.map(({ record }) => record.hashHex));
    for (const objection of this.#objections.ofRefusals(awaited, height)) {
      this.#outcomes.settle(toHex(objection.recordHash), { kind: "refused", objection });
    }
    if (left.length > 0) await this.#ports.deletePooled(left);
    this.#ports.onPoolChanged();
  }

  /** The wait ended before the records were final. Nothing is lost: they stay in the pool. */
  #unfinished({ reason }: AbortSignal): RpcError {
    const missing = this.#ports.whatIsMissing();
    if (missing !== undefined) return missing;
    if (reason instanceof RpcError) return reason;
    const text = "not final before the deadline; nothing is lost, try again for the receipt";
    return new RpcError("DEADLINE", text);
  }
}

export type RoomPorts = {
  readonly pool: Pick<Pool, "roomFor" | "has">;
  /** 32 bytes. */
  readonly consortiumId: Uint8Array;
  readonly policy: Pick<Policy, "recordBytesMax">;
  readonly locate: (
    recordHashes: readonly Uint8Array[],
  ) => Promise<readonly (RecordLocation | undefined)[]>;
};

/**
 * Before any work on it. Needs no room: what waits here already, and what has its first or last
 * record on the ledger, as its submitter may ask for the places of what is final. The second says
 * false: what is new of it was not let in.
 *
 * @throws RpcError POOL_FULL or POOL_SHARE_FULL
 */
export async function hasRoom(
  { pool, consortiumId, policy, locate }: RoomPorts,
  callerId: string,
  message: Submission | undefined,
): Promise<boolean> {
  if (message === undefined) return true;
  const room = pool.roomFor(callerId, memoryBytesOf(message));
  if (room === "room" || pool.has(toHex(submissionId(message.header, message.signature)))) {
    return true;
  }
  const [first, last] = [message.records.at(0), message.records.at(-1)];
  const hashes = [first, last].flatMap((bytes) => {
    const isShort = bytes !== undefined && bytes.length <= policy.recordBytesMax;
    return isShort ? [recordHash(consortiumId, bytes)] : [];
  });
  const locations = await locate(hashes);
  if (locations.some((location) => location !== undefined)) return false;
  throw noRoom(room);
}

export function noRoom(room: "full" | "share"): RpcError {
  if (room === "full") {
    return new RpcError("POOL_FULL", "the pool of submissions that wait to be ordered is full");
  }
  const text = "the participant has as much in the pool as it may; it is ordered in turn";
  return new RpcError("POOL_SHARE_FULL", text);
}
