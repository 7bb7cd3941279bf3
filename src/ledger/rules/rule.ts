/**
 * What a rule is: a pure function of a record, its submitter, the state and the block's timestamp.
 * Never of the local clock, so that every manager comes to the same answer, now and at any replay.
 */
import type { Policy } from "../../gen/bss/v1/genesis_pb.js";
import type { ParsedRecord } from "../records/records.js";
import type { StateReads } from "../state/state-tables.js";
import type { RuleReason, Violation } from "../violation.js";

export type RuleContext = {
  readonly record: ParsedRecord;
  /** Who signed the submission that the record is in. */
  readonly submission: { readonly participantId: string };
  /** After all records that stand before this one. */
  readonly state: StateReads;
  /** The block's timestamp, Unix ms. */
  readonly timestampMs: number;
  readonly policy: Policy;
};

export type Rule = {
  /** Stable name, [a-z-]; listed by GetConsortium. */
  readonly id: string;
  /** What the rule demands, in one sentence. */
  readonly demands: string;
  /** Every reason for which it refuses. */
  readonly reasons: readonly RuleReason[];
  /** Undefined when the record keeps the rule or the rule is not about it. */
  check(context: RuleContext): Violation | undefined;
};
