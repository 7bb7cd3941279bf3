/**
 * A manager's own verdict on a submission, before anything is ordered: its signatures, and the
 * rules against the ledger as it stands. Reasons that a record still waiting could cure
 * (energy that is not metered yet, a parent that is on its way) are left to the block, where
 * order is decided.
 */
import { err, ok, type Result } from "../base/result.js";
import type { SignatureCache } from "../crypto/signature-cache.js";
import type { Policy } from "../gen/bss/v1/genesis_pb.js";
import { BlockExecution } from "../ledger/execution.js";
import type { LedgerHead } from "../ledger/head.js";
import type { ParsedRecord } from "../ledger/records.js";
import { signatureChecks } from "../ledger/signatures.js";
import type { PrefetchedState } from "../ledger/state.js";
import { readKeysOfSubmission } from "../ledger/state-keys.js";
import { StateTables } from "../ledger/state-tables.js";
import type { ParsedSubmission } from "../ledger/submissions.js";
import type { RuleReason, Violation } from "../ledger/violation.js";

export type RecordRefusal = { readonly record: ParsedRecord; readonly violation: Violation };

export type Screened = {
  /** To be ordered. */
  readonly accurate: readonly ParsedRecord[];
  readonly onLedger: readonly ParsedRecord[];
  readonly refused: readonly RecordRefusal[];
};

export type ScreeningPorts = {
  readonly policy: Policy;
  readonly signatures: SignatureCache;
  readonly head: () => LedgerHead;
  readonly readState: (keys: readonly Uint8Array[]) => Promise<PrefetchedState>;
  readonly wallMs: () => number;
};

/** Reasons that other pending records, or their order, may take away. */
const settledByOrder: ReadonlySet<RuleReason> = new Set([
  "DOUBLE_SPEND",
  "OVER_PURCHASE",
  "PARENT_UNKNOWN",
  "PARENT_NOT_LATEST",
  "INTERVAL_OVERLAP",
  "TRADE_REPEATED",
  "EXPORT_BELOW_SOLD",
  "IMPORT_BELOW_BOUGHT",
] satisfies readonly RuleReason[]);

/**
 * A submission's verdict; the refusal of the submission as a whole when its signatures do not hold.
 */
export async function screenSubmission(
  submission: ParsedSubmission,
  ports: ScreeningPorts,
): Promise<Result<Screened, Violation>> {
  const state = await ports.readState(readKeysOfSubmission(submission));
  const checks = signatureChecks(submission, new StateTables(state));
  if (!checks.ok) return checks;
  const invalid = await ports.signatures.firstInvalid(checks.value);
  if (invalid !== undefined) return err(invalid.violation);
  const execution = executionOn(ports, state);
  const accurate: ParsedRecord[] = [];
  const onLedger: ParsedRecord[] = [];
  const refused: RecordRefusal[] = [];
  for (const record of submission.records) {
    const violation = execution.tryRecord(record, submission);
    if (violation === undefined || settledByOrder.has(violation.reason)) accurate.push(record);
    else if (violation.reason === "RECORD_ON_LEDGER") onLedger.push(record);
    else refused.push({ record, violation });
  }
  return ok({ accurate, onLedger, refused });
}

/** The rule that one record breaks on the ledger as it stands, order included. */
export async function violationNow(
  submission: ParsedSubmission,
  record: ParsedRecord,
  ports: ScreeningPorts,
): Promise<Violation | undefined> {
  const state = await ports.readState(readKeysOfSubmission(submission));
  return executionOn(ports, state).tryRecord(record, submission);
}

function executionOn({ head, policy, wallMs }: ScreeningPorts, state: PrefetchedState) {
  const { height, members, frontier, timestampMs } = head();
  return new BlockExecution({
    state,
    policy,
    members,
    height: height + 1,
    timestampMs: Math.max(wallMs(), timestampMs + 1),
    firstPosition: frontier.size,
  });
}
