/**
 * A manager's own verdict on a submission, before anything is ordered: its signatures, and the
 * rules against the ledger as it stands. What comes of each record:
 *
 *     on the ledger     its submitter gets the first receipt
 *     refused           the ledger contradicts it for good, or nothing that is pending can cure it
 *     accurate          to be ordered; where only order decides, the block decides
 *     open              it lacks on the ledger what nothing that waits here would bring
 *
 * The state is read once for all records of a submission, and the work is done in small pieces, so
 * that votes pass between two of them. Submitters have turns (`Screener`).
 *
 * An open record may wait for something that is on its way from another manager. So it is looked at
 * again a moment later, and refused if it still lacks it; but only while this manager surely knows
 * all that is final. Otherwise what is lacking here may be on the others' ledgers, and the block
 * decides.
 */
import { defined } from "../../base/assert.js";
import { equalBytes, toHex } from "../../base/bytes.js";
import { FairLane } from "../../base/fair-lane.js";
import { err, ok, type Result } from "../../base/result.js";
import type { Time } from "../../base/time.js";
import { BlockExecution } from "../../ledger/blocks/execution.js";
import type { SignatureCheck } from "../../ledger/certificates/signature-check.js";
import { workOf, workOfAll } from "../../ledger/records/intervals.js";
import type { ParsedRecord } from "../../ledger/records/records.js";
import { checkRules, curableReasons, reasonsOfOrder } from "../../ledger/records/rules.js";
import {
  recordSignatureChecks,
  submissionSignatureCheck,
} from "../../ledger/records/signatures.js";
import type { ParsedSubmission } from "../../ledger/records/submissions.js";
import { readKeysOfSubmission } from "../../ledger/state/effects.js";
import type { PrefetchedState } from "../../ledger/state/state.js";
import { StateTables } from "../../ledger/state/state-tables.js";
import type { RuleReason, Violation } from "../../ledger/violation.js";
import { RpcError } from "../../rpc/rpc-error.js";
import type { ManagerContext } from "../manager-context.js";
import { CureIndex } from "../pool/cure-index.js";
import { type Causer, ScreeningBudget } from "./screening-budget.js";
import type { TipWatch } from "./tip-watch.js";

export type RecordRefusal = { readonly record: ParsedRecord; readonly violation: Violation };

export type Screened = {
  /** The height of the ledger against which the rules were run. */
  readonly height: number;
  /** To be ordered. */
  readonly accurate: readonly ParsedRecord[];
  readonly onLedger: readonly ParsedRecord[];
  readonly refused: readonly RecordRefusal[];
  /** What these lack may be on its way here, or final where this manager has not arrived yet. */
  readonly open: readonly ParsedRecord[];
};

export type ScreeningContext = Pick<
  ManagerContext,
  "policy" | "signatures" | "head" | "readState" | "wallMs"
> & {
  /** The pauses of work that begins now; see `pausesOf`. */
  readonly pauses: (restTimes?: () => number) => Pause;
  /** Whether something that waits, or is being voted on, may take the reason away. */
  readonly mightCure: (record: ParsedRecord, reason: RuleReason) => boolean;
};

/**
 * Records, each as many as its work, and signatures that are looked at before others have their
 * turn: a few ms of work.
 */
const recordsAtOnce = 100;
const signaturesAtOnce = 64;

/**
 * A submission's verdict; the refusal of the submission as a whole when its submitter's signature
 * does not hold. What is wrong with one record says nothing about the others.
 */
export async function screenSubmission(
  submission: ParsedSubmission,
  context: ScreeningContext,
): Promise<Result<Screened, Violation>> {
  const [verdict] = await screenTogether([submission], context);
  return defined(verdict, "there is one for each submission");
}

/**
 * The verdicts on several submissions, in their order, each as if it were alone. Their state is
 * read at once, as reading costs more than a small submission's rules.
 */
