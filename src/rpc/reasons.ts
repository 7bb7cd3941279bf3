/**
 * The one table of reasons with their gRPC statuses. A reason is the stable name of a refusal:
 * clients branch on it, so it is never renamed or reused. The status code says what kind it is:
 *
 * - INVALID_ARGUMENT: the request is wrong by itself, whatever the ledger holds;
 * - FAILED_PRECONDITION: the request is well formed, the ledger's state forbids it;
 * - UNAVAILABLE, RESOURCE_EXHAUSTED: the same request may succeed later.
 *
 * The type makes the table exhaustive over the ledger's reasons. docs/errors.md is rendered from
 * it.
 */
import type { RuleReason } from "../ledger/violation.js";
import type { StatusName } from "./status-codes.js";

type ReasonEntry = {
  readonly status: Exclude<StatusName, "OK">;
  /** One sentence for docs/errors.md. */
  readonly summary: string;
  /** After how long it makes sense to try again; sent as RetryInfo. */
  readonly retryAfterMs?: number;
};

function wrong(summary: string): ReasonEntry {
  return { status: "INVALID_ARGUMENT", summary };
}

function forbidden(summary: string): ReasonEntry {
  return { status: "FAILED_PRECONDITION", summary };
}

const submissionReasons = {
  SUBMISSION_MALFORMED: wrong("The submission or its header does not decode or has a wrong shape."),
  TOO_MANY_RECORDS: wrong("More records or intervals than one submission or block may have."),
  RECORD_MALFORMED: wrong("A record does not decode, holds unknown fields or has a wrong shape."),
  RECORD_TOO_LARGE: wrong("A record is longer than the policy allows."),
  RECORD_HASH_MISMATCH: wrong("The hash in the header or leaf is not that of the record."),
  RECORD_REPEATED: wrong("The same record is in a submission or block twice."),
  CONSORTIUM_MISMATCH: wrong("It was signed or made for another consortium."),
  SIGNATURE_INVALID: wrong("A signature does not verify under the key registered for its signer."),
  PARTICIPANT_UNKNOWN: forbidden("No participant is registered under this id."),
  OWNER_UNKNOWN: forbidden("No participant is registered under the record's owner id."),
  AGENT_NOT_AUTHORIZED: {
    status: "PERMISSION_DENIED",
    summary: "The submitter is neither the record's owner nor an agent that the owner registered.",
  },
  SALT_INVALID: wrong("The record's salt is not 16 bytes."),
  TIME_IN_FUTURE: wrong("The record's time is too far ahead of the ledger's."),
  TIME_INVALID: wrong(
    "The record's time is not positive, lies before the end of what it records, or, for a trade, " +
      "more than 366 days before its delivery.",
  ),
  DOCUMENT_INVALID: wrong("Media type, name or content of a document is out of range."),
  SESSION_INVALID: wrong("Station, times or energy of a charging session are out of range."),
  RECORD_ON_LEDGER: {
    status: "ALREADY_EXISTS",
    summary: "The record is on the ledger already; submitting it again returns its first receipt.",
  },
} as const satisfies Partial<Record<RuleReason, ReasonEntry>>;

const versionReasons = {
  PARENT_UNKNOWN: forbidden("The record updates a version that is not on the ledger."),
  PARENT_NOT_LATEST: forbidden(
    "The record updates a version that has been updated already; its owner is told by which record.",
  ),
  PARENT_OWNER_MISMATCH: forbidden("The record updates a version of another owner."),
  PARENT_KIND_MISMATCH: forbidden("The record updates a version of another kind or another thing."),
} as const satisfies Partial<Record<RuleReason, ReasonEntry>>;

