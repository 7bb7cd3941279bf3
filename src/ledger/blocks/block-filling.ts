/**
 * Which of the waiting records go into a block, and in which order.
 *
 * Candidates are tried in the order in which they are given. A record may come before another that
 * it needs: a trade before the reading that covers it, an update before its parent. So a record
 * that was refused for such a reason waits for what it lacks, its parent or the sums of one
 * participant in one delivery interval. It is tried again, in that order, once a record is placed
 * that is this parent or changes these sums. Only a placement makes a record be tried again, and
 * each is so a few times only: nobody can make a proposer work without end, or use up the retries
 * of others.
 */
import { create } from "@bufbuild/protobuf";
import { defined } from "../../base/assert.js";
import { toHex } from "../../base/bytes.js";
import { type PrivateEntry, PrivateEntrySchema } from "../../gen/bss/v1/block_pb.js";
import type { Policy } from "../../gen/bss/v1/genesis_pb.js";
import { type EnergyUse, namesOf, usesThatLack } from "../kinds/energy.js";
import { kindOf } from "../kinds/kinds.js";
import { blockIntervalsMax, intervalsOf } from "../records/intervals.js";
import type { ParsedRecord } from "../records/records.js";
import { curableReasons } from "../records/rules.js";
import type { ParsedSubmission } from "../records/submissions.js";
import { type RuleReason, type Violation, violation } from "../violation.js";
import type { BlockExecution } from "./execution.js";

/** A record that breaks a rule even after all that the block adds: its submitter gets it back. */
export type RecordObjection = {
  readonly submission: ParsedSubmission;
  readonly record: ParsedRecord;
  readonly violation: Violation;
};

/** A record that an earlier block added. */
export type DuplicateRecord = Omit<RecordObjection, "violation">;

export type Filling = {
  /** What the block adds, in the order of its leaves. */
  readonly entries: readonly PrivateEntry[];
  readonly objections: readonly RecordObjection[];
  readonly duplicates: readonly DuplicateRecord[];
};

type FillingOptions = {
  readonly execution: BlockExecution;
  readonly candidates: readonly ParsedSubmission[];
  readonly policy: Policy;
  /** At most, where each counts as much as its work (records/intervals.ts). */
  readonly recordsMax: number;
  /**
   * Hashes, in hex, of records that are left out and not reported, such as those that others
   * object to.
   */
  readonly excluded: ReadonlySet<string>;
};

/** Each record that was refused is tried again at most this often. */
const retriesPerRecord = 4;

type Candidate = {
  readonly submission: ParsedSubmission;
  /** Of the record in its submission. */
  readonly index: number;
  readonly record: ParsedRecord;
  /** Its number among all candidates, in the order in which they are tried. */
  readonly number: number;
};

type EntryDraft = { readonly submission: ParsedSubmission; readonly recordIndexes: number[] };

/** Places as many candidates as fit and keep the rules. */
export function fillBlock(options: FillingOptions): Filling {
  const filler = new BlockFiller(options);
  filler.run();
  return filler.result();
}

class BlockFiller {
  readonly #options: FillingOptions;
  readonly #entries: EntryDraft[] = [];
  readonly #duplicates: DuplicateRecord[] = [];
  /** The last refusal of each candidate that was refused. */
  readonly #refused = new Map<Candidate, Violation>();
  /** A parent or sums, by name → records that wait for them. */
  readonly #waiting = new Map<string, Set<Candidate>>();
  #woken = new Set<Candidate>();
  readonly #retries = new Map<Candidate, number>();
  /** Whether a record was not tried again that should have been. */
  #isCutShort = false;
  #headerBytes = 0;
  #full = false;

  constructor(options: FillingOptions) {
    this.#options = options;
  }

