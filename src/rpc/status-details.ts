/**
 * RpcError ⇄ gRPC status. The details travel as google.rpc.Status in the trailer
 * `grpc-status-details-bin`, as in the richer error model of grpc.io/docs/guides/error. Errors that
 * grpc-js makes by itself, without such details, get a reason and a readable text here.
 */
import { create, type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { type Any, anyIs, anyPack, DurationSchema } from "@bufbuild/protobuf/wkt";
import { Metadata } from "@grpc/grpc-js";
import type { Refusal } from "../gen/bss/v1/broadcast_pb.js";
import { RefusalSchema } from "../gen/bss/v1/broadcast_pb.js";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "../gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../gen/google/rpc/status_pb.js";
import { statusBounds } from "./bounds/method-bounds.js";
import { decodeMessage } from "./message-codec.js";
import { isReason, type Reason, reasonTable } from "./reasons.js";
import { RpcError, type RpcErrorOptions, wireText } from "./rpc-error.js";
import { type StatusName, statusCodes, statusName } from "./status-codes.js";

const errorDomain = "bss";
export const detailsTrailer = "grpc-status-details-bin";

/** What grpc-js sends at the end of a call that failed. */
export type WireStatus = {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
};

export function wireStatusOf(error: RpcError): WireStatus {
  const code = statusCodes[error.status];
  const metadata = new Metadata();
  const status = create(StatusSchema, { code, message: error.message, details: detailsOf(error) });
  metadata.set(detailsTrailer, Buffer.from(toBinary(StatusSchema, status)));
  return { code, details: error.message, metadata };
}

function detailsOf(error: RpcError): Any[] {
  const facts: Record<string, string> = {};
  for (const [key, value] of Object.entries(error.metadata)) facts[key] = wireText(value);
  const info = create(ErrorInfoSchema, {
    reason: error.reason,
    domain: errorDomain,
    metadata: facts,
  });
  const details = [anyPack(ErrorInfoSchema, info)];
  if (error.field !== undefined) {
    const violation = { field: wireText(error.field), description: error.message };
    details.push(
      anyPack(BadRequestSchema, create(BadRequestSchema, { fieldViolations: [violation] })),
    );
  }
  if (error.retryAfterMs > 0) {
    const retryDelay = create(DurationSchema, {
      seconds: BigInt(Math.floor(error.retryAfterMs / 1000)),
      nanos: (error.retryAfterMs % 1000) * 1_000_000,
    });
    details.push(anyPack(RetryInfoSchema, create(RetryInfoSchema, { retryDelay })));
  }
  return details;
}

/** What a call failed with, whether the node, grpc-js or the network made the error. */
export function rpcErrorOf(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  if (!(error instanceof Error)) return new RpcError("INTERNAL", String(error));
  const { code, details, metadata } = error as Error & {
    code?: unknown;
    details?: unknown;
    metadata?: unknown;
  };
  if (typeof code !== "number") return new RpcError("INTERNAL", error.message, { cause: error });
  const status = statusName(code);
  const message = typeof details === "string" && details !== "" ? details : error.message;
  const sent = metadata instanceof Metadata ? detailsFrom(metadata) : undefined;
  if (sent !== undefined) {
    const { reason, ...rest } = sent;
    // All that grpc-js's error says is in this one; printed as a cause it is a screen of bytes.
    return received(status, reason, message, rest);
  }
  const reason = localReasons[status] ?? "INTERNAL";
  const text = reason === "NODE_UNREACHABLE" ? connectFailureText(message) : message;
  const retryAfterMs = reason === "DEADLINE" ? (reasonTable.DEADLINE.retryAfterMs ?? 0) : 0;
  return received(status, reason, text, { retryAfterMs, cause: error });
}

/** Reasons for statuses that grpc-js makes by itself, without our details. */
const localReasons: Partial<Record<StatusName, Reason>> = {
  CANCELLED: "CANCELLED",
  DEADLINE_EXCEEDED: "DEADLINE",
  RESOURCE_EXHAUSTED: "MESSAGE_TOO_LARGE",
  UNAVAILABLE: "NODE_UNREACHABLE",
  UNIMPLEMENTED: "METHOD_UNIMPLEMENTED",
};

const grpcWrapping = /^No connection established\. Last error: (.*?)\.? ?Resolution note: ?.*$/s;
/** OpenSSL's entry is thread:error:code:library:function:reason:file:line. */
const openSslEntry =
  /(?:write EPROTO )?[0-9A-F]{6,}:error:[0-9A-F]+:[^:]*:[^:]*:([^:\n]*):[^\n]*\n?/g;

/**
 * What grpc-js says when it cannot connect, made readable: without its own wrapping, the names of
 * error classes, and all of OpenSSL's entry but the reason.
 */
export function connectFailureText(details: string): string {
  return (grpcWrapping.exec(details)?.[1] ?? details)
    .replace(/^(?:\w*Error: )+/, "")
    .replace(openSslEntry, "TLS: $1 ")
    .replaceAll(/\s+/g, " ")
    .trim()
    .replace(/\.$/, "");
}

/**
 * Whether a text of `connectFailureText` is about a certificate or TLS, so that the same node will
 * refuse the next attempt as well. A connection that broke during the handshake does not count.
 */
export function isTlsRefusal(text: string): boolean {
  return /certificate|^the server(?: is |'s )|^TLS: /.test(text);
}

function received(
  status: StatusName,
  reason: string,
  message: string,
  options: RpcErrorOptions,
): RpcError {
  const known = isReason(reason) ? reason : "INTERNAL";
  return new RpcError(known, message, { ...options, received: { status, reason } });
}

type SentDetails = {
  reason: string;
  field?: string;
  metadata: Record<string, string>;
  retryAfterMs: number;
};

function detailsFrom(metadata: Metadata): SentDetails | undefined {
  const [bytes] = metadata.get(detailsTrailer);
  if (!(bytes instanceof Uint8Array)) return undefined;
  const status = decode(StatusSchema, bytes);
  const info = first(status?.details, ErrorInfoSchema);
  if (info === undefined || info.domain !== errorDomain) return undefined;
  const field = first(status?.details, BadRequestSchema)?.fieldViolations[0]?.field;
  const delay = first(status?.details, RetryInfoSchema)?.retryDelay;
  const retryAfterMs = delay ? Number(delay.seconds) * 1000 + Math.ceil(delay.nanos / 1e6) : 0;
  const sent = { reason: info.reason, metadata: info.metadata, retryAfterMs };
  return field === undefined ? sent : { ...sent, field };
}

function first<D extends DescMessage>(
  details: readonly Any[] | undefined,
  schema: D,
): MessageShape<D> | undefined {
  const detail = details?.find((any) => anyIs(any, schema));
  return detail === undefined ? undefined : decode(schema, detail.value);
}

/** Undefined for what does not decode: the status itself is worth telling all the same. */
function decode<D extends DescMessage>(schema: D, bytes: Uint8Array): MessageShape<D> | undefined {
  try {
    return decodeMessage(schema, bytes, statusBounds);
  } catch {
    return undefined;
  }
}

/** A refusal inside a stream, where a gRPC status would end the stream (bss.v1.Refusal). */
export function refusalOf(error: RpcError): Refusal {
  return create(RefusalSchema, {
    code: statusCodes[error.status],
    reason: error.reason,
    message: error.message,
    field: wireText(error.field ?? ""),
    retryAfterMs: Math.min(error.retryAfterMs, 0xffff_ffff),
  });
}

export function rpcErrorOfRefusal(refusal: Refusal): RpcError {
  const { reason, message, retryAfterMs } = refusal;
  const field = refusal.field === "" ? {} : { field: refusal.field };
  return received(statusName(refusal.code), reason, message, { ...field, retryAfterMs });
}
