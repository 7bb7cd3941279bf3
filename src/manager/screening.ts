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
import { reasonsOfOrder } from "../ledger/objections.js";
import type { ParsedRecord } from "../ledger/records.js";
import type { SignatureCheck } from "../ledger/signature-check.js";
import { recordSignatureChecks, submissionSignatureCheck } from "../ledger/signatures.js";
import type { PrefetchedState } from "../ledger/state.js";
import { readKeysOfSubmission } from "../ledger/state-keys.js";
import { StateTables } from "../ledger/state-tables.js";
import type { ParsedSubmission } from "../ledger/submissions.js";
import type { Violation } from "../ledger/violation.js";

export type RecordRefusal = { readonly record: ParsedRecord; readonly violation: Violation };

export type Screened = {
  /** Of the ledger against which the rules were run. */
  readonly height: number;
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

/**
 * A submission's verdict; the refusal of the submission as a whole when its submitter's signature
 * does not hold. What is wrong with one record says nothing about the others.
 */
export async function screenSubmission(
  submission: ParsedSubmission,
  ports: ScreeningPorts,
): Promise<Result<Screened, Violation>> {
  const { height } = ports.head();
  const state = await ports.readState(readKeysOfSubmission(submission));
  const signed = await checkSignatures(submission, new StateTables(state), ports.signatures);
  if (!signed.ok) return signed;
  const execution = executionOn(ports, state);
  const accurate: ParsedRecord[] = [];
  const onLedger: ParsedRecord[] = [];
  const refused: RecordRefusal[] = [];
  for (const record of submission.records) {
    const violation = signed.value.get(record) ?? execution.tryRecord(record, submission);
    if (violation === undefined || reasonsOfOrder.has(violation.reason)) accurate.push(record);
    else if (violation.reason === "RECORD_ON_LEDGER") onLedger.push(record);
    else refused.push({ record, violation });
  }
  return ok({ height, accurate, onLedger, refused });
}

/** The records with a signature inside that does not hold. */
async function checkSignatures(
  submission: ParsedSubmission,
  state: StateTables,
  signatures: SignatureCache,
): Promise<Result<ReadonlyMap<ParsedRecord, Violation>, Violation>> {
  const own = submissionSignatureCheck(submission, state);
  if (!own.ok) return own;
  const wrong = new Map<ParsedRecord, Violation>();
  const inside: (SignatureCheck & { readonly record: ParsedRecord })[] = [];
  for (const record of submission.records) {
    const checks = recordSignatureChecks(record, submission.header.consortiumId, state);
    if (!checks.ok) wrong.set(record, checks.error);
    else inside.push(...checks.value.map((check) => ({ ...check, record })));
  }
  if ((await signatures.firstInvalid([own.value])) !== undefined) return err(own.value.violation);
  for (const { record, violation } of await signatures.invalidOf(inside)) {
    if (!wrong.has(record)) wrong.set(record, violation);
  }
  return ok(wrong);
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
