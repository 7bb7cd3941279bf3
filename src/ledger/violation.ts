/**
 * Why something was refused: a stable reason for programs, a sentence for people and, where one
 * field is at fault, its path. Refusals are values, because wrong input is normal; the one table
 * that turns reasons into gRPC statuses stands in `src/rpc`.
 */
import { err, type Result } from "../base/result.js";

/**
 * Every reason that the ledger gives. A reason is never renamed or reused: clients branch on it.
 */
export const ruleReasons = [
  // Submissions and records
  /** The submission or its header does not decode, or a field of it has a wrong shape. */
  "SUBMISSION_MALFORMED",
  /** More records, or intervals of load profiles, than one submission or one block may have. */
  "TOO_MANY_RECORDS",
  /** The record does not decode, holds unknown fields, or a field of it has a wrong shape. */
  "RECORD_MALFORMED",
  /** The record is longer than policy allows. */
  "RECORD_TOO_LARGE",
  /** The header or leaf names another record hash than the record's own. */
  "RECORD_HASH_MISMATCH",
  /** One record stands twice in a submission or block. */
  "RECORD_REPEATED",
  /** Signed or made for another consortium. */
  "CONSORTIUM_MISMATCH",
  /** A signature does not verify under the key registered for its signer. */
  "SIGNATURE_INVALID",
  /** No participant is registered under the submitter's id, or the one that is asked for. */
  "PARTICIPANT_UNKNOWN",
  /** No participant is registered under the record's owner id. */
  "OWNER_UNKNOWN",
  /**
   * The submitter is neither the record's owner nor an agent that the owner's registration names.
   */
  "AGENT_NOT_AUTHORIZED",
  /** The salt is not 16 bytes. */
  "SALT_INVALID",
  /** The record's time is too far after the block's timestamp. */
  "TIME_IN_FUTURE",
  /** The record's time is not positive, or before what it records was complete. */
  "TIME_INVALID",
  /** The record updates a version that is not on the ledger. */
  "PARENT_UNKNOWN",
  /** The record updates a version that has been updated already. */
  "PARENT_NOT_LATEST",
  /** The record updates a version of another owner. */
  "PARENT_OWNER_MISMATCH",
  /** The record updates a version with another kind of payload, or of another thing. */
  "PARENT_KIND_MISMATCH",
  /** No meter is registered under this id. */
  "METER_UNKNOWN",
  /** The meter is registered to another participant. */
  "METER_OWNER_MISMATCH",
  /** The interval is not aligned or has another length than the registered one. */
  "INTERVAL_INVALID",
  /** Another reading or profile of the meter has a value for the interval already. */
  "INTERVAL_OVERLAP",
  /** More energy than the meter can carry in its interval. */
  "ENERGY_ABOVE_RATING",
  /** An update would lower the exported energy below what is sold already. */
  "EXPORT_BELOW_SOLD",
  /** An update would lower the imported energy below what is bought already. */
  "IMPORT_BELOW_BOUGHT",
  /** Seller and buyer are the same participant. */
  "TRADE_PARTIES_EQUAL",
  /** Seller or buyer is not registered. */
  "TRADE_PARTY_UNKNOWN",
  /** The seller's or the buyer's signature over the terms does not verify. */
  "TRADE_SIGNATURE_INVALID",
  /** Terms with this trade id are on the ledger already. */
  "TRADE_REPEATED",
  /** The price is outside the market's bounds. */
  "PRICE_OUT_OF_BOUNDS",
  /** The energy is zero or out of range. */
  "ENERGY_INVALID",
  /** The seller would sell more than its meters exported in the delivery interval. */
  "DOUBLE_SPEND",
  /** The buyer would buy more than its meters imported in the delivery interval. */
  "OVER_PURCHASE",
  /** The record is on the ledger already; its submitter gets the first receipt. */
  "RECORD_ON_LEDGER",
  /** Media type, name or content of a document is out of range. */
  "DOCUMENT_INVALID",
  /** Station, times or energy of a charging session are out of range. */
  "SESSION_INVALID",

  // Blocks
  /** The block does not decode, or a field of it has a wrong shape. */
  "BLOCK_MALFORMED",
  /** The block's height is not the next one. */
  "BLOCK_WRONG_HEIGHT",
  /** The block does not extend the head. */
  "BLOCK_WRONG_PARENT",
  /** The block was not made by the proposer of its height and created round. */
  "BLOCK_WRONG_PROPOSER",
  /** The block's timestamp is not after its parent's. */
  "BLOCK_TIME_INVALID",
  /** A digest in the header disagrees with what it is a digest of. */
  "BLOCK_DIGEST_MISMATCH",
  /** A Merkle root or a tree size disagrees with the leaves. */
  "BLOCK_ROOT_MISMATCH",
  /** A leaf's seal digest is not that of its record as sealed under the epoch key. */
  "BLOCK_SEAL_MISMATCH",
  /** More records, bytes or intervals of load profiles than one block may have. */
  "BLOCK_TOO_LARGE",
  /** The beacon is not the VRF output that the proposer's key gives. */
  "BLOCK_BEACON_INVALID",
  /** A certificate is incomplete, out of order, or about something else. */
  "CERTIFICATE_INVALID",
  /** A control operation is malformed or does not fit the members. */
  "OPERATION_INVALID",
  /** The invitation is malformed, not signed by an operator, or for somebody else. */
  "INVITATION_INVALID",
  /** The invitation's time is over. */
  "INVITATION_EXPIRED",
  /** The invitation has been used as often as it may be. */
  "INVITATION_USED_UP",
  /** A member, participant or meter has this id already. */
  "MEMBER_ID_TAKEN",
  /** The chain has another block than the checkpoint that this node joined with. */
  "CHECKPOINT_MISMATCH",
  /** Too few storage nodes are eligible for a block with leaves. */
  "STORAGE_TOO_FEW",

  // What parties say to each other
  /** A proposal, vote, attestation, head or objection has a wrong shape. */
  "VOTE_MALFORMED",
  /** No member with this role has the signer's id. */
  "SIGNER_UNKNOWN",

  // Genesis
  /** The genesis file is not valid. */
  "GENESIS_INVALID",
] as const;

export type RuleReason = (typeof ruleReasons)[number];

export type Violation = {
  readonly reason: RuleReason;
  /** One sentence for people, without secrets and of bounded length. */
  readonly message: string;
  /** Path of the field at fault, for instance "records[3].salt". */
  readonly field?: string;
  /** The record that stands in the way: its index in the Merkle log, or its hash, 32 bytes. */
  readonly standing?: { readonly position?: number; readonly hash?: Uint8Array };
};

/** A violation. `field` is left out when it is undefined. */
export function violation(reason: RuleReason, message: string, field?: string): Violation {
  return field === undefined ? { reason, message } : { reason, message, field };
}

/** A refusal with one violation. */
export function refuse(
  reason: RuleReason,
  message: string,
  field?: string,
): Result<never, Violation> {
  return err(violation(reason, message, field));
}

/** The violation of a control operation that is malformed or does not fit. */
export function invalidOperation(message: string, field: string): Violation {
  return violation("OPERATION_INVALID", message, field);
}