export async function screenTogether(
  submissions: readonly ParsedSubmission[],
  context: ScreeningContext,
): Promise<readonly Result<Screened, Violation>[]> {
  const { height } = context.head();
  const pause = context.pauses();
  const state = await context.readState(submissions.flatMap(readKeysOfSubmission));
  const records = submissions.flatMap((submission) => submission.records);
  // Few are one piece of work, and nobody rests for having waited for the disk.
  if (workOfAll(records) > recordsAtOnce) await pause();
  const tables = new StateTables(state);
  const signed = await Promise.all(
    submissions.map((submission) => checkSignatures(submission, tables, context, pause)),
  );
  const verdicts: Result<Screened, Violation>[] = [];
  let looked = 0;
  for (const [i, submission] of submissions.entries()) {
    const wrong = defined(signed[i], "the signatures of each were checked");
    if (!wrong.ok) {
      verdicts.push(wrong);
      continue;
    }
    const screening = new Screening(submission, state, context);
    for (const record of submission.records) {
      if (looked >= recordsAtOnce) {
        await pause();
        looked = 0;
      }
      screening.take(record, wrong.value.get(record));
      looked += workOf(record);
    }
    verdicts.push(ok({ height, ...screening.result() }));
  }
  return verdicts;
}

/**
 * The rule that each of these records of a submission breaks by itself on the ledger as it stands,
 * order included; those that keep all are not in the map.
 */
export async function violationsNow(
  submission: Pick<ParsedSubmission, "participantId">,
  records: readonly ParsedRecord[],
  context: ScreeningContext,
): Promise<{ readonly height: number; readonly broken: ReadonlyMap<ParsedRecord, Violation> }> {
  const { height } = context.head();
  const { participantId } = submission;
  const pause = context.pauses();
  const state = await context.readState(readKeysOfSubmission({ participantId, records }));
  const alone = new StateTables(state);
  const { policy } = context;
  const timestampMs = nextTimestampMs(context);
  const broken = new Map<ParsedRecord, Violation>();
  let looked = 0;
  for (const record of records) {
    if (looked >= recordsAtOnce) {
      await pause();
      looked = 0;
    }
    looked += workOf(record);
    const violation = checkRules({ record, submission, state: alone, timestampMs, policy });
    if (violation !== undefined) broken.set(record, violation);
  }
  return { height, broken };
}

/** The records of one submission, one after the other, each with those before it in place. */
class Screening {
  readonly #submission: ParsedSubmission;
  readonly #context: ScreeningContext;
  readonly #execution: BlockExecution;
  /** The ledger by itself. */
  readonly #ledger: StateTables;
  readonly #timestampMs: number;
  readonly #accurate: ParsedRecord[] = [];
  readonly #onLedger: ParsedRecord[] = [];
  readonly #refused: RecordRefusal[] = [];
  readonly #lacking: RecordRefusal[] = [];