const energyReasons = {
  METER_UNKNOWN: forbidden("No meter is registered under exactly this id."),
  METER_OWNER_MISMATCH: forbidden("The meter is registered to another participant."),
  INTERVAL_INVALID: wrong(
    "The interval does not start on the market's grid, or has another length than registered.",
  ),
  INTERVAL_OVERLAP: forbidden(
    "The meter has another value for the interval already, perhaps of an earlier submission of " +
      "your own; the owner is told of which record: name that as the parent to correct it.",
  ),
  ENERGY_ABOVE_RATING: forbidden("More energy than the meter can carry in its interval."),
  EXPORT_BELOW_SOLD: forbidden("The update would lower exported energy below what is sold."),
  IMPORT_BELOW_BOUGHT: forbidden("The update would lower imported energy below what is bought."),
  TRADE_PARTIES_EQUAL: wrong("Seller and buyer are the same participant."),
  TRADE_PARTY_UNKNOWN: forbidden("Seller or buyer is not registered."),
  TRADE_SIGNATURE_INVALID: wrong("The seller's or the buyer's signature does not verify."),
  TRADE_REPEATED: forbidden("Terms with this trade id are on the ledger already."),
  PRICE_OUT_OF_BOUNDS: forbidden("The price is outside the market's bounds."),
  ENERGY_INVALID: wrong("The energy is zero or out of range."),
  DOUBLE_SPEND: forbidden("The seller would sell more than its meters exported in the interval."),
  OVER_PURCHASE: forbidden("The buyer would buy more than its meters imported in the interval."),
} as const satisfies Partial<Record<RuleReason, ReasonEntry>>;

const agreementReasons = {
  BLOCK_MALFORMED: wrong("The block does not decode or has a wrong shape."),
  BLOCK_WRONG_HEIGHT: wrong("The block's height is not the next one."),
  BLOCK_WRONG_PARENT: wrong("The block does not extend the head."),
  BLOCK_WRONG_PROPOSER: wrong("The block was not made by the proposer of its height and round."),
  BLOCK_TIME_INVALID: wrong("The block's timestamp is not after its parent's."),
  BLOCK_DIGEST_MISMATCH: wrong("A digest in the header disagrees with what it is a digest of."),
  BLOCK_ROOT_MISMATCH: wrong("A Merkle root or tree size disagrees with the leaves."),
  BLOCK_SEAL_MISMATCH: wrong("A leaf's seal digest is not that of its sealed record."),
  BLOCK_TOO_LARGE: wrong("More records, bytes or intervals than one block may have."),
  BLOCK_BEACON_INVALID: wrong("The beacon is not the VRF output of the proposer's key."),
  CERTIFICATE_INVALID: wrong("A certificate is incomplete, out of order or about something else."),
  OPERATION_INVALID: wrong("A control operation is malformed or does not fit the members."),
  CHECKPOINT_MISMATCH: forbidden(
    "The chain has another block than the checkpoint that the node joined with.",
  ),
  STORAGE_TOO_FEW: {
    status: "UNAVAILABLE",
    summary: "Too few storage nodes are eligible to verify a block with records.",
    retryAfterMs: 5_000,
  },
  VOTE_MALFORMED: wrong("A proposal, vote, attestation, head or objection has a wrong shape."),
  SIGNER_UNKNOWN: wrong("No member with this role has the signer's id."),
  GENESIS_INVALID: wrong("The genesis file is not valid."),
} as const satisfies Partial<Record<RuleReason, ReasonEntry>>;

const joiningRules = {
  INVITATION_INVALID: {
    status: "PERMISSION_DENIED",
    summary: "The invitation is malformed, not signed by an operator, or for somebody else.",
  },
  INVITATION_EXPIRED: {
    status: "PERMISSION_DENIED",
    summary: "The invitation has expired; ask its operator for another one.",
  },
  INVITATION_USED_UP: {
    status: "PERMISSION_DENIED",
    summary: "The invitation was used as often as it allows; ask its operator for another one.",
  },
  MEMBER_ID_TAKEN: {
    status: "ALREADY_EXISTS",
    summary: "Somebody else has joined under the id, or a meter has it; choose another one.",
  },
} as const satisfies Partial<Record<RuleReason, ReasonEntry>>;

const joiningReasons = {
  CERTIFICATE_REQUEST_INVALID: wrong(
    "The certificate request is not signed, or not for a P-256 key, or not for the registered one.",
  ),
  PAYOUT_OUTDATED: forbidden(
    "More has been paid than this payout assumes: check whether it is recorded before you repeat it.",
  ),
  NOT_AN_ISSUER: forbidden(
    "This manager was not given the key of its certificate authority; ask another manager.",
  ),
} as const satisfies Record<string, ReasonEntry>;

