/**
 * The execution of one block: control operations first, then records in order, each against the
 * state that the ones before it left. Building and validating a block both go through here, so
 * they cannot disagree.
 *
 * Nothing leaves an execution until it is read out, so a proposer can try what it likes and a
 * validator can stop at the first violation. A refused record or operation has no effect at all.
 */
import { sealTagBytes } from "../../crypto/seal-tag.js";
import type { ControlOperation, Policy } from "../../gen/bss/v1/genesis_pb.js";
import { Members } from "../members/members.js";
import { MembersDraft } from "../members/members-draft.js";
import { intervalsOf, workOf } from "../records/intervals.js";
import type { ParsedRecord } from "../records/records.js";
import { checkRules } from "../records/rules.js";
import { applyRecord } from "../state/effects.js";
import type { StateView, StateWrite } from "../state/state.js";
import { stateOperationProblem, writeStateOperation } from "../state/state-operations.js";
import { StateTables } from "../state/state-tables.js";
import type { BlockStart } from "../storage-nodes/storage-nodes-draft.js";
import type { Violation } from "../violation.js";

type BlockExecutionOptions = {
  /** The state after the previous block, with every key that the block's content can touch. */
  readonly state: StateView;
  readonly policy: Policy;
  /** After the previous block. */
  readonly members: Members;
  /** What settles the block before; left out where a block is only tried. */
  readonly start?: BlockStart;
  /** Of the block. */
  readonly height: number;
  /** Of the block, Unix ms. */
  readonly timestampMs: number;
  /** Index in the Merkle log of the block's first record: the tree size before it. */
  readonly firstPosition: number;
};

export type PlacedRecord = {
  readonly record: ParsedRecord;
  /** Index in the Merkle log. */
  readonly position: number;
};

export class BlockExecution {
  /** The state with this block's effects so far. */
  readonly tables: StateTables;
  readonly #options: BlockExecutionOptions;
  readonly #members: MembersDraft;
  readonly #placed: PlacedRecord[] = [];
  readonly #placedHashes = new Set<string>();
  #byteCount = 0;
  #intervalCount = 0;
  #work = 0;

  constructor(options: BlockExecutionOptions) {
    this.#options = options;
    const { policy, height, timestampMs, start } = options;
    this.#members = new MembersDraft(options.members, { policy, height, timestampMs }, start);
    this.tables = new StateTables(options.state);
  }

  /**
   * Applies a control operation, or says why it does not fit. All operations come before
   * the first record.
   */
  tryOperation(operation: ControlOperation): Violation | undefined {
    const { policy, height } = this.#options;
    const context = { policy, height };
    // Nothing is written before all agree: a refused operation has no effect on either side.
    const refused =
      stateOperationProblem(operation, this.tables, context) ?? this.#members.apply(operation);
    if (refused === undefined) writeStateOperation(operation, this.tables, context);
    return refused;
  }

  /** Adds a record if it keeps every rule here, or says which one it breaks. */
  tryRecord(
    record: ParsedRecord,
    submission: { readonly participantId: string },
  ): Violation | undefined {
    const { policy, timestampMs, height, firstPosition } = this.#options;
    const broken = checkRules({ record, submission, state: this.tables, timestampMs, policy });
    if (broken !== undefined) return broken;
    const position = firstPosition + this.#placed.length;
    applyRecord(this.tables, record, { height, position });
    this.#placed.push({ record, position });
    this.#placedHashes.add(record.hashHex);
    this.#byteCount += record.bytes.length;
    this.#intervalCount += intervalsOf([record]);
    this.#work += workOf(record);
    return undefined;
  }

  /** Whether this block, rather than one before it, added the record. */
  hasPlaced(hashHex: string): boolean {
    return this.#placedHashes.has(hashHex);
  }

  /** The records added so far, in order. */
  get placed(): readonly PlacedRecord[] {
    return this.#placed;
  }

  get recordCount(): number {
    return this.#placed.length;
  }

  /** Sum of the lengths of the records added so far. */
  get byteCount(): number {
    return this.#byteCount;
  }

  /** Intervals of the records added so far. */
  get intervalCount(): number {
    return this.#intervalCount;
  }

  /** The work that the records added so far have caused, in records. */
  get work(): number {
    return this.#work;
  }

  /** Sum of the lengths of all sealed records on the ledger with those added so far. */
  get sealedBytes(): number {
    const { sealedBytes } = this.#options.members.totals;
    return sealedBytes + this.#byteCount + sealTagBytes * this.#placed.length;
  }

  /** The last value of every key that changed, sorted by key. */
  writes(): readonly StateWrite[] {
    return this.tables.writes();
  }

  /** The members after the block, if the operations so far are all. */
  members(): Members {
    return Members.after(this.#options.members, this.#members, this.sealedBytes);
  }

  /** Managers that the operations so far suspend as absent; sorted. */
  absences(): readonly string[] {
    return this.#members.absences();
  }
}