  constructor(submission: ParsedSubmission, state: PrefetchedState, context: ScreeningContext) {
    const { height, members, frontier } = context.head();
    this.#submission = submission;
    this.#context = context;
    this.#ledger = new StateTables(state);
    this.#timestampMs = nextTimestampMs(context);
    this.#execution = new BlockExecution({
      state,
      policy: context.policy,
      members,
      timestampMs: this.#timestampMs,
      height: height + 1,
      firstPosition: frontier.size,
    });
  }

  take(record: ParsedRecord, wrongSignature: Violation | undefined): void {
    const violation = wrongSignature ?? this.#execution.tryRecord(record, this.#submission);
    if (violation === undefined) this.#accurate.push(record);
    else if (violation.reason === "RECORD_ON_LEDGER") this.#onLedger.push(record);
    else if (reasonsOfOrder.has(violation.reason)) this.#takeApart(record);
    else this.#refused.push({ record, violation });
  }

  result(): Omit<Screened, "height"> {
    const open: ParsedRecord[] = [];
    const openHashes = new Set<string>();
    const siblings = this.#lacking.length > 0 ? this.#siblings() : new CureIndex();
    for (const { record, violation } of this.#lacking) {
      const { reason } = violation;
      const { parent } = record;
      // What is to be looked at again decides about its versions, too.
      const hasOpenParent = parent !== undefined && openHashes.has(toHex(parent));
      const maybe =
        !hasOpenParent &&
        (siblings.mightCure(record, reason) || this.#context.mightCure(record, reason));
      if (maybe) {
        this.#accurate.push(record);
      } else {
        open.push(record);
        openHashes.add(record.hashHex);
      }
    }
    const [accurate, onLedger, refused] = [this.#accurate, this.#onLedger, this.#refused];
    return { accurate, onLedger, refused, open };
  }

  /**
   * A record for which order matters: the ledger alone may contradict it, and then nothing helps.
   * What only stands against another record of the submission is left to the block.
   */
  #takeApart(record: ParsedRecord): void {
    const { policy } = this.#context;
    const [submission, timestampMs] = [this.#submission, this.#timestampMs];
    const state = this.#ledger;
    const violation = checkRules({ record, submission, state, timestampMs, policy });
    if (violation === undefined) this.#accurate.push(record);
    else if (curableReasons.has(violation.reason)) this.#lacking.push({ record, violation });
    else this.#refused.push({ record, violation });
  }

  /** What the records of this submission bring to each other. */
  #siblings(): CureIndex {
    const siblings = new CureIndex();
    for (const record of this.#accurate) siblings.add(record);
    for (const { record, violation } of this.#lacking) {
      // It may be a parent; what energy it would bring counts if it only waits for its own parent.
      if (violation.reason === "PARENT_UNKNOWN") siblings.add(record);
      else siblings.addParent(record);
    }
    return siblings;
  }
}

/** The records with a signature inside that does not hold. */
async function checkSignatures(
  submission: ParsedSubmission,
  state: StateTables,
  { signatures }: ScreeningContext,
  pause: Pause,
): Promise<Result<ReadonlyMap<ParsedRecord, Violation>, Violation>> {
  const own = submissionSignatureCheck(submission, state);
  if (!own.ok) return own;
  if ((await signatures.firstInvalid([own.value])) !== undefined) return err(own.value.violation);
  const wrong = new Map<ParsedRecord, Violation>();
  const inside: (SignatureCheck & { readonly record: ParsedRecord })[] = [];
  for (const record of submission.records) {
    // Its signatures were verified when it got there.
    if (state.records.get(record.hash) !== undefined) continue;
    const checks = recordSignatureChecks(record, submission.header.consortiumId, state);
    if (!checks.ok) wrong.set(record, checks.error);
    else inside.push(...checks.value.map((check) => ({ ...check, record })));
  }
  for (let from = 0; from < inside.length; from += signaturesAtOnce) {
    const some = inside.slice(from, from + signaturesAtOnce);
    for (const { record, violation } of await signatures.invalidOf(some)) {
      if (!wrong.has(record)) wrong.set(record, violation);
    }
    await pause();
  }
  return ok(wrong);
}

function nextTimestampMs({ head, wallMs }: ScreeningContext): number {
  return Math.max(wallMs(), head().timestampMs + 1);
}

export type Pause = () => Promise<void>;

/** A piece that took longer was held up by something else. */
const pauseMaxMs = 50;

/** Until when those rest that make way for others: they do so one after the other. */
export type SharedRest = { untilMs: number };

/**
 * The pauses of long work on submissions, between its pieces; the work begins now. A node is one
 * thread: while a height is being voted on, a pause is `restTimes` as long as the piece before it.
 * So the ring has at least half of the thread, however much there is to screen, and no manager is
 * found absent because of it. Where the pause is longer than the piece, all work that shares the
 * rests has no more of the thread than one alone.
 */
export function pausesOf(
  { monotonicMs, after, breathe }: Pick<Time, "monotonicMs" | "after" | "breathe">,
  isVoting: () => boolean,
  shared: SharedRest = { untilMs: 0 },
  restTimes: () => number = () => 1,
): Pause {
  let resumedMs = monotonicMs();
  const restOf = (workedMs: number, nowMs: number) => {
    const times = restTimes();
    if (times <= 1) return workedMs * times;
    shared.untilMs = Math.max(shared.untilMs, nowMs) + workedMs * times;
    return shared.untilMs - nowMs;
  };
  return async () => {
    const nowMs = monotonicMs();
    const workedMs = Math.min(nowMs - resumedMs, pauseMaxMs);
    if (isVoting()) {
      const restMs = restOf(workedMs, nowMs);
      await new Promise<void>((resolve) => after(restMs, resolve));
    } else {
      await breathe();
    }
    resumedMs = monotonicMs();
  };
}

type Group = {
  readonly submissions: ParsedSubmission[];
  /** In records. */
  work: number;
  readonly verdicts: Promise<readonly Result<Screened, Violation>[]>;
};

/**
 * Small submissions whose turn it is: what comes while some are being screened is screened next,
 * together. So a lone one does not wait, and many share a reading of the state and a pause.
 */
class ScreenedTogether {
  readonly #context: ScreeningContext;
  /** The one that still takes submissions, as those before it are not done. */
  #open: Group | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(context: ScreeningContext) {
    this.#context = context;
  }

  async screen(submission: ParsedSubmission): Promise<Result<Screened, Violation>> {
    const work = workOfAll(submission.records);
    const hasRoom = this.#open !== undefined && this.#open.work + work <= recordsAtOnce;
    const group = hasRoom && this.#open !== undefined ? this.#open : this.#newGroup();
    const place = group.submissions.push(submission) - 1;
    group.work += work;
    const verdicts = await group.verdicts;
    return defined(verdicts[place], "there is one for each submission");
  }

  /** Begins when the one before it is done. */
  #newGroup(): Group {
    const submissions: ParsedSubmission[] = [];
    // Whoever waits for those that fail hears of it.
    const before = this.#last.catch(() => {});
    const verdicts = before.then(() => {
      if (this.#open?.submissions === submissions) this.#open = undefined;
      return screenTogether(submissions, this.#context);
    });
    this.#last = verdicts;
    this.#open = { submissions, work: 0, verdicts };
    return this.#open;
  }
}

export type ScreenerContext = ScreeningContext &
  Pick<ManagerContext, "monotonicMs"> & {
    readonly time: Pick<Time, "after">;
    /** Whether so much of a participant waits that the next blocks are full without more. */
    readonly isAhead: (participantId: string) => boolean;
  };

/** Of a caller, while it waits for the turn of its submission. */
export type Waiting = {
  /** Aborts when nobody waits any more. */
  readonly signal?: AbortSignal;
  /** Runs when the turn has come; what it throws ends the wait, and costs the caller nothing. */
  readonly onTurn?: () => Promise<void>;
};

/** What the second look at open records says: nothing is open any more. */
export type SecondLook = Omit<Screened, "open">;

/**
 * Large submissions are worked on one at a time; of small ones some have their turn together, and
 * are screened together as soon as those before them are.
 */
const largeRecordsMin = 50;
/**
 * How long large ones rest between their pieces, in times of a piece: while somebody else's small
 * one may be in a block that is voted on, so that it has three quarters of the thread, and nine
 * tenths if the participant of the large one fills the next blocks without it.
 */
const restTimes = { alone: 1, besideSmall: 3, ahead: 9 } as const;
/** So long after a small one came: longer than one takes under load. */
const besideSmallMs = 5_000;
const atOnceMax = { large: 1, small: 16, smallOfCauser: 8 } as const;
/** Longer than a submission takes from one manager to another. */
const graceMs = 250;
/**
 * Submissions with open records that wait for their second look: of one causer, who beyond gets it
 * at once, and of all; beyond, the block decides.
 */
const waitingOfCauserMax = 100;
const waitingMax = 1_000;
/** The signal of work that has to be done even if nobody waits for it. */
const never = new AbortController().signal;

export class Screener {
  readonly #context: ScreenerContext;
  readonly #tip: Pick<TipWatch, "knowsAllFinal">;
  readonly #large = new FairLane(atOnceMax.large);
  readonly #small = new FairLane(atOnceMax.small, atOnceMax.smallOfCauser);
  readonly #together: ScreenedTogether;
  readonly budget: ScreeningBudget;
  /** Submissions that wait for their second look, by who causes them. */
  readonly #waiting = new Map<string, number>();
  #waitingCount = 0;
  /** Whose the last small submission was and when it came, and the last one of anybody else. */
  #lastSmall = { participantId: "", ms: Number.NEGATIVE_INFINITY };
  #lastOfOthers = this.#lastSmall;

  constructor(context: ScreenerContext, tip: Pick<TipWatch, "knowsAllFinal">) {
    this.#context = context;
    this.#tip = tip;
    this.budget = new ScreeningBudget(context.monotonicMs);
    this.#together = new ScreenedTogether(context);
  }

  /**
   * Runs `work` on so many records, each as many as its work, when it is the turn of `causer`, if
   * anybody still waits for it then. Callers are one group, what each manager relays is another.
   *
   * @throws RpcError DEADLINE when nobody does
   */
  inTurn<T>(
    causer: Causer,
    recordCount: number,
    work: (pause: Pause) => Promise<T>,
    signal: AbortSignal = never,
  ): Promise<T> {
    const isLarge = recordCount >= largeRecordsMin;
    const participantId = causer.kind === "caller" ? causer.id : causer.participantId;
    if (!isLarge) this.#noteSmall(participantId);
    const piece = async () => {
      if (signal.aborted) throw unheard();
      const pause = this.#pausesWhileHeard(participantId, signal);
      const result = await work(pause);
      if (isLarge) await pause();
      return result;
    };
    const lane = isLarge ? this.#large : this.#small;
    if (causer.kind === "caller") return lane.run(causer.id, piece, "callers");
    if (causer.kind === "own") return lane.run(causer.participantId, piece, "own");
    return lane.run(causer.participantId, piece, `manager ${causer.id}`);
  }

  /**
   * The same piece by piece, within the causer's budget; what does not come to a result was in
   * vain.
   */
  parsed<T>(
    causer: Causer,
    recordCount: number,
    parse: () => Generator<undefined, T>,
    { signal, onTurn }: Waiting = {},
  ): Promise<T> {
    const found = () => ({ refused: [], onLedger: [] });
    const paid = async (pause: Pause) => {
      await onTurn?.();
      const work = async () => {
        const parsing = parse();
        for (;;) {
          const step = parsing.next();
          if (step.done) return step.value;
          await pause();
        }
      };
      return this.budget.spend(causer, recordCount, work, found);
    };
    return this.inTurn(causer, recordCount, paid, signal);
  }

  screen(
    causer: Causer,
    submission: ParsedSubmission,
    { signal, onTurn }: Waiting = {},
  ): Promise<Result<Screened, Violation>> {
    const length = workOfAll(submission.records);
    const isLarge = length >= largeRecordsMin;
    const paid = async (pause: Pause) => {
      await onTurn?.();
      const context = { ...this.#context, pauses: () => pause };
      const work = () =>
        isLarge ? screenSubmission(submission, context) : this.#together.screen(submission);
      return this.budget.spend(causer, length, work, (found) =>
        found.ok ? found.value : undefined,
      );
    };
    return this.inTurn(causer, length, paid, signal);
  }

  /** One whose submitter is not known before it is parsed is noted when it is screened. */
  #noteSmall(participantId: string): void {
    if (participantId === "") return;
    if (participantId !== this.#lastSmall.participantId) this.#lastOfOthers = this.#lastSmall;
    this.#lastSmall = { participantId, ms: this.#context.monotonicMs() };
  }

  /** Of work on records that has time while small submissions come. */
  pauses(): Pause {
    return this.#pauses("");
  }

  /** Of a large submission of the participant. */
  #pauses(participantId: string): Pause {
    const { monotonicMs } = this.#context;
    return this.#context.pauses(() => {
      const isOwn = this.#lastSmall.participantId === participantId;
      const { ms } = isOwn ? this.#lastOfOthers : this.#lastSmall;
      if (monotonicMs() - ms >= besideSmallMs) return restTimes.alone;
      return this.#context.isAhead(participantId) ? restTimes.ahead : restTimes.besideSmall;
    });
  }

  /** Work that nobody waits for any more ends at its next pause. */
  #pausesWhileHeard(participantId: string, signal: AbortSignal): Pause {
    const pause = this.#pauses(participantId);
    return async () => {
      await pause();
      if (signal.aborted) throw unheard();
    };
  }

  async lookAgain(
    causer: Causer,
    submission: ParsedSubmission,
    { height, open }: Pick<Screened, "height" | "open">,
    signal: AbortSignal = never,
  ): Promise<SecondLook> {
    const isBusy = this.#waitingCount >= waitingMax;
    if (open.length === 0 || isBusy || !this.#tip.knowsAllFinal) {
      return { height, accurate: open, onLedger: [], refused: [] };
    }
    await this.#grace(causer.kind === "own" ? "" : causer.id);
    const work = () => this.#lookAgain(submission, open);
    const price = workOfAll(open);
    const paid = () => this.budget.spend(causer, price, work, (found) => found);
    return this.inTurn(causer, price, paid, signal);
  }

  async #lookAgain(
    submission: ParsedSubmission,
    open: readonly ParsedRecord[],
  ): Promise<SecondLook> {
    const { head, mightCure } = this.#context;
    const { height, broken } = await violationsNow(submission, open, this.#context);
    // Nothing has left the pool for a block that is not in this state.
    const isSure = this.#tip.knowsAllFinal && head().height === height;
    const accurate: ParsedRecord[] = [];
    const onLedger: ParsedRecord[] = [];
    const refused: RecordRefusal[] = [];
    const hasParent = ({ parent }: ParsedRecord) =>
      parent !== undefined && accurate.some(({ hash }) => equalBytes(hash, parent));
    for (const record of open) {
      const violation = broken.get(record);
      if (violation === undefined) accurate.push(record);
      else if (violation.reason === "PARENT_UNKNOWN" && hasParent(record)) accurate.push(record);
      else if (violation.reason === "RECORD_ON_LEDGER") onLedger.push(record);
      else if (!curableReasons.has(violation.reason)) refused.push({ record, violation });
      else if (isSure && !mightCure(record, violation.reason)) refused.push({ record, violation });
      else accurate.push(record);
    }
    return { height, accurate, onLedger, refused };
  }

  async #grace(causerId: string): Promise<void> {
    const waiting = this.#waiting.get(causerId) ?? 0;
    if (waiting >= waitingOfCauserMax) return;
    this.#waiting.set(causerId, waiting + 1);
    this.#waitingCount += 1;
    await new Promise<void>((resolve) => this.#context.time.after(graceMs, resolve));
    this.#waitingCount -= 1;
    const left = (this.#waiting.get(causerId) ?? 1) - 1;
    if (left > 0) this.#waiting.set(causerId, left);
    else this.#waiting.delete(causerId);
  }
}

function unheard(): RpcError {
  return new RpcError("DEADLINE", "nobody waits for the answer any more; nothing was taken in");
}
