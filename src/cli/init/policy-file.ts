/**
 * `--policy FILE`: fields of the genesis policy by their names in genesis.proto; what is not named
 * keeps its default.
 */
import { create } from "@bufbuild/protobuf";
import * as z from "zod";
import * as field from "../../config/fields.js";
import { readYamlFile } from "../../config/yaml-file.js";
import { type Policy, PolicySchema, SuspensionMode } from "../../gen/bss/v1/genesis_pb.js";
import { policyViolations } from "../../ledger/policy.js";

const uint32Max = 0xffff_ffff;
const priceMax = 1_000_000_000_000;
const rewardMax = 1_000_000_000_000;

// These check the shapes only; policyViolations of the ledger decides which values are allowed.
const number = () => field.integer(0, uint32Max).optional();
const price = () =>
  field.integer(-priceMax, priceMax, "millionths of the currency per kWh").optional();

const reward = () => field.integer(0, rewardMax, "reward units").optional();

const currencyExpected = "an ISO 4217 code such as USD";

const policySchema = field.mapping({
  future_bound_ms: number(),
  block_records_max: number(),
  block_bytes_max: number(),
  submission_records_max: number(),
  record_bytes_max: number(),
  verdict_wait_ms: number(),
  timeouts: field
    .mapping({
      propose_ms: number(),
      approve_ms: number(),
      verify_ms: number(),
      commit_ms: number(),
      step_ms: number(),
      max_ms: number(),
    })
    .optional(),
  heartbeat_ms: number(),
  min_storage: number(),
  delivery_interval_s: number(),
  delivery_offset_s: number(),
  price_min_micro_per_kwh: price(),
  price_max_micro_per_kwh: price(),
  currency: z
    .string({ error: currencyExpected })
    .regex(/^[A-Z]{3}$/, { error: currencyExpected })
    .optional(),
  audit_records: number(),
  boycott_line: number(),
  suspension: field.oneOf(["floor", "never"]).optional(),
  suspend_after_ms: number(),
  resume_wait_ms: number(),
  resume_wait_max_ms: number(),
  match_reward: reward(),
  storage_reward: reward(),
  audits_per_block: number(),
  unreachable_after_ms: number(),
});

type PolicyFields = z.output<typeof policySchema>;

/** Reads a policy file over `defaults`. Throws `ConfigError`. */
export function readPolicyFile(file: string, defaults: Policy): Policy {
  const schema = policySchema.superRefine((fields, context) => {
    for (const problem of policyViolations(withFields(defaults, fields))) {
      const name = (problem.field ?? "policy").replace("policy.", "");
      const message = `\`${name}\` has a value that is not allowed: ${problem.message.replace(/\.$/, "")}`;
      const params = { next: "change it, or the value that it has to fit" };
      context.addIssue({ code: "custom", path: name.split("."), message, params });
    }
  });
  return withFields(defaults, readYamlFile(file, schema));
}

function withFields(defaults: Policy, fields: PolicyFields): Policy {
  const timeouts = fields.timeouts ?? {};
  return create(PolicySchema, {
    futureBoundMs: fields.future_bound_ms ?? defaults.futureBoundMs,
    blockRecordsMax: fields.block_records_max ?? defaults.blockRecordsMax,
    blockBytesMax: fields.block_bytes_max ?? defaults.blockBytesMax,
    submissionRecordsMax: fields.submission_records_max ?? defaults.submissionRecordsMax,
    recordBytesMax: fields.record_bytes_max ?? defaults.recordBytesMax,
    verdictWaitMs: fields.verdict_wait_ms ?? defaults.verdictWaitMs,
    timeouts: {
      proposeMs: timeouts.propose_ms ?? defaults.timeouts?.proposeMs ?? 0,
      approveMs: timeouts.approve_ms ?? defaults.timeouts?.approveMs ?? 0,
      verifyMs: timeouts.verify_ms ?? defaults.timeouts?.verifyMs ?? 0,
      commitMs: timeouts.commit_ms ?? defaults.timeouts?.commitMs ?? 0,
      stepMs: timeouts.step_ms ?? defaults.timeouts?.stepMs ?? 0,
      maxMs: timeouts.max_ms ?? defaults.timeouts?.maxMs ?? 0,
    },
    heartbeatMs: fields.heartbeat_ms ?? defaults.heartbeatMs,
    minStorage: fields.min_storage ?? defaults.minStorage,
    deliveryIntervalS: fields.delivery_interval_s ?? defaults.deliveryIntervalS,
    deliveryOffsetS: fields.delivery_offset_s ?? defaults.deliveryOffsetS,
    priceMinMicroPerKwh: BigInt(fields.price_min_micro_per_kwh ?? defaults.priceMinMicroPerKwh),
    priceMaxMicroPerKwh: BigInt(fields.price_max_micro_per_kwh ?? defaults.priceMaxMicroPerKwh),
    currency: fields.currency ?? defaults.currency,
    auditRecords: fields.audit_records ?? defaults.auditRecords,
    boycottLine: fields.boycott_line ?? defaults.boycottLine,
    ...suspensionOf(defaults, fields),
    matchReward: BigInt(fields.match_reward ?? defaults.matchReward),
    storageReward: BigInt(fields.storage_reward ?? defaults.storageReward),
    auditsPerBlock: fields.audits_per_block ?? defaults.auditsPerBlock,
    unreachableAfterMs: fields.unreachable_after_ms ?? defaults.unreachableAfterMs,
  });
}

/** Without suspension its times are zero. If the file names other times, the policy is refused. */
function suspensionOf(defaults: Policy, fields: PolicyFields) {
  const suspension = suspensionModes[fields.suspension ?? "unnamed"] ?? defaults.suspension;
  const { suspendAfterMs, resumeWaitMs, resumeWaitMaxMs } =
    suspension === SuspensionMode.NEVER ? noSuspension : defaults;
  return {
    suspension,
    suspendAfterMs: fields.suspend_after_ms ?? suspendAfterMs,
    resumeWaitMs: fields.resume_wait_ms ?? resumeWaitMs,
    resumeWaitMaxMs: fields.resume_wait_max_ms ?? resumeWaitMaxMs,
  };
}

const noSuspension = { suspendAfterMs: 0, resumeWaitMs: 0, resumeWaitMaxMs: 0 };
const suspensionModes = {
  floor: SuspensionMode.FLOOR,
  never: SuspensionMode.NEVER,
  unnamed: undefined,
} as const;
