/**
 * The pool: submissions that this manager has checked and that wait for a block. Participants have
 * turns in it; what one of them brings is in the order of its arrival. It holds no connections and
 * reads no clock.
 *
 * What one participant may have here is a part of what is free, so that it shrinks as others come,
 * and whoever is new finds a place however many fill it.
 *
 * A submission is *ripe*, ready to be ordered, once every other active manager has said that it
 * finds it accurate too, or once `verdictWaitMs` has passed since it came: a manager that is slow
 * or down does not hold it up, it will see it in the block. A submission leaves when each of its
 * records is settled: on the ledger, or refused.
 */
import { defined } from "../../base/assert.js";
import { toHex } from "../../base/bytes.js";
import { poolShareOfFree } from "../../config/limit-settings.js";
import type { Submission } from "../../gen/bss/v1/record_pb.js";
import type { KnownWork } from "../../ledger/blocks/known-work.js";
import { workOfAll } from "../../ledger/records/intervals.js";
import type { ParsedRecord, SealedLeaf } from "../../ledger/records/records.js";
import {
  decodedBytesOf,
  memoryBytesOf,
  type ParsedSubmission,
  parsingWorkOf,
  pooledBytesOf,
} from "../../ledger/records/submissions.js";
import type { RuleReason } from "../../ledger/violation.js";
import type { PoolLimits } from "../../store/chain/pooled-submissions.js";
import type { Causer } from "../screening/screening-budget.js";
import { CureIndex } from "./cure-index.js";
import { FairOrder, type Turn } from "./fair-order.js";
import { noVainTries, oneMore, type VainTries } from "./vain-tries.js";
import { wholeCost } from "./waiting-costs.js";

/** Bytes that count as much as a record when participants have turns. */
const bytesPerTurn = 1_024;
/** What one empty block has relayed again. */
const relaysAgainMax = 16;
/** Records of a submission that is worth waiting for when all else fills a block. */
const loneRecordsMax = 40;
/** Verdicts that came before their submission, remembered for it. */
const earlyVerdictsMax = 10_000;

export type WaitingSubmission = {
  readonly submission: ParsedSubmission;
  /** Record hashes, hex, that are neither on the ledger nor refused, with who brought each. */
  readonly unsettled: ReadonlyMap<string, Causer>;
};

type Pooled = WaitingSubmission & {
  /** Taken in here, so this manager relays it. */
  own: boolean;
  readonly arrivedMs: number;
  readonly byteCount: number;
  readonly turn: Turn;
  /** What each of its records costs of the turn. */
  readonly recordCost: number;
  /** What each of its records is to a block, in records, on average. */
  readonly workOfEach: number;
  readonly verdicts: Set<string>;
  readonly unsettled: Map<string, Causer>;
  /** Blocks without records since the last one with records, while it was ripe. */
  vain: VainTries | undefined;
};

/** A block that could hold records and has none. */
export type EmptyBlock = {
  readonly nowMs: number;
  /** The manager that made it; undefined for this one. */
  readonly maker: string | undefined;
  /** The other active managers. */
  readonly awaited: readonly string[];
};

/** To be relayed again, to those that have not said that they find it accurate. */
export type RelayAgain = { readonly waiting: WaitingSubmission; readonly to: readonly string[] };

/** What one participant has in the pool, and what of it came last, which may have left. */
type Held = { readonly submissions: number; readonly bytes: number; readonly latest: Pooled };

/** A record that is unsettled, with everything that brings it. */
type PendingRecord = {
  readonly record: ParsedRecord;
  /** The first that brought it, and the others, which few records have. */
  readonly holder: Pooled;
  others: Set<Pooled> | undefined;
  sealed: SealedLeaf | undefined;
};

export type PoolOptions = {
  readonly limits: PoolLimits;
  readonly verdictWaitMs: number;
};

