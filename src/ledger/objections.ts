/**
 * A manager's signed word that a record breaks a rule (docs/protocol.md §4.7): its shape, what is
 * signed, and which objections can be held against their author. An objection is a claim about one
 * place, the ledger at a height, so whoever is at that place can look for itself.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { ok, type Result } from "../base/result.js";
import { ed25519SignatureBytes } from "../crypto/ed25519.js";
import { domain, taggedHash } from "../crypto/hash.js";
import type { Objection } from "../gen/bss/v1/broadcast_pb.js";
import { CanonicalObjectionSchema } from "../gen/bss/v1/canonical_pb.js";
import type { Members } from "./members.js";
import { hashBytes } from "./merkle/hashes.js";
import { described, type SignatureCheck } from "./signature-check.js";
import { type RuleReason, refuse, type Violation } from "./violation.js";
import { safeInteger } from "./wire.js";

/**
 * Reasons that hold or do not hold for a record on the ledger of one height, whoever looks, at
 * whatever time, whatever else waits: a manager that keeps the rules names one of these only where
 * everybody finds it. (TIME_IN_FUTURE depends on a clock, ENERGY_INVALID on other readings.)
 */
export const lastingReasons: ReadonlySet<RuleReason> = new Set([
  "SIGNATURE_INVALID",
  "TRADE_SIGNATURE_INVALID",
  "PARTICIPANT_UNKNOWN",
  "OWNER_UNKNOWN",
  "AGENT_NOT_AUTHORIZED",
  "SALT_INVALID",
  "TIME_INVALID",
  "PARENT_OWNER_MISMATCH",
  "PARENT_KIND_MISMATCH",
  "METER_UNKNOWN",
  "METER_OWNER_MISMATCH",
  "INTERVAL_INVALID",
  "ENERGY_ABOVE_RATING",
  "TRADE_PARTIES_EQUAL",
  "TRADE_PARTY_UNKNOWN",
  "PRICE_OUT_OF_BOUNDS",
  "DOCUMENT_INVALID",
  "SESSION_INVALID",
] satisfies readonly RuleReason[]);

/** What honest managers write is far shorter. */
const textCharsMax = { reason: 64, message: 1_000, field: 256 } as const;

/** What an objection claims. */
export type ObjectionClaim = Pick<
  Objection,
  "submissionId" | "recordHash" | "reason" | "height"
> & {
  /** 32 bytes. */
  readonly consortiumId: Uint8Array;
};

/** The 32 bytes that an objection signs. */
export function objectionDigest(claim: ObjectionClaim): Uint8Array {
  const { consortiumId, submissionId, recordHash, reason, height } = claim;
  const canonical = { consortiumId, submissionId, recordHash, reason, height };
  const message = create(CanonicalObjectionSchema, canonical);
  return taggedHash(domain.objection, toBinary(CanonicalObjectionSchema, message));
}

/** Checks an objection's shape and author; VOTE_MALFORMED or SIGNER_UNKNOWN. */
export function checkObjection(
  objection: Objection,
  members: Members,
  consortiumId: Uint8Array,
): Result<SignatureCheck, Violation> {
  const { submissionId, recordHash, managerId, signature } = objection;
  const height = safeInteger(objection.height);
  if (height === undefined) return malformed("height");
  if (submissionId.length !== hashBytes) return malformed("submission_id");
  if (recordHash.length !== hashBytes) return malformed("record_hash");
  for (const field of ["reason", "message", "field"] as const) {
    if (objection[field].length > textCharsMax[field]) return malformed(field);
  }
  if (signature.length !== ed25519SignatureBytes) return malformed("signature");
  const author = members.manager(managerId);
  if (author === undefined) {
    return refuse("SIGNER_UNKNOWN", "No manager has the objector's id.", "manager_id");
  }
  return ok({
    publicKey: author.signingKey,
    digest: objectionDigest({ ...objection, consortiumId }),
    signature,
    ...described("objection", managerId, height),
  });
}

function malformed(field: string): Result<never, Violation> {
  return refuse("VOTE_MALFORMED", `Not valid as an objection's ${field}.`, field);
}
