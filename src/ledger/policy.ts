/**
 * What a consortium may agree on. The bounds keep every policy workable: arithmetic stays in safe
 * integers, whatever the policy lets grow fits into its messages (message-sizes.ts), no block takes
 * minutes, and no timeout is zero or for ever.
 */
import { defined } from "../base/assert.js";
import { type Policy, type RoundTimeouts, SuspensionMode } from "../gen/bss/v1/genesis_pb.js";
import { blockRecordsBound } from "./blocks/block-parsing.js";
import { zoneStepS } from "./kinds/market-grid.js";
import { storageNodesMax } from "./members/member-lists.js";
import { blockBytesBound, recordBytesBound, sizeProblems } from "./message-sizes.js";
import { submissionHeaderBytesMax, submissionRecordsBound } from "./records/submission-bounds.js";
import { creditAtAdmission } from "./storage-nodes/credit.js";
import { type Violation, violation } from "./violation.js";

/** A delay on the way must not look like an absence. */
const suspendAfterMinMs = 100;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const dayS = 86_400;
const priceBound = 10n ** 12n;
/** Empty blocks are for saying that all is well, not for keeping every disk busy. */
const heartbeatMinMs = 100;
/** Clocks that NTP keeps differ by some ms, and a block takes some more to arrive. */
const futureBoundMinMs = 100;
/** A block cannot be agreed on faster, however few and near the managers are. */
const roundMinMs = 1_000;
/** What one audit may read, bytes. */
const auditBytesBound = 64 * 2 ** 20;
/** What is read for a record, however short: its neighbours are stored with it. */
const readBytesMin = 16 * 1_024;
/** What a manager may read to recompute the audits of one block, bytes. */
const auditsOfBlockBytesBound = 4 * auditBytesBound;
/** Reward units add up in 64 bits, which has to do for a match each second for centuries. */
const rewardBounds = [
  ["matchReward", "match_reward", 10n ** 9n],
  ["storageReward", "storage_reward", 10n ** 12n],
] as const;
/** Storage nodes say something every few seconds: a shorter silence means nothing. */
const unreachableAfterMinMs = 1_000;

/**
 * Checks a policy: GENESIS_INVALID with the field's path, or undefined when it may be agreed on.
 */
export function checkPolicy(policy: Policy): Violation | undefined {
  return policyViolations(policy)[0];
}

/** Everything that is wrong with a policy, each with the field's path. */
export function policyViolations(policy: Policy): readonly Violation[] {
  const found = [
    ...numbers.map(([name, field, min, max]) => {
      const value = policy[name];
      if (value >= min && value <= max) return undefined;
      return invalid(`The value is not between ${min} and ${max}.`, field);
    }),
    checkPrices(policy),
    checkFitsBlock(policy),
    ...sizeProblems(policy).map(({ field, message }) => invalid(message, field)),
    checkDelivery(policy),
    checkHeartbeat(policy),
    /^[A-Z]{3}$/.test(policy.currency)
      ? undefined
      : invalid("The value is not an ISO 4217 code.", "currency"),
    checkSuspension(policy),
    policy.timeouts === undefined
      ? invalid("The timeouts are missing.", "timeouts")
      : checkTimeouts(policy.timeouts),
    checkStorage(policy),
    checkAudits(policy),
  ];
  return firstOfEachField(found.filter((each) => each !== undefined));
}

/** A number out of its range often breaks another check too: the first violation is enough. */
function firstOfEachField(violations: readonly Violation[]): readonly Violation[] {
  const byField = new Map<string | undefined, Violation>();
  for (const each of violations) if (!byField.has(each.field)) byField.set(each.field, each);
  return [...byField.values()];
}

function checkPrices(policy: Policy): Violation | undefined {
  const { priceMinMicroPerKwh: low, priceMaxMicroPerKwh: high } = policy;
  if (low >= -priceBound && low <= high && high <= priceBound) return undefined;
  const message = `The bounds are not ascending within ±${priceBound}.`;
  return invalid(message, "price_min_micro_per_kwh");
}

/** Whatever may be submitted has to fit into a block that is empty. */
function checkFitsBlock(policy: Policy): Violation | undefined {
  const { recordBytesMax, blockBytesMax, submissionRecordsMax } = policy;
  if (recordBytesMax > blockBytesMax) {
    return invalid("The longest record does not fit into a block.", "record_bytes_max");
  }
  const headerBytes = submissionHeaderBytesMax(submissionRecordsMax);
  if (headerBytes <= blockBytesMax) return undefined;
  const message = `The header of so many records, ${headerBytes} bytes, does not fit into a block.`;
  return invalid(message, "submission_records_max");
}

function checkDelivery({ deliveryIntervalS, deliveryOffsetS }: Policy): Violation | undefined {
  if (deliveryOffsetS < deliveryIntervalS && deliveryOffsetS % zoneStepS === 0) return undefined;
  const message = `The value is not a multiple of ${zoneStepS} below the delivery interval.`;
  return invalid(message, "delivery_offset_s");
}

function checkHeartbeat({ heartbeatMs }: Policy): Violation | undefined {
  if (heartbeatMs === 0 || heartbeatMs >= heartbeatMinMs) return undefined;
  return invalid(
    `The value is neither 0 nor between ${heartbeatMinMs} and ${dayMs}.`,
    "heartbeat_ms",
  );
}

