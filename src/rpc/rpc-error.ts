/**
 * The one error that crosses the wire. A handler throws it; the caller gets a gRPC status whose
 * details carry the reason (google.rpc.ErrorInfo, domain "bss"), the field at fault (BadRequest)
 * and when to try again (RetryInfo); the client library turns these into the same error again.
 * Anything else that a handler throws is our own fault, and reaches the caller as INTERNAL without
 * its text.
 */
import { toHex } from "../base/bytes.js";
import type { Objection } from "../gen/bss/v1/broadcast_pb.js";
import type { Violation } from "../ledger/violation.js";
import { type Reason, reasonTable } from "./reasons.js";
import type { StatusName } from "./status-codes.js";

/** Longest message, field and metadata value on the wire: statuses travel in HTTP/2 headers. */
export const errorTextCharsMax = 1_000;

export type RpcErrorOptions = {
  /** Path of the field at fault, for instance "submission.records[3].salt". */
  readonly field?: string | undefined;
  /** Facts for programs, for instance { role, method }. Never secrets. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Instead of the table's; 0 says that trying again does not help. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
  /** Set by the client library for an error that a node sent, perhaps with a newer reason. */
  readonly received?: { readonly status: StatusName; readonly reason: string };
};

export class RpcError extends Error {
  override readonly name = "RpcError";
  /** One of `Reason`, or one that only a newer node knows. */
  readonly reason: string;
  readonly status: StatusName;
  readonly field: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  /** How long to wait before trying again; 0 if nobody has said so. */
  readonly retryAfterMs: number;

  constructor(reason: Reason, message: string, options: RpcErrorOptions = {}) {
    super(wireText(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.reason = options.received?.reason ?? reason;
    this.status = options.received?.status ?? reasonTable[reason].status;
    this.field = options.field;
    this.metadata = options.metadata ?? {};
    this.retryAfterMs =
      options.retryAfterMs ?? (options.received ? 0 : (reasonTable[reason].retryAfterMs ?? 0));
  }

  /**
   * Whether the same call may succeed later or at another node. So it may after a DEADLINE, the
   * client's own too: the same submission again gets the same places.
   */
  get retryable(): boolean {
    const mayPass = this.status === "UNAVAILABLE" || this.status === "DEADLINE_EXCEEDED";
    return this.retryAfterMs > 0 || mayPass;
  }
}

/**
 * The error that a refusal by the ledger's rules becomes. `prefix` is put before the field's path.
 */
export function rpcErrorOfViolation(violation: Violation, prefix = ""): RpcError {
  const path = [prefix, violation.field ?? ""].filter((part) => part !== "").join(".");
  return new RpcError(violation.reason, violation.message, path === "" ? {} : { field: path });
}

/** Field and metadata of the refusal of one record, where `refused` of its submission are. */
export function objectionDetails(
  { field, standingRecordHash }: Objection,
  { index, refused }: { readonly index: number; readonly refused: number },
): Required<Pick<RpcErrorOptions, "field" | "metadata">> {
  const isNamed = standingRecordHash.length > 0;
  return {
    field: [`submission.records[${index}]`, field].filter((part) => part !== "").join("."),
    metadata: {
      refused_records: String(refused),
      ...(isNamed ? { record_hash: toHex(standingRecordHash) } : {}),
    },
  };
}

/** Bounded and well-formed: a lone surrogate makes the percent-encoding of grpc-message throw. */
export function wireText(text: string): string {
  return text.slice(0, errorTextCharsMax).replace(/\p{Surrogate}/gu, "\uFFFD");
}
