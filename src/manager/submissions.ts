/**
 * The way of a submission through one manager, from the caller to the receipt:
 *
 *     take ─▶ parse ─▶ screen (signatures, rules) ─▶ pool ─▶ relay to the other managers ─▶ wake the ring
 *                                                                                            │
 *     answer ◀── outcomes ◀── placed by a block, or refused by an objection that holds here ◀─┘
 *
 * Order decides between records that exclude each other, so such a record is refused only by
 * whoever builds a block; everybody else runs the rule again on the ledger before believing it.
 * The caller's deadline ends the wait and nothing else: the submission stays, and a retry gets
 * the same receipt.
 */
import { create } from "@bufbuild/protobuf";
import { defined } from "../base/assert.js";
import { toHex } from "../base/bytes.js";
import { ok, type Result } from "../base/result.js";
import type { ManagerBlock } from "../gen/bss/v1/block_pb.js";
import {
  type Objection,
  type RecordOutcome,
  RecordOutcomeSchema,
  type RecordPlace,
  RecordPlaceSchema,
  type SubmitResponse,
  WaitFor,
} from "../gen/bss/v1/broadcast_pb.js";
import type { Submission } from "../gen/bss/v1/record_pb.js";
import type { RecordObjection } from "../ledger/block-filling.js";
import type { ExecutedBlock } from "../ledger/executed-block.js";
import { reasonsOfOrder } from "../ledger/objections.js";
import type { ParsedRecord } from "../ledger/records.js";
import { type ParsedSubmission, parseSubmission } from "../ledger/submissions.js";
import type { Violation } from "../ledger/violation.js";
import type { RecordLocation } from "../query/ledger-reader.js";
import { RpcError, rpcErrorOfViolation } from "../rpc/rpc-error.js";
import { Objections, type ObjectionsPorts } from "./objections.js";
import type { Pool } from "./pool.js";
import { type OutcomeWatch, RecordOutcomes, type RecordSettlement } from "./record-outcomes.js";
import { type Screened, screenSubmission } from "./screening.js";

export type SubmissionsPorts = ObjectionsPorts & {
  readonly pool: Pool;
  readonly monotonicMs: () => number;
  /** Makes a submission survive a restart. */
  readonly savePooled: (submission: ParsedSubmission) => Promise<void>;
  /** For those of which nothing is left to add; a block that completes one sees to it itself. */
  readonly deletePooled: (ids: readonly Uint8Array[]) => Promise<void>;
  readonly relay: (submission: Submission) => void;
  /** Tells every manager that this one finds a submission accurate. */
  readonly sendVerdict: (submissionId: Uint8Array) => void;
  readonly sendObjection: (objection: Objection) => void;
  /** The pool has changed. */
  readonly onPoolChanged: () => void;
  readonly locate: (recordHash: Uint8Array) => Promise<RecordLocation | undefined>;
  /** The answer to a caller: outcomes in the submission's order, with the blocks that they name. */
  readonly respond: (outcomes: RecordOutcome[]) => Promise<SubmitResponse>;
  /** Whose absence keeps blocks from being made; undefined when nobody is missing. */
  readonly whatIsMissing: () => RpcError | undefined;
  readonly observe: {
    verdict(result: "accepted" | "objected"): void;
    objection(rule: string): void;
    falseObjection(objection: Objection): void;
    committed(seconds: number): void;
  };
};

export type TakeOptions = {
  readonly callerId: string;
  readonly waitFor: WaitFor;
  /** Aborts when the caller has gone or its deadline is near. */
  readonly signal: AbortSignal;
};

/** What the pool made of a submission; "settled" when nothing of it is left to order. */
type Added = ReturnType<Pool["add"]> | "settled";

export class Submissions {
  readonly #ports: SubmissionsPorts;
  readonly #outcomes = new RecordOutcomes();
  readonly #objections: Objections;