/** An audit reads records from the disk of the node that attests, and then of every manager. */
function checkAudits({ auditRecords, auditsPerBlock, recordBytesMax }: Policy) {
  const readBytes = Math.max(recordBytesMax, readBytesMin);
  const auditBytes = auditRecords * readBytes;
  if (auditBytes > auditBytesBound) {
    const most = Math.floor(auditBytesBound / readBytes);
    const message = `An audit would read ${auditBytes} bytes: with record_bytes_max ${recordBytesMax} at most ${most}.`;
    return invalid(message, "audit_records");
  }
  const blockBytes = auditBytes * auditsPerBlock;
  if (blockBytes <= auditsOfBlockBytesBound) return undefined;
  const most = Math.floor(auditsOfBlockBytesBound / auditBytes);
  const message = `The audits of a block would read ${blockBytes} bytes: with audit_records ${auditRecords} at most ${most}.`;
  return invalid(message, "audits_per_block");
}

/** Without suspension its times have to be 0, as any other number would mislead. */
function checkSuspension(policy: Policy): Violation | undefined {
  const { suspension, suspendAfterMs, resumeWaitMs, resumeWaitMaxMs } = policy;
  if (suspension === SuspensionMode.NEVER) {
    const message = "The value is not 0, but no manager is ever suspended.";
    if (suspendAfterMs !== 0) return invalid(message, "suspend_after_ms");
    if (resumeWaitMs !== 0) return invalid(message, "resume_wait_ms");
    return resumeWaitMaxMs === 0 ? undefined : invalid(message, "resume_wait_max_ms");
  }
  if (suspension !== SuspensionMode.FLOOR) {
    return invalid("The value is not a mode of suspension.", "suspension");
  }
  if (suspendAfterMs < suspendAfterMinMs || suspendAfterMs > hourMs) {
    return invalid(
      `The value is not between ${suspendAfterMinMs} and ${hourMs}.`,
      "suspend_after_ms",
    );
  }
  if (resumeWaitMaxMs > dayMs)
    return invalid(`The value is not between 0 and ${dayMs}.`, "resume_wait_max_ms");
  if (resumeWaitMs <= resumeWaitMaxMs) return undefined;
  return invalid("The value is above resume_wait_max_ms.", "resume_wait_ms");
}

function checkStorage(policy: Policy): Violation | undefined {
  for (const [name, field, max] of rewardBounds) {
    if (policy[name] > max) return invalid(`The value is above ${max}.`, field);
  }
  const { unreachableAfterMs } = policy;
  if (unreachableAfterMs === 0) return undefined;
  if (unreachableAfterMs >= unreachableAfterMinMs && unreachableAfterMs <= dayMs) return undefined;
  return invalid(
    `The value is neither 0 nor between ${unreachableAfterMinMs} and ${dayMs}.`,
    "unreachable_after_ms",
  );
}

/** The timeouts of a policy that was checked. */
export function timeoutsOf({ timeouts }: Policy): RoundTimeouts {
  return defined(timeouts, "a policy has timeouts");
}

function checkTimeouts(timeouts: RoundTimeouts): Violation | undefined {
  const { maxMs, stepMs } = timeouts;
  if (maxMs < roundMinMs || maxMs > hourMs) {
    return invalid(`The value is not between ${roundMinMs} and ${hourMs}.`, "timeouts.max_ms");
  }
  if (stepMs > maxMs) return invalid("The value is above max_ms.", "timeouts.step_ms");
  // Rounds that do not grow have to be long enough from the first one on.
  const baseMinMs = stepMs === 0 ? roundMinMs : 1;
  for (const step of ["propose", "approve", "verify", "commit"] as const) {
    const baseMs = timeouts[`${step}Ms`];
    if (baseMs >= baseMinMs && baseMs <= maxMs) continue;
    const why = stepMs === 0 ? ", as step_ms is 0" : "";
    return invalid(
      `The value is not between ${baseMinMs} and max_ms${why}.`,
      `timeouts.${step}_ms`,
    );
  }
  return undefined;
}

const numbers = [
  ["futureBoundMs", "future_bound_ms", futureBoundMinMs, dayMs],
  ["blockRecordsMax", "block_records_max", 1, blockRecordsBound],
  ["blockBytesMax", "block_bytes_max", 1, blockBytesBound],
  ["submissionRecordsMax", "submission_records_max", 1, submissionRecordsBound],
  ["recordBytesMax", "record_bytes_max", 1, recordBytesBound],
  ["verdictWaitMs", "verdict_wait_ms", 0, hourMs],
  ["heartbeatMs", "heartbeat_ms", 0, dayMs],
  ["minStorage", "min_storage", 1, storageNodesMax],
  ["deliveryIntervalS", "delivery_interval_s", 1, dayS],
  ["auditRecords", "audit_records", 0, 1_000],
  ["boycottLine", "boycott_line", 0, creditAtAdmission],
  ["auditsPerBlock", "audits_per_block", 0, 100],
] as const;

function invalid(message: string, field: string): Violation {
  return violation("GENESIS_INVALID", message, `policy.${field}`);
}
