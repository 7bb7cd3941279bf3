/**
 * The signatures that have to verify, as obligations (signature-check.ts): the submitter's, and
 * those inside records, such as the seller's and the buyer's of a trade. When the submitter's does
 * not verify, the whole submission is refused; when one inside a record does not, that record is.
 */
import { ok, type Result } from "../../base/result.js";
import type { SignatureCheck } from "../certificates/signature-check.js";
import { kindOf } from "../kinds/kinds.js";
import type { StateReads } from "../state/state-tables.js";
import { refuse, type Violation, violation } from "../violation.js";
import type { ParsedRecord } from "./records.js";
import { type SignedHeader, submissionDigest } from "./submissions.js";

/**
 * The submitter's signature; PARTICIPANT_UNKNOWN without a registered submitter. Reads the
 * submitter's key of the state.
 */
export function submissionSignatureCheck(
  submission: SignedHeader,
  state: StateReads,
): Result<SignatureCheck, Violation> {
  const { participantId, headerBytes, signature } = submission;
  const publicKey = state.participants.get(participantId)?.signingKey;
  if (publicKey === undefined) {
    const message = `No participant ${participantId} is registered.`;
    return refuse("PARTICIPANT_UNKNOWN", message, "header.participant_id");
  }
  const message = `The signature is not ${participantId}'s.`;
  return ok({
    publicKey,
    digest: submissionDigest(headerBytes),
    signature,
    what: `submission of ${participantId}`,
    violation: violation("SIGNATURE_INVALID", message, "signature"),
  });
}

/**
 * The signatures inside one record, or why one cannot verify: as its kind's rules say
 * (`signatureRules`). Reads the state that the kind names.
 */
export function recordSignatureChecks(
  record: ParsedRecord,
  consortiumId: Uint8Array,
  state: StateReads,
): Result<readonly SignatureCheck[], Violation> {
  const found: SignatureCheck[] = [];
  for (const rule of kindOf(record).signatureRules) {
    const checks = rule.checks(record, consortiumId, state);
    if (!checks.ok) return checks;
    found.push(...checks.value);
  }
  return ok(found);
}