  constructor(ports: SubmissionsPorts) {
    this.#ports = ports;
    this.#objections = new Objections(ports, {
      refuse: (recordHex, objection) => this.#refuse(recordHex, objection),
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
    const startedMs = this.#ports.monotonicMs();
    const submission = this.#parse(message);
    if (submission.participantId !== options.callerId) {
      const text = `the submission is ${submission.participantId}'s, the caller is ${options.callerId}`;
      const field = "submission.header.participant_id";
      throw new RpcError("CALLER_NOT_SUBMITTER", text, { field });
    }
    const watch = this.#outcomes.watch(submission.records.map(({ hashHex }) => hashHex));
    try {
      const screened = await this.#screen(submission);
      for (const record of screened.onLedger) {
        watch.note(record.hashHex, { kind: "placed", place: await this.#place(record) });
      }
      for (const objection of await this.#objectTo(submission, screened)) {
        watch.note(toHex(objection.recordHash), { kind: "refused", objection });
      }
      if (screened.accurate.length > 0) {
        await this.#enter(submission, screened, { ...options, watch });
        if (options.waitFor !== WaitFor.ACCEPTED) {
          const awaited = screened.accurate.map(({ hashHex }) => hashHex);
          if (!(await watch.all(awaited, options.signal))) throw this.#unfinished();
          this.#ports.observe.committed((this.#ports.monotonicMs() - startedMs) / 1_000);
        }
      }
      return await this.#ports.respond(outcomesOf(submission, watch.settled));
    } finally {
      watch.close();
    }
  }

  /** A submission that another manager relays: this manager's verdict on it. */
  async takeRelayed(message: Submission): Promise<readonly Objection[]> {
    const parsed = parseSubmission(this.#ports.consortiumId, message, this.#ports.policy);
    if (!parsed.ok || this.#ports.pool.has(parsed.value.idHex)) return [];
    const submission = parsed.value;
    const screened = await this.#screenAndPool(submission, { own: false });
    if (!screened.ok) return [];
    const { refused } = screened.value;
    if (refused.length === 0) {
      this.#ports.observe.verdict("accepted");
      this.#ports.sendVerdict(submission.id);
    }
    return this.#objectTo(submission, screened.value);
  }

  /** Another manager found a record wrong; `from` passes it on. */
  takeObjection(from: string, objection: Objection): Promise<void> {
    return this.#objections.take(from, objection);
  }

  /** Records that this manager left out of a block, as they break a rule there. */
  async reportObjections(
    objections: readonly RecordObjection[],
    executed: ExecutedBlock,
  ): Promise<void> {
    const { height, leafCount } = executed.facts;
    for (const { submission, record, violation: broken } of objections) {
      // What order decides is judged when the height is decided: others may have done so already,
      // with what the record needs. Without records the block itself has changed nothing else.
      const ofOrder = leafCount > 0 || reasonsOfOrder.has(broken.reason);
      const ledger = { height: ofOrder ? height : height - 1 };
      const objection = await this.#objections.raise(submission, record, { ...broken, ...ledger });
      this.#ports.sendObjection(objection);
      await this.#objections.consider(objection);
      this.#ports.pool.postpone(submission.idHex);
    }
  }

  /** A block has been appended. */
  async onAppended({ placed, facts }: ExecutedBlock, { block }: ManagerBlock): Promise<void> {
    for (const [i, { record, position }] of placed.entries()) {
      const { sealDigest } = defined(block?.leaves[i], "a block has a leaf for each record");
      const place = placeOf({ height: facts.height, position, sealDigest });
      this.#outcomes.settle(record.hashHex, { kind: "placed", place });
    }
    this.#ports.pool.settle(placed.map(({ record }) => record.hashHex));
    await this.#objections.onAppended();
    this.#ports.onPoolChanged();
  }

  /** Takes up what a stop left behind. */
  async restore(messages: readonly Submission[]): Promise<void> {
    for (const message of messages) {
      const parsed = parseSubmission(this.#ports.consortiumId, message, this.#ports.policy);
      if (!parsed.ok) continue;
      const screened = await this.#screenAndPool(parsed.value, { own: true });
      if (!screened.ok || screened.value.added === "settled") {
        await this.#ports.deletePooled([parsed.value.id]);
        continue;
      }
      this.#ports.relay(message);
      this.#ports.sendVerdict(parsed.value.id);
    }
  }

  #parse(message: Submission | undefined): ParsedSubmission {
    if (message === undefined) {
      const text = "the request holds no submission";
      throw new RpcError("SUBMISSION_MALFORMED", text, { field: "submission" });
    }
    const parsed = parseSubmission(this.#ports.consortiumId, message, this.#ports.policy);
    if (!parsed.ok) throw rpcErrorOfViolation(parsed.error, "submission");
    return parsed.value;
  }

  async #screen(submission: ParsedSubmission): Promise<Screened> {
    const screened = await screenSubmission(submission, this.#ports);
    if (!screened.ok) {
      this.#ports.observe.verdict("objected");
      throw rpcErrorOfViolation(screened.error, "submission");
    }
    const { refused } = screened.value;
    this.#ports.observe.verdict(refused.length === 0 ? "accepted" : "objected");
    return screened.value;
  }

  /** Into the pool, on disk if the caller is to be told that it is kept, and on to the others. */
  async #enter(
    submission: ParsedSubmission,
    screened: Screened,
    { waitFor, watch }: TakeOptions & { readonly watch: OutcomeWatch },
  ): Promise<void> {
    const { pool, savePooled, deletePooled, relay, sendVerdict } = this.#ports;
    const added = this.#addToPool(submission, screened, { own: true, watch });
    if (added === "full") {
      throw new RpcError("POOL_FULL", "the pool of submissions that wait to be ordered is full");
    }
    if (added === "settled") return;
    if (waitFor === WaitFor.ACCEPTED) {
      await savePooled(submission);
      // A block that completed it meanwhile has deleted what was not there yet.
      if (!pool.has(submission.idHex)) await deletePooled([submission.id]);
    }
    if (added === "known") return;
    relay(submission.message);
    sendVerdict(submission.id);
  }

  async #screenAndPool(
    submission: ParsedSubmission,
    { own }: { readonly own: boolean },
  ): Promise<Result<Screened & { readonly added: Added }, Violation>> {
    const watch = this.#outcomes.watch(submission.records.map(({ hashHex }) => hashHex));
    try {
      const screened = await screenSubmission(submission, this.#ports);
      if (!screened.ok) return screened;
      const added = this.#addToPool(submission, screened.value, { own, watch });
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
    { accurate }: Screened,
    { own, watch }: { readonly own: boolean; readonly watch: OutcomeWatch },
  ): Added {
    const { pool, monotonicMs, onPoolChanged } = this.#ports;
    const hashes = accurate.map(({ hashHex }) => hashHex);
    const unsettled = hashes.filter((hash) => !watch.settled.has(hash));
    if (unsettled.length === 0) return "settled";
    const added = pool.add(submission, { own, nowMs: monotonicMs(), unsettled });
    onPoolChanged();
    return added;
  }

  /** What this manager says of the records that break a rule, in their order. */
  #objectTo(
    submission: ParsedSubmission,
    { refused, height }: Screened,
  ): Promise<readonly Objection[]> {
    return Promise.all(
      refused.map(({ record, violation: broken }) =>
        this.#objections.raise(submission, record, { ...broken, height }),
      ),
    );
  }

  /** A record that waited is not going to be ordered. */
  async #refuse(recordHex: string, objection: Objection): Promise<void> {
    this.#outcomes.settle(recordHex, { kind: "refused", objection });
    const left = this.#ports.pool.settle([recordHex]);
    if (left.length > 0) await this.#ports.deletePooled(left);
    this.#ports.onPoolChanged();
  }

  async #place(record: ParsedRecord): Promise<RecordPlace> {
    const location = await this.#ports.locate(record.hash);
    return placeOf(defined(location, "a record on the ledger is in the index"));
  }

  /** The wait ended before the records were final. Nothing is lost: they stay in the pool. */
  #unfinished(): RpcError {
    const missing = this.#ports.whatIsMissing();
    if (missing !== undefined) return missing;
    const text = "not final before the deadline; nothing is lost, try again for the receipt";
    return new RpcError("DEADLINE", text);
  }
}

function placeOf({ height, position, sealDigest }: RecordLocation): RecordPlace {
  return create(RecordPlaceSchema, {
    height: BigInt(height),
    position: BigInt(position),
    sealDigest,
  });
}

function outcomesOf(
  submission: ParsedSubmission,
  settled: ReadonlyMap<string, RecordSettlement>,
): RecordOutcome[] {
  return submission.records.map(({ hash, hashHex }) => {
    const settlement = settled.get(hashHex);
    if (settlement === undefined) {
      return create(RecordOutcomeSchema, {
        recordHash: hash,
        outcome: { case: "pending", value: {} },
      });
    }
    const outcome =
      settlement.kind === "placed"
        ? ({ case: "committed", value: settlement.place } as const)
        : ({ case: "objection", value: settlement.objection } as const);
    return create(RecordOutcomeSchema, { recordHash: hash, outcome });
  });
}
