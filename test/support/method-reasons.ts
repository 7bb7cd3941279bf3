/**
 * Which method can answer with which reason, for docs/api.md. What the ledger's rules say of
 * records comes from the rules themselves. A test holds that every reason is somewhere.
 */
import { rules } from "../../src/ledger/records/rules.js";
import type { Reason } from "../../src/rpc/reasons.js";
import { methodRoles } from "../../src/rpc/server/method-roles.js";

/** Before the node looks at what a call asks for, so of every method. */
export const reasonsOfEveryCall: readonly Reason[] = [
  "IDENTITY_INVALID",
  "CERTIFICATE_UNKNOWN",
  "ROLE_NOT_ALLOWED",
  "METHOD_UNIMPLEMENTED",
  "MESSAGE_MALFORMED",
  "MESSAGE_TOO_LARGE",
  "MESSAGE_TOO_COMPLEX",
  "HEADERS_TOO_LARGE",
  "COMPRESSION_UNSUPPORTED",
  "UPLOADS_EXHAUSTED",
  "UPLOAD_TOO_SLOW",
  "STREAMS_EXHAUSTED",
  "TOO_MANY_IN_FLIGHT",
  "CALLS_TOO_FREQUENT",
  "CONNECTIONS_EXHAUSTED",
  "ANSWERS_UNREAD",
  "DEADLINE",
  "CANCELLED",
  "NODE_STARTING",
  "NODE_STOPPING",
  "NODE_HALTED",
  "INTERNAL",
];

/** Given by no method: by the client library, in logs and metrics, or by `bss check`. */
export const reasonsOfNoCall: readonly Reason[] = [
  "NODE_UNREACHABLE",
  "BLOCK_MALFORMED",
  "BLOCK_WRONG_HEIGHT",
  "BLOCK_WRONG_PARENT",
  "BLOCK_WRONG_PROPOSER",
  "BLOCK_TIME_INVALID",
  "BLOCK_DIGEST_MISMATCH",
  "BLOCK_ROOT_MISMATCH",
  "BLOCK_SEAL_MISMATCH",
  "BLOCK_TOO_LARGE",
  "BLOCK_BEACON_INVALID",
  "CERTIFICATE_INVALID",
  "CHECKPOINT_MISMATCH",
  "STORAGE_TOO_FEW",
  "VOTE_MALFORMED",
  "SIGNER_UNKNOWN",
  "GENESIS_INVALID",
];

const submission: readonly Reason[] = [
  "FIELD_INVALID",
  "CALLER_NOT_SUBMITTER",
  "SUBMISSION_MALFORMED",
  "CONSORTIUM_MISMATCH",
  "TOO_MANY_RECORDS",
  "RECORD_MALFORMED",
  "RECORD_TOO_LARGE",
  "RECORD_HASH_MISMATCH",
  "RECORD_REPEATED",
  "SIGNATURE_INVALID",
  "TRADE_SIGNATURE_INVALID",
  "TOO_MANY_IN_FLIGHT",
  "POOL_FULL",
  "POOL_SHARE_FULL",
  "REFUSALS_EXHAUSTED",
  "STORAGE_UNAVAILABLE",
  "MANAGERS_UNAVAILABLE",
  "DEADLINE",
  ...rules.flatMap(({ reasons }) => reasons).filter((each) => each !== "RECORD_ON_LEDGER"),
];
/** A record that is on the ledger gets its place; only an objection to it says so. */
const objection: readonly Reason[] = ["RECORD_ON_LEDGER"];

const onChain: readonly Reason[] = [
  "FIELD_INVALID",
  "OPERATION_INVALID",
  "CONSORTIUM_MISMATCH",
  "SIGNATURE_INVALID",
  "POOL_FULL",
  "TOO_MANY_IN_FLIGHT",
  "MANAGERS_UNAVAILABLE",
  "STORAGE_UNAVAILABLE",
  "DEADLINE",
];
const joining: readonly Reason[] = [
  ...onChain,
  "NOT_AN_ISSUER",
  "CERTIFICATE_REQUEST_INVALID",
  "INVITATION_INVALID",
  "INVITATION_EXPIRED",
  "INVITATION_USED_UP",
  "MEMBER_ID_TAKEN",
];
const record: readonly Reason[] = ["FIELD_INVALID", "RECORD_UNKNOWN"];
const paged: readonly Reason[] = ["FIELD_INVALID", "PAGE_TOKEN_INVALID"];

const byMethod: Readonly<Record<string, readonly Reason[]>> = {
  "bss.v1.BroadcastService/Submit": submission,
  "bss.v1.BroadcastService/SubmitStream": [...submission, ...objection, "REQUEST_ID_REPEATED"],
  "bss.v1.QueryService/GetRecord": record,
  "bss.v1.QueryService/GetReceipt": record,
  "bss.v1.QueryService/GetRecordHistory": [...record, "PAGE_TOKEN_INVALID", "NOT_ON_STORAGE_NODE"],
  "bss.v1.QueryService/ListRecords": [
    ...paged,
    "RANGE_INVALID",
    "LISTING_NOT_ALLOWED",
    "PARTICIPANT_UNKNOWN",
    "METER_UNKNOWN",
    "NOT_ON_STORAGE_NODE",
  ],
  "bss.v1.QueryService/GetSettlement": [
    ...record,
    "RANGE_INVALID",
    "BLOCK_UNKNOWN",
    "SETTLEMENT_NOT_ALLOWED",
    "PARTICIPANT_UNKNOWN",
    "TARIFF_INVALID",
    "SETTLEMENT_TOO_LARGE",
    "NOT_ON_STORAGE_NODE",
  ],
  "bss.v1.QueryService/GetBlock": ["FIELD_INVALID", "BLOCK_UNKNOWN"],
  "bss.v1.QueryService/ListBlocks": paged,
  "bss.v1.QueryService/GetConsistencyProof": ["FIELD_INVALID", "RANGE_INVALID"],
  "bss.v1.QueryService/WatchBlocks": ["FIELD_INVALID"],
  "bss.v1.QueryService/GetConsortium": paged,
  "bss.v1.QueryService/ListStorageNodes": paged,
  "bss.v1.RegistrationService/RegisterStorageNode": joining,
  "bss.v1.RegistrationService/RegisterParticipant": joining,
  "bss.v1.RegistrationService/RenewCertificate": ["NOT_AN_ISSUER", "CERTIFICATE_REQUEST_INVALID"],
  "bss.v1.RegistrationService/RetireStorageNode": onChain,
  "bss.v1.RegistrationService/RecordPayout": [...onChain, "PAYOUT_OUTDATED"],
  "bss.v1.VerifyIntegrityService/VerifyIntegrity": ["LINK_TAKEN_OVER"],
  "grpc.health.v1.Health/Check": ["SERVICE_UNKNOWN"],
};

/** By "bss.v1.QueryService/GetRecord": what it says besides `reasonsOfEveryCall`, once each. */
export function reasonsOfMethod(method: string): readonly Reason[] {
  return [...new Set(byMethod[method])].filter((each) => !reasonsOfEveryCall.includes(each));
}

/** Every reason that is listed anywhere. */
export function listedReasons(): ReadonlySet<Reason> {
  const lists = Object.values(byMethod);
  return new Set([...reasonsOfEveryCall, ...reasonsOfNoCall, ...lists.flat()]);
}

/** Methods that the table names and nobody may call: a name that is wrong. */
export function unknownMethods(): readonly string[] {
  return Object.keys(byMethod).filter((method) => methodRoles[method] === undefined);
}
