/**
 * What a consortium may agree on. The bounds keep every policy workable: arithmetic stays in safe
 * integers, a block fits into one message, and no timeout is zero or for ever.
 */
import { defined } from "../base/assert.js";
import { type Policy, type RoundTimeouts, SuspensionMode } from "../gen/bss/v1/genesis_pb.js";
import { creditAtAdmission, storageNodesMax } from "./member-lists.js";
import { type Violation, violation } from "./violation.js";

/** The most records that any policy may allow in a block. */
export const blockRecordsBound = 100_000;
/** The most bytes of records that any policy may allow in a block. */
export const blockBytesBound = 64 * 2 ** 20;

/** A delay on the way must not look like an absence. */
const suspendAfterMinMs = 100;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const dayS = 86_400;
const priceBound = 10n ** 12n;
/** Reward units are added up for ever in 64 bits: so a match a second fits for centuries. */
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
  for (const [name, field, min, max] of numbers) {
    const value = policy[name];
    if (value < min || value > max) return invalid(`Not from ${min} to ${max}.`, field);
  }
  const { priceMinMicroPerKwh: low, priceMaxMicroPerKwh: high } = policy;
  if (low < -priceBound || low > high || high > priceBound) {
    const message = `The bounds are not ascending within ±${priceBound}.`;
    return invalid(message, "price_min_micro_per_kwh");
  }
  if (policy.recordBytesMax > policy.blockBytesMax) {
    return invalid("The longest record does not fit into a block.", "record_bytes_max");
  }
  if (!/^[A-Z]{3}$/.test(policy.currency)) return invalid("Not an ISO 4217 code.", "currency");
  if (policy.timeouts === undefined) return invalid("The timeouts are missing.", "timeouts");
  return checkSuspension(policy) ?? checkTimeouts(policy.timeouts) ?? checkStorage(policy);
}

/** Without suspension its times are zero: a number that says nothing would mislead. */
function checkSuspension(policy: Policy): Violation | undefined {
  const { suspension, suspendAfterMs, resumeWaitMs, resumeWaitMaxMs } = policy;
  if (suspension === SuspensionMode.NEVER) {
    const message = "Not 0, but no manager is suspended.";
    if (suspendAfterMs !== 0) return invalid(message, "suspend_after_ms");
    if (resumeWaitMs !== 0) return invalid(message, "resume_wait_ms");
    return resumeWaitMaxMs === 0 ? undefined : invalid(message, "resume_wait_max_ms");
  }
  if (suspension !== SuspensionMode.FLOOR) {
    return invalid("Not a mode of suspension.", "suspension");
  }
  if (suspendAfterMs < suspendAfterMinMs || suspendAfterMs > hourMs) {
    return invalid(`Not from ${suspendAfterMinMs} to ${hourMs}.`, "suspend_after_ms");
  }
  if (resumeWaitMaxMs > dayMs) return invalid(`Not from 0 to ${dayMs}.`, "resume_wait_max_ms");
  if (resumeWaitMs <= resumeWaitMaxMs) return undefined;
  return invalid("Above resume_wait_max_ms.", "resume_wait_ms");
}

function checkStorage(policy: Policy): Violation | undefined {
  for (const [name, field, max] of rewardBounds) {
    if (policy[name] > max) return invalid(`Above ${max}.`, field);
  }
  const { unreachableAfterMs } = policy;
  if (unreachableAfterMs === 0) return undefined;
  if (unreachableAfterMs >= unreachableAfterMinMs && unreachableAfterMs <= dayMs) return undefined;
  return invalid(
    `Neither 0 nor from ${unreachableAfterMinMs} to ${dayMs}.`,
    "unreachable_after_ms",
  );
}

/** The timeouts of a policy that was checked. */
export function timeoutsOf({ timeouts }: Policy): RoundTimeouts {
  return defined(timeouts, "a policy has timeouts");
}

function checkTimeouts(timeouts: RoundTimeouts): Violation | undefined {
  const { maxMs, stepMs } = timeouts;
  if (maxMs < 1 || maxMs > hourMs) {
    return invalid(`Not from 1 to ${hourMs}.`, "timeouts.max_ms");
  }
  if (stepMs > maxMs) return invalid("Above max_ms.", "timeouts.step_ms");
  for (const step of ["propose", "approve", "verify", "commit"] as const) {
    const baseMs = timeouts[`${step}Ms`];
    if (baseMs < 1 || baseMs > maxMs)
      return invalid("Not from 1 to max_ms.", `timeouts.${step}_ms`);
  }
  return undefined;
}

const numbers = [
  ["futureBoundMs", "future_bound_ms", 1, dayMs],
  ["blockRecordsMax", "block_records_max", 1, blockRecordsBound],
  ["blockBytesMax", "block_bytes_max", 1, blockBytesBound],
  ["submissionRecordsMax", "submission_records_max", 1, 1_000],
  ["recordBytesMax", "record_bytes_max", 1, blockBytesBound],
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