const transportReasons = {
  MESSAGE_MALFORMED: wrong("The message's bytes are not the protobuf message of this method."),
  MESSAGE_TOO_LARGE: wrong(
    "The message is larger than this caller may ever send: send it in smaller parts.",
  ),
  MESSAGE_TOO_COMPLEX: wrong(
    "The message has more elements, or would take more memory, than its method allows.",
  ),
  HEADERS_TOO_LARGE: wrong("The call's headers are too long, or have too many binary values."),
  COMPRESSION_UNSUPPORTED: {
    status: "UNIMPLEMENTED",
    summary: "The message is compressed; nodes take uncompressed ones only.",
  },
  UPLOADS_EXHAUSTED: {
    status: "RESOURCE_EXHAUSTED",
    summary:
      "The caller, or all callers of its kind, are already sending as many bytes as they may.",
    retryAfterMs: 1_000,
  },
  UPLOAD_TOO_SLOW: {
    status: "DEADLINE_EXCEEDED",
    summary: "A message or request was begun, and then went on too slowly or not at all.",
    retryAfterMs: 1_000,
  },
  FIELD_INVALID: wrong("A field of the request is missing or out of range."),
  RANGE_INVALID: wrong("The end of a range lies before its start, or the range is too long."),
  PAGE_TOKEN_INVALID: wrong("The page token is not one that this method gave for this request."),
  REQUEST_ID_REPEATED: wrong("A request with this id is in flight on the stream already."),
  METHOD_UNIMPLEMENTED: {
    status: "UNIMPLEMENTED",
    summary: "This node does not offer the method.",
  },
  SERVICE_UNKNOWN: {
    status: "NOT_FOUND",
    summary: "Health was asked about a service that this node does not have.",
  },
  NOT_ON_STORAGE_NODE: {
    status: "UNIMPLEMENTED",
    summary: "Storage nodes cannot answer this; ask a manager.",
  },
  STREAMS_EXHAUSTED: {
    status: "RESOURCE_EXHAUSTED",
    summary: "The caller has as many streams of this method open as it may have.",
    retryAfterMs: 1_000,
  },
  TOO_MANY_IN_FLIGHT: {
    status: "RESOURCE_EXHAUSTED",
    summary: "The caller has as many calls or requests in flight as it may have.",
    retryAfterMs: 200,
  },
  CALLS_TOO_FREQUENT: {
    status: "RESOURCE_EXHAUSTED",
    summary: "The caller calls more often than it may; refused calls count, too.",
    retryAfterMs: 1_000,
  },
  CONNECTIONS_EXHAUSTED: {
    status: "RESOURCE_EXHAUSTED",
    summary: "The caller, or all callers together, have as many connections as they may have.",
    retryAfterMs: 5_000,
  },
  ANSWERS_UNREAD: {
    status: "RESOURCE_EXHAUSTED",
    summary: "Answers that have not been read yet take up all the memory that is meant for them.",
    retryAfterMs: 1_000,
  },
  DEADLINE: {
    status: "DEADLINE_EXCEEDED",
    summary: "The deadline passed. Nothing is lost: the retry returns the same receipt.",
    retryAfterMs: 1_000,
  },
  CANCELLED: {
    status: "CANCELLED",
    summary: "The caller gave the call up.",
  },
  INTERNAL: {
    status: "INTERNAL",
    summary: "A fault of the node; its log says more.",
  },
} as const satisfies Record<string, ReasonEntry>;

const callerReasons = {
  IDENTITY_INVALID: {
    status: "UNAUTHENTICATED",
    summary:
      "The TLS certificate has expired, or does not carry exactly one identity of this consortium.",
  },
  CERTIFICATE_UNKNOWN: {
    status: "UNAUTHENTICATED",
    summary: "The certificate's public key is not the one registered for its identity.",
  },
  ROLE_NOT_ALLOWED: {
    status: "PERMISSION_DENIED",
    summary: "The caller's role may not call this method.",
  },
  LISTING_NOT_ALLOWED: {
    status: "PERMISSION_DENIED",
    summary:
      "Records by participant or meter are listed for managers, officers and their owners only.",
  },
  SETTLEMENT_NOT_ALLOWED: {
    status: "PERMISSION_DENIED",
    summary: "Settlements are for managers, and for the participant whom they are about.",
  },
  CALLER_NOT_SUBMITTER: {
    status: "PERMISSION_DENIED",
    summary: "The submission names another participant than the caller's certificate.",
  },
} as const satisfies Record<string, ReasonEntry>;