export class Pool implements KnownWork {
  readonly #options: PoolOptions;
  readonly #byId = new Map<string, Pooled>();
  readonly #byRecord = new Map<string, PendingRecord>();
  /** Of the records that are unsettled. */
  readonly #cures = new CureIndex();
  readonly #heldBy = new Map<string, Held>();
  readonly #order = new FairOrder();
  readonly #earlyVerdicts = new Map<string, Set<string>>();
  #byteCount = 0;
  /** Blocks with records that were appended. */
  #placings = 0;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  get submissionCount(): number {
    return this.#byId.size;
  }

  /** What each participant has here of whom something waits, as its turns count it. */
  get waitingOfEach(): readonly number[] {
    return this.#order.costs;
  }

  /** What blocks take until so much more of a participant is placed, itself included. */
  costUntil(participantId: string, cost: number): number {
    return this.#order.costUntil(participantId, cost);
  }

  /** What a participant has here, as its turns count it: records, and KiB. */
  waitingOf(participantId: string): number {
    return this.#order.costOf(participantId);
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
  own(): readonly WaitingSubmission[] {
    return [...this.#byId.values()].filter(({ own }) => own);
  }

  /** A submission that waits, and the hashes in hex of its records that are unsettled. */
  waiting(idHex: string): WaitingSubmission | undefined {
    return this.#byId.get(idHex);
  }

  submission(idHex: string): ParsedSubmission | undefined {
    return this.#byId.get(idHex)?.submission;
  }

  sealed(hashHex: string): SealedLeaf | undefined {
    return this.#byRecord.get(hashHex)?.sealed;
  }

  /** Keeps what `seal` makes of a record, if the record is unsettled and not sealed yet. */
  seal(hashHex: string, seal: (record: ParsedRecord) => SealedLeaf): void {
    const pending = this.#byRecord.get(hashHex);
    if (pending !== undefined) pending.sealed ??= seal(pending.record);
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

  /**
   * Whether there is room for a submission of a participant: "full" when there is none for anybody,
   * "share" when the participant has its part. Whoever has nothing here is let in while there is.
   */
  roomFor(participantId: string, byteCount: number): "room" | "full" | "share" {
    const { submissionsMax, bytesMax } = this.#options.limits;
    const free = {
      submissions: submissionsMax - this.#byId.size - 1,
      bytes: bytesMax - this.#byteCount - byteCount,
    };
    if (free.submissions < 0 || free.bytes < 0) return "full";
    const held = this.#heldBy.get(participantId);
    if (held === undefined) return "room";
    const fits =
      held.submissions + 1 <= free.submissions * poolShareOfFree &&
      held.bytes + byteCount <= free.bytes * poolShareOfFree;
    return fits ? "room" : "share";
  }

  /**
   * Adds a submission of which `unsettled` records are to be ordered, if there is room for it. It
   * has "grown" when it was here, but not with all of these, or not as one that was taken in here.
   */
  add(
    submission: ParsedSubmission,
    options: {
      readonly causer: Causer;
      readonly nowMs: number;
      readonly unsettled: readonly string[];
    },
  ): "added" | "grown" | "known" | "full" | "share" {
    const known = this.#byId.get(submission.idHex);
    const own = options.causer.kind !== "manager";
    if (known !== undefined) {
      const before = known.unsettled.size;
      this.#takeUp(known, options.unsettled, options.causer);
      const isNews = known.unsettled.size > before || (own && !known.own);
      known.own ||= own;
      return isNews ? "grown" : "known";
    }
    const { records } = submission;
    const byteCount = pooledBytesOf(submission.message) + decodedBytesOf(records);
    const { participantId } = submission;
    const room = this.roomFor(participantId, byteCount);
    // What a stop left behind was within its share when it was taken in.
    const isKept = options.causer.kind === "own" && room === "share";
    if (room !== "room" && !isKept) return room;
    const count = Math.max(1, options.unsettled.length);
    const workOfEach = workOfAll(records) / records.length;
    const recordCost = wholeCost(workOfEach + turnsOfBytes(submission.message) / count);
    const pooled: Pooled = {
      submission,
      own,
      arrivedMs: options.nowMs,
      byteCount,
      turn: this.#order.enter(participantId, recordCost * count),
      recordCost,
      workOfEach,
      verdicts: this.#earlyVerdicts.get(submission.idHex) ?? new Set(),
      unsettled: new Map(options.unsettled.map((hash) => [hash, options.causer])),
      vain: undefined,
    };
    this.#earlyVerdicts.delete(submission.idHex);
    this.#byId.set(submission.idHex, pooled);
    for (const record of submission.records) this.#hold(record, pooled);
    this.#byteCount += byteCount;
    const { submissions = 0, bytes = 0 } = this.#heldBy.get(participantId) ?? {};
    this.#heldBy.set(participantId, {
      submissions: submissions + 1,
      bytes: bytes + byteCount,
      latest: pooled,
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
   * Ripe submissions with up to `recordsMax` records in all, each as many as its work, in turn of
   * their participants; of each
   * in the order of arrival, those that were postponed last. `awaited` are the other active
   * managers.
   */
  ripe(nowMs: number, awaited: readonly string[], recordsMax: number): readonly ParsedSubmission[] {
    this.#order.place();
    const all = [...this.#allRipe(nowMs, awaited)];
    const ordered = all.sort((a, b) => a.turn.finish - b.turn.finish);
    const found: ParsedSubmission[] = [];
    let records = 0;
    for (const pooled of ordered) {
      found.push(pooled.submission);
      records += pooled.unsettled.size * pooled.workOfEach;
      if (records >= recordsMax) break;
    }
    return found;
  }

  /**
   * Whether a submission that is ripe calls for a block now, with records besides `placed`, which
   * are hashes in hex.
   */
  calls(nowMs: number, awaited: readonly string[], placed?: ReadonlySet<string>): boolean {
    for (const pooled of this.#byId.values()) {
      const { vain } = pooled;
      const waits = vain?.since === this.#placings && nowMs < vain.callsAtMs;
      if (waits || !this.#isRipe(pooled, nowMs, awaited)) continue;
      if (placed === undefined || hasOthers(pooled, placed)) return true;
    }
    return false;
  }

  /** Whether a submission of few records is not ripe yet that is all that its participant has. */
  loneIsUnripe(nowMs: number, awaited: readonly string[]): boolean {
    for (const { submissions, latest } of this.#heldBy.values()) {
      const { submission, unsettled, workOfEach } = latest;
      const isLone = submissions === 1 && this.#byId.has(submission.idHex);
      if (!isLone || unsettled.size * workOfEach > loneRecordsMax) continue;
      if (!this.#isRipe(latest, nowMs, awaited)) return true;
    }
    return false;
  }

  /**
   * What is ripe calls for the next block later, if it had a chance: this manager made the block,
   * or one that has found it accurate did, or there was one of each active manager. Returns what
   * others may have missed, as a queue was full or they had no time for it.
   */
  triedInVain({ nowMs, maker, awaited }: EmptyBlock): readonly RelayAgain[] {
    const fresh = noVainTries(this.#placings);
    const again: RelayAgain[] = [];
    for (const pooled of this.#allRipe(nowMs, awaited)) {
      const { verdicts } = pooled;
      const vain = pooled.vain?.since === fresh.since ? pooled.vain : fresh;
      const to = vain.passed > 0 ? [] : awaited.filter((id) => !verdicts.has(id));
      if (pooled.own && to.length > 0 && again.length < relaysAgainMax) {
        again.push({ waiting: pooled, to });
      }
      const hadChance = maker === undefined || verdicts.has(maker);
      pooled.vain = oneMore(vain, { nowMs, hadChance, others: awaited.length });
    }
    return again;
  }

  /**
   * Records that are ripe, or came less than `unripeMs` ago, besides `placed`, which are hashes in
   * hex. It counts up to `max`.
   */
  ripeCount(
    nowMs: number,
    awaited: readonly string[],
    options: {
      readonly max: number;
      readonly placed?: ReadonlySet<string>;
      readonly unripeMs?: number;
    },
  ): number {
    const { max, placed, unripeMs = 0 } = options;
    let records = 0;
    for (const pooled of this.#byId.values()) {
      const isNew = nowMs - pooled.arrivedMs < unripeMs;
      if (!isNew && !this.#isRipe(pooled, nowMs, awaited)) continue;
      for (const hash of pooled.unsettled.keys()) if (placed?.has(hash) !== true) records += 1;
      if (records >= max) return max;
    }
    return records;
  }

  /** Whether something is ripe of a participant who has none of `placed`, hashes in hex. */
  hasRipeOfOthers(nowMs: number, awaited: readonly string[], placed: ReadonlySet<string>): boolean {
    const placedOf = new Set<string>();
    for (const hash of placed) {
      const holder = this.#byRecord.get(hash)?.holder;
      if (holder !== undefined) placedOf.add(holder.submission.participantId);
    }
    for (const { submission } of this.#allRipe(nowMs, awaited)) {
      if (!placedOf.has(submission.participantId)) return true;
    }
    return false;
  }

  /** A block holds records: what was tried in vain may be right by now. */
  recordsPlaced(): void {
    this.#placings += 1;
  }

  *#allRipe(nowMs: number, awaited: readonly string[]): Generator<Pooled> {
    for (const pooled of this.#byId.values()) {
      if (this.#isRipe(pooled, nowMs, awaited)) yield pooled;
    }
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
    this.#order.postpone(pooled.turn);
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
   * These records are on the ledger: those that wait come nearer to their turns. Returns what of
   * these was served.
   */
  placed(recordHexes: readonly string[]): number {
    const among = this.#order.causerCount;
    let served = 0;
    for (const hash of recordHexes) {
      const pending = this.#byRecord.get(hash);
      if (pending === undefined) continue;
      const { holder, others } = pending;
      this.#order.serve(holder.turn, holder.recordCost);
      served += holder.recordCost;
      for (const { turn, recordCost } of others ?? []) this.#order.giveBack(turn, recordCost);
    }
    this.#settle(recordHexes);
    this.#order.advance(served, among);
    return served;
  }

  /** These records are refused. Returns the ids of submissions that left with them. */
  refuse(recordHexes: readonly string[]): readonly Uint8Array[] {
    for (const hash of recordHexes) {
      const pending = this.#byRecord.get(hash);
      if (pending === undefined) continue;
      for (const { turn, recordCost } of holdersOf(pending)) this.#order.giveBack(turn, recordCost);
    }
    return this.#settle(recordHexes);
  }

  #settle(recordHexes: Iterable<string>): readonly Uint8Array[] {
    const left: Uint8Array[] = [];
    for (const hash of recordHexes) {
      const pending = this.#byRecord.get(hash);
      if (pending === undefined) continue;
      for (const pooled of holdersOf(pending)) {
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
  #takeUp(pooled: Pooled, unsettled: readonly string[], causer: Causer): void {
    const before = pooled.unsettled.size;
    for (const hash of unsettled) {
      if (!pooled.unsettled.has(hash)) pooled.unsettled.set(hash, causer);
    }
    this.#order.grow(pooled.turn, pooled.recordCost * (pooled.unsettled.size - before));
    for (const record of pooled.submission.records) this.#hold(record, pooled);
  }

  #hold(record: ParsedRecord, pooled: Pooled): void {
    if (!pooled.unsettled.has(record.hashHex)) return;
    const known = this.#byRecord.get(record.hashHex);
    if (known === undefined) {
      const pending = { record, holder: pooled, others: undefined, sealed: undefined };
      this.#byRecord.set(record.hashHex, pending);
      this.#cures.add(record);
    } else if (known.holder !== pooled) {
      known.others ??= new Set();
      known.others.add(pooled);
    }
  }

  #isRipe(pooled: Pooled, nowMs: number, awaited: readonly string[]): boolean {
    if (nowMs - pooled.arrivedMs >= this.#options.verdictWaitMs) return true;
    return awaited.every((managerId) => pooled.verdicts.has(managerId));
  }

  #remove({ submission, byteCount, turn }: Pooled): void {
    this.#byId.delete(submission.idHex);
    this.#order.leave(turn);
    this.#byteCount -= byteCount;
    const held = defined(
      this.#heldBy.get(submission.participantId),
      "whose submission is in the pool holds something",
    );
    const submissions = held.submissions - 1;
    const rest = { ...held, submissions, bytes: held.bytes - byteCount };
    if (submissions > 0) this.#heldBy.set(submission.participantId, rest);
    else this.#heldBy.delete(submission.participantId);
  }
}

/** What a submission costs of its participant's turns, as far as one knows before it is parsed. */
export function turnCostOf(message: Submission): number {
  return wholeCost(parsingWorkOf(message) + turnsOfBytes(message));
}

/** The part of that which its bytes cost, whatever work its records are. */
function turnsOfBytes(message: Submission): number {
  return memoryBytesOf(message) / bytesPerTurn;
}

function holdersOf({ holder, others }: PendingRecord): readonly Pooled[] {
  return others === undefined ? [holder] : [holder, ...others];
}

function hasOthers({ unsettled }: Pooled, placed: ReadonlySet<string>): boolean {
  for (const hash of unsettled.keys()) if (!placed.has(hash)) return true;
  return false;
}
