/** The values of all labels with a closed list. Code that counts must name one of them. */
import { type RuleReason, ruleReasons } from "../ledger/violation.js";

export const voteKinds = ["propose", "accept", "approve", "commit"] as const;
export const directions = ["sent", "received"] as const;
export const attestationVerdicts = ["match", "mismatch", "behind"] as const;
export const verdictResults = ["accepted", "objected"] as const;
export const awaitedSignatures = [
  "proposal",
  "accept",
  "approve",
  "attestation",
  "commit",
] as const;
/** The state of a storage node on the ledger. */
export const storageStates = ["active", "unreachable", "boycotted", "retired"] as const;
export const auditResults = ["passed", "failed"] as const;
export const renewalResults = ["renewed", "failed"] as const;
/** Why a peer is not asked for blocks for a while. */
export const blameReasons = ["silent", "slow", "empty", "malformed", "invalid"] as const;
export const peerRoles = ["manager", "storage", "participant", "operator", "auditor"] as const;
/** Why a block suspends a manager. */
export const suspensionCauses = ["absent", "equivocated"] as const;
/** What evidence against a manager shows. */
export const offences = ["two proposals", "two votes", "a broken lock"] as const;
/** Steps of a round that time out. */
export const roundSteps = ["propose", "approve", "verify", "commit"] as const;
/** Whose connections; a stranger has not called yet. */
export const connectionGroups = [
  "strangers",
  "invited",
  "clients",
  "managers",
  "storageNodes",
] as const;
/** Why a connection was refused or cut. */
export const connectionEnds = [
  "rate",
  "crowded",
  "share",
  "calls",
  "silent",
  "unread",
  "expired",
  "abandoned",
  "descriptors",
] as const;
/** Whose answers. */
export const answerGroups = ["clients", "managers", "storageNodes"] as const;
/** Bounded queues. */
export const queues = ["ring-events", "manager-link"] as const;
/** Control operations that blocks carry. */
export const operationKinds = [
  "admitStorageNode",
  "registerParticipant",
  "registerMeter",
  "registerOfficer",
  "suspendManager",
  "resumeManager",
  "evidence",
  "retireStorageNode",
  "suspendStorageNode",
  "returnStorageNode",
  "carryAttestations",
  "failAudit",
  "recordPayout",
] as const;

/** Why a message of a peer is dropped, besides the rules of the ledger. */
const peerDropReasons = [
  "ATTESTATION_OF_ANOTHER",
  "CLAIM_OF_ANOTHER",
  "FINDING_OF_ANOTHER",
  "FORK_NOT_PROVEN",
  "HEADS_TOO_FREQUENT",
  "HEAD_OF_ANOTHER",
  "HEIGHT_DECIDED",
  "MESSAGE_MALFORMED",
  "NOT_ASKED_FOR",
  "NOT_IN_COMMITTEE",
  "NOT_THE_PROPOSER",
  "OVER_BUDGET",
  "PERHAPS_ATTESTED",
  "QUEUE_FULL",
  "RETURN_OF_ANOTHER",
  "ROUND_ATTESTED",
  "TOO_MANY_ROUNDS",
  "TOO_MANY_VERDICTS",
  "UNDER_REPAIR",
] as const;
export const dropReasons = [...ruleReasons, ...peerDropReasons] as const;
export type DropReason = RuleReason | (typeof peerDropReasons)[number];

/** The status codes of gRPC. */
export const grpcCodes = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;