  run(): void {
    for (const candidate of this.#candidates()) {
      if (this.#full) return;
      this.#try(candidate);
    }
    while (this.#woken.size > 0) {
      const round = [...this.#woken].sort((a, b) => a.number - b.number);
      this.#woken = new Set();
      for (const candidate of round) {
        if (this.#full) return;
        this.#retry(candidate);
      }
    }
  }

  result(): Filling {
    // What a full block left out, or a retry that was not made, might still cure a record.
    const isOpen = this.#full || this.#isCutShort;
    const objections: RecordObjection[] = [];
    for (const [candidate, violation] of this.#refused) {
      if (this.#options.execution.hasPlaced(candidate.record.hashHex)) continue;
      if (isOpen && curableReasons.has(violation.reason)) continue;
      objections.push({ submission: candidate.submission, record: candidate.record, violation });
    }
    const entries = this.#entries.map(({ submission, recordIndexes }) =>
      create(PrivateEntrySchema, {
        submissionHeader: submission.headerBytes,
        signature: submission.signature,
        recordIndexes,
      }),
    );
    return { entries, objections, duplicates: this.#duplicates };
  }

  *#candidates(): Generator<Candidate> {
    let number = 0;
    for (const submission of this.#options.candidates) {
      for (const [index, record] of submission.records.entries()) {
        if (this.#options.excluded.has(record.hashHex)) continue;
        yield { submission, index, record, number };
        number += 1;
      }
    }
  }

  #retry(candidate: Candidate): void {
    const retries = (this.#retries.get(candidate) ?? 0) + 1;
    if (retries > retriesPerRecord) {
      this.#isCutShort = true;
      return;
    }
    this.#retries.set(candidate, retries);
    this.#try(candidate);
  }

  #try(candidate: Candidate): void {
    const { execution } = this.#options;
    const { submission, record } = candidate;
    // The same record may wait in two submissions: the first one places it.
    if (execution.hasPlaced(record.hashHex)) return;
    const tooLong = fitsNoBlock(candidate, this.#options.policy);
    this.#full = tooLong === undefined && !this.#hasRoomFor(candidate);
    if (this.#full) return;
    const broken = tooLong ?? execution.tryRecord(record, submission);
    if (broken === undefined) this.#notePlaced(candidate);
    else if (broken.reason === "RECORD_ON_LEDGER") this.#duplicates.push({ submission, record });
    else this.#noteRefused(candidate, broken);
  }

  #hasRoomFor(candidate: Candidate): boolean {
    const { execution, policy, recordsMax } = this.#options;
    const header = this.#continues(candidate) ? 0 : candidate.submission.headerBytes.length;
    return (
      execution.recordCount < policy.blockRecordsMax &&
      execution.work < recordsMax &&
      execution.intervalCount + intervalsOf([candidate.record]) <= blockIntervalsMax &&
      execution.byteCount + candidate.record.bytes.length <= policy.blockBytesMax &&
      this.#headerBytes + header <= policy.blockBytesMax
    );
  }

  /** Whether the candidate would go into the last entry, rather than into one of its own. */
  #continues({ submission, index }: Candidate): boolean {
    const last = this.#entries.at(-1);
    return last?.submission === submission && (last.recordIndexes.at(-1) ?? 0) < index;
  }

  #notePlaced(candidate: Candidate): void {
    const { submission, index, record } = candidate;
    if (this.#continues(candidate)) {
      this.#entries.at(-1)?.recordIndexes.push(index);
    } else {
      this.#entries.push({ submission, recordIndexes: [index] });
      this.#headerBytes += submission.headerBytes.length;
    }
    if (this.#waiting.size === 0) return;
    for (const name of [record.hashHex, ...usesOf(record).flatMap((use) => namesOf(use).met)]) {
      for (const candidate of this.#waiting.get(name) ?? []) this.#woken.add(candidate);
      this.#waiting.delete(name);
    }
  }

  #noteRefused(candidate: Candidate, violation: Violation): void {
    this.#refused.set(candidate, violation);
    if (!curableReasons.has(violation.reason)) return;
    for (const name of namesWaitedFor(candidate.record, violation.reason)) {
      const waiting = this.#waiting.get(name) ?? new Set();
      waiting.add(candidate);
      this.#waiting.set(name, waiting);
    }
  }
}

/** Says why the record cannot be in any block, however empty. */
function fitsNoBlock({ record, submission }: Candidate, policy: Policy): Violation | undefined {
  if (record.bytes.length > policy.blockBytesMax) {
    return violation("RECORD_TOO_LARGE", "The record is longer than a block may be.");
  }
  if (submission.headerBytes.length > policy.blockBytesMax) {
    return violation("TOO_MANY_RECORDS", "The submission's header is longer than a block may be.");
  }
  return undefined;
}

/** What a record lacks that failed for a curable reason. */
function namesWaitedFor(record: ParsedRecord, reason: RuleReason): readonly string[] {
  if (reason !== "PARENT_UNKNOWN") {
    return usesThatLack(usesOf(record), reason).flatMap((use) => namesOf(use).filed);
  }
  return [toHex(defined(record.parent, "an update names its parent"))];
}

function usesOf(record: ParsedRecord): readonly EnergyUse[] {
  return kindOf(record).energy(record);
}
