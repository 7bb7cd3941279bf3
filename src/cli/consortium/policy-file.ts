/** `--policy FILE`: fields of the genesis policy by their names in genesis.proto; what is not named keeps its default. */
import { create } from "@bufbuild/protobuf";
import { z } from "zod";
import * as field from "../../config/fields.js";
import { readYamlFile } from "../../config/yaml-file.js";
import { type Policy, PolicySchema, SuspensionMode } from "../../gen/bss/v1/genesis_pb.js";

const uint32Max = 0xffff_ffff;
const priceMax = 1_000_000_000_000;

const milliseconds = (min = 1) => field.integer(min, uint32Max, "ms").optional();
const bytes = () => field.integer(1, 1024 * 1024 * 1024, "bytes").optional();
const records = () => field.integer(1, 1_000_000, "records").optional();
const price = () =>
  field.integer(-priceMax, priceMax, "millionths of the currency per kWh").optional();

const currencyExpected = "an ISO 4217 code such as USD";

const policySchema = field.mapping({
  future_bound_ms: milliseconds(),
  block_records_max: records(),
  block_bytes_max: bytes(),
  submission_records_max: records(),
  record_bytes_max: bytes(),
  verdict_wait_ms: milliseconds(0),
  timeouts: field
    .mapping({
      propose_ms: milliseconds(),
      approve_ms: milliseconds(),
      verify_ms: milliseconds(),
      commit_ms: milliseconds(),
      step_ms: milliseconds(0),
      max_ms: milliseconds(),
    })
    .optional(),
  heartbeat_ms: milliseconds(0),
  min_storage: field.integer(1, uint32Max, "storage nodes").optional(),
  delivery_interval_s: field.integer(1, 86_400, "s").optional(),
  price_min_micro_per_kwh: price(),
  price_max_micro_per_kwh: price(),
  currency: z
    .string({ error: currencyExpected })
    .regex(/^[A-Z]{3}$/, { error: currencyExpected })
    .optional(),
  audit_records: field.integer(0, 1000, "records").optional(),
  boycott_line: field.integer(0, 1000, "points of credit").optional(),
  suspension: field.oneOf(["never"]).optional(),
});

type PolicyFields = z.output<typeof policySchema>;

/** Reads a policy file over `defaults`. Throws `ConfigError`. */
export function readPolicyFile(file: string, defaults: Policy): Policy {
  const schema = policySchema.superRefine((fields, context) => {
    const policy = withFields(defaults, fields);
    for (const { path, what, next } of contradictions(policy, fields)) {
      context.addIssue({ code: "custom", path: [path], message: what, params: { next } });
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
    priceMinMicroPerKwh: BigInt(fields.price_min_micro_per_kwh ?? defaults.priceMinMicroPerKwh),
    priceMaxMicroPerKwh: BigInt(fields.price_max_micro_per_kwh ?? defaults.priceMaxMicroPerKwh),
    currency: fields.currency ?? defaults.currency,
    auditRecords: fields.audit_records ?? defaults.auditRecords,
    boycottLine: fields.boycott_line ?? defaults.boycottLine,
    suspension: SuspensionMode.NEVER,
  });
}

function contradictions(
  policy: Policy,
  fields: PolicyFields,
): readonly { path: string; what: string; next: string }[] {
  const found: { path: string; what: string; next: string }[] = [];
  if (policy.priceMinMicroPerKwh > policy.priceMaxMicroPerKwh) {
    found.push({
      path:
        fields.price_min_micro_per_kwh === undefined
          ? "price_max_micro_per_kwh"
          : "price_min_micro_per_kwh",
      what: `the lowest price ${policy.priceMinMicroPerKwh} is above the highest ${policy.priceMaxMicroPerKwh}`,
      next: "set price_min_micro_per_kwh to at most price_max_micro_per_kwh",
    });
  }
  if (policy.recordBytesMax > policy.blockBytesMax) {
    found.push({
      path: fields.record_bytes_max === undefined ? "block_bytes_max" : "record_bytes_max",
      what: `a record of ${policy.recordBytesMax} bytes fits into no block of ${policy.blockBytesMax} bytes`,
      next: "set record_bytes_max to at most block_bytes_max",
    });
  }
  const { timeouts } = policy;
  if (
    timeouts !== undefined &&
    Math.max(timeouts.proposeMs, timeouts.approveMs, timeouts.verifyMs, timeouts.commitMs) >
      timeouts.maxMs
  ) {
    found.push({
      path: "timeouts",
      what: `a first timeout is longer than max_ms (${timeouts.maxMs})`,
      next: "raise timeouts.max_ms",
    });
  }
  return found;
}
