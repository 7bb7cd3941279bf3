/**
 * Feeds mutated messages to every decoder and to every check of what others send. A run is
 * determined by its seed. It finds what throws anything but a typed refusal, and what becomes more
 * in memory than the walk before decoding has counted.
 */
import { type DescMessage, type DescService, type Message, toBinary } from "@bufbuild/protobuf";
import { toHex } from "../../src/base/bytes.js";
import { BlockCertificatesSchema } from "../../src/gen/bss/v1/block_pb.js";
import { BroadcastService } from "../../src/gen/bss/v1/broadcast_pb.js";
import { ControlOperationSchema, InvitationSchema } from "../../src/gen/bss/v1/genesis_pb.js";
import { GovernanceService } from "../../src/gen/bss/v1/governance_pb.js";
import { QueryService } from "../../src/gen/bss/v1/query_pb.js";
import {
  RecordSchema,
  SubmissionHeaderSchema,
  TradeTermsSchema,
} from "../../src/gen/bss/v1/record_pb.js";
import { RegistrationService } from "../../src/gen/bss/v1/registration_pb.js";
import { VerifyIntegrityService } from "../../src/gen/bss/v1/verify_integrity_pb.js";
import { VoteService } from "../../src/gen/bss/v1/vote_pb.js";
import { StatusSchema } from "../../src/gen/google/rpc/status_pb.js";
import { Health } from "../../src/gen/grpc/health/v1/health_pb.js";
import { ServerReflection } from "../../src/gen/grpc/reflection/v1/reflection_pb.js";
import { strictDecode } from "../../src/ledger/strict-decode.js";
import { decodeCanonical } from "../../src/ledger/wire.js";
import { unknownFieldsMax, type WireBounds } from "../../src/ledger/wire-bounds.js";
import { answerBounds, requestBounds } from "../../src/rpc/bounds/method-bounds.js";
import { decodeMessage, methodName } from "../../src/rpc/message-codec.js";
import { RpcError } from "../../src/rpc/rpc-error.js";
import { Random } from "../simulation/random.js";
import { wireCost } from "../support/wire-cost.js";
import { checkAll, checkStatus } from "./checks.js";
import { samples } from "./corpus.js";
import { mutated, noise } from "./mutate.js";
import { validMessage } from "./valid-messages.js";

export type Finding = { readonly target: string; readonly input: string; readonly error: unknown };

export type Tally = {
  readonly inputs: number;
  readonly decoded: number;
  readonly refused: number;
  readonly findings: readonly Finding[];
};

type Target = {
  readonly name: string;
  readonly schema: DescMessage;
  readonly seeds: readonly Uint8Array[];
  /** What the bytes decode to; undefined for a typed refusal. */
  readonly decode: (bytes: Uint8Array) => Message | undefined;
};

const services: readonly DescService[] = [
  ...[BroadcastService, VoteService, VerifyIntegrityService, QueryService],
  ...[RegistrationService, GovernanceService, Health, ServerReflection],
];

const findingsMax = 10;

/** Deterministic: one seed gives the same inputs, in the same order. */
export function fuzz(seed: number, count: number): Tally {
  const random = new Random(seed);
  const targets = allTargets(random.fork());
  const everything = targets.flatMap(({ seeds }) => seeds);
  const findings: Finding[] = [];
  let [inputs, decoded] = [0, 0];
  while (inputs < count && findings.length < findingsMax) {
    const target = targets[inputs % targets.length] as Target;
    const others = random.chance(0.5) ? target.seeds : everything;
    const original = random.chance(0.02) ? noise(random, 40) : random.pick(target.seeds);
    const bytes = random.chance(0.02) ? original : mutated(random, original, others);
    inputs += 1;
    try {
      if (attempt(target, bytes)) decoded += 1;
    } catch (error) {
      findings.push({ target: target.name, input: toHex(bytes), error });
    }
  }
  return { inputs, decoded, refused: inputs - decoded - findings.length, findings };
}

function attempt({ schema, decode }: Target, bytes: Uint8Array): boolean {
  const message = decode(bytes);
  if (message === undefined) return false;
  const cost = wireCost(schema, bytes);
  if (cost === undefined) throw new Error("was decoded, though the walk calls it malformed");
  const count = { elements: 0, unknown: 0 };
  countElements(message, count);
  if (count.elements > cost.elements) {
    throw new Error(`has ${count.elements} elements, ${cost.elements} were counted`);
  }
  if (count.unknown > unknownFieldsMax) throw new Error(`has ${count.unknown} unknown fields`);
  checkAll(message);
  return true;
}

/** Entries of lists and maps, and messages in messages; fields without a list are not seen. */
function countElements(value: object, count: { elements: number; unknown: number }): void {
  for (const [name, each] of Object.entries(value)) {
    if (name === "$unknown") {
      count.unknown += (each as unknown[]).length;
      continue;
    }
    if (Array.isArray(value)) count.elements += 1;
    if (typeof each !== "object" || each === null || ArrayBuffer.isView(each)) continue;
    if (!Array.isArray(value) && "$typeName" in each) count.elements += 1;
    countElements(each, count);
  }
}

function allTargets(random: Random): Target[] {
  const target = (
    name: string,
    schema: DescMessage,
    decode: (bytes: Uint8Array) => Message | undefined,
  ): Target => {
    const made = Array.from({ length: 12 }, () => validMessage(random, schema));
    const kept = samples.filter((sample) => sample.schema === schema);
    return { name, schema, decode, seeds: [...kept.map(({ bytes }) => bytes), ...made] };
  };
  const wire = (name: string, schema: DescMessage, bounds: WireBounds): Target =>
    target(name, schema, (bytes) => unlessRefused(() => decodeMessage(schema, bytes, bounds)));
  const methods = services.flatMap((service) => service.methods);
  const strict = [SubmissionHeaderSchema, RecordSchema, TradeTermsSchema];
  const canonical = [BlockCertificatesSchema, ControlOperationSchema, InvitationSchema];
  return [
    ...methods.flatMap((method) => {
      const name = methodName(method);
      return [
        wire(`request of ${name}`, method.input, requestBounds(name)),
        wire(`answer of ${name}`, method.output, answerBounds(name)),
      ];
    }),
    ...strict.map((schema) =>
      target(`strict ${schema.typeName}`, schema, (bytes) => {
        const decoded = strictDecode(schema, bytes);
        return decoded.ok ? decoded.value : undefined;
      }),
    ),
    ...canonical.map((schema) =>
      target(`canonical ${schema.typeName}`, schema, (bytes) => {
        const message = decodeCanonical(schema, bytes);
        if (message !== undefined && toHex(toBinary(schema, message)) !== toHex(bytes)) {
          throw new Error("was taken for canonical");
        }
        return message;
      }),
    ),
    target("details of a status", StatusSchema, (bytes) => {
      checkStatus(bytes);
      return undefined;
    }),
  ];
}

function unlessRefused<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof RpcError) return undefined;
    throw error;
  }
}