const nodeReasons = {
  RECORD_UNKNOWN: { status: "NOT_FOUND", summary: "No record with this hash is on the ledger." },
  BLOCK_UNKNOWN: { status: "NOT_FOUND", summary: "No such block is on the ledger." },
  TARIFF_INVALID: forbidden(
    "The record is no tariff, or the tariff does not fit the market or has no price for the period.",
  ),
  SETTLEMENT_TOO_LARGE: forbidden(
    "More records or intervals than one answer may look at, or sums that are too large: settle from records, or a shorter period.",
  ),
  POOL_FULL: {
    status: "RESOURCE_EXHAUSTED",
    summary: "The pool of submissions that wait to be ordered is full.",
    retryAfterMs: 1_000,
  },
  POOL_SHARE_FULL: {
    status: "RESOURCE_EXHAUSTED",
    summary:
      "The participant has as much in the pool as it may, or as much waits before it as takes 10 s.",
    retryAfterMs: 1_000,
  },
  REFUSALS_EXHAUSTED: {
    status: "RESOURCE_EXHAUSTED",
    summary: "Too many records of the participant were refused, or were on the ledger already.",
    retryAfterMs: 1_000,
  },
  STORAGE_UNAVAILABLE: {
    status: "UNAVAILABLE",
    summary: "Too few storage nodes can be reached; the message names what is missing.",
    retryAfterMs: 2_000,
  },
  MANAGERS_UNAVAILABLE: {
    status: "UNAVAILABLE",
    summary:
      "Too few managers can be reached; the message names who is missing. The submission may wait " +
      "at a manager and be recorded later: send the same bytes again.",
    retryAfterMs: 2_000,
  },
  LINK_TAKEN_OVER: {
    status: "ABORTED",
    summary:
      "Another connection of the same storage node has taken the link's place. If that goes on, two " +
      "processes run with one key.",
  },
  NODE_STARTING: {
    status: "UNAVAILABLE",
    summary: "The node is starting and does not answer yet.",
    retryAfterMs: 1_000,
  },
  NODE_STOPPING: {
    status: "UNAVAILABLE",
    summary: "The node is stopping; ask another one.",
    retryAfterMs: 1_000,
  },
  NODE_HALTED: {
    status: "UNAVAILABLE",
    summary: "The node has found that the ledger forks, and takes no part until its operator acts.",
  },
  NODE_UNREACHABLE: {
    status: "UNAVAILABLE",
    summary: "No connection to the node; given by the client library itself.",
    retryAfterMs: 1_000,
  },
} as const satisfies Record<string, ReasonEntry>;

const ruleTable: Readonly<Record<RuleReason, ReasonEntry>> = {
  ...submissionReasons,
  ...versionReasons,
  ...energyReasons,
  ...agreementReasons,
  ...joiningRules,
};

type ServiceReason =
  | keyof typeof joiningReasons
  | keyof typeof transportReasons
  | keyof typeof callerReasons
  | keyof typeof nodeReasons;

export type Reason = RuleReason | ServiceReason;

export const reasonTable: Readonly<Record<Reason, ReasonEntry>> = {
  ...ruleTable,
  ...transportReasons,
  ...joiningReasons,
  ...callerReasons,
  ...nodeReasons,
};

/** The table in the order in which people look things up. */
export const reasonGroups: readonly {
  readonly title: string;
  readonly reasons: Readonly<Record<string, ReasonEntry>>;
}[] = [
  { title: "Calls and messages", reasons: transportReasons },
  { title: "Who calls", reasons: callerReasons },
  { title: "The node", reasons: nodeReasons },
  { title: "Joining", reasons: { ...joiningRules, ...joiningReasons } },
  { title: "Submissions and records", reasons: submissionReasons },
  { title: "Versions", reasons: versionReasons },
  { title: "Meters, energy and trades", reasons: energyReasons },
  { title: "Blocks and votes", reasons: agreementReasons },
];

export function isReason(name: string): name is Reason {
  return Object.hasOwn(reasonTable, name);
}
