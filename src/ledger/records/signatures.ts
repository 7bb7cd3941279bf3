/**
 * The signatures on which a submission rests, as obligations: its submitter's, and for each trade
 * the seller's and the buyer's. A submission whose own signature fails is wrong as a whole; a trade
 * whose signature fails is one record that breaks a rule.
 */

import { ok, type Result } from "../../base/result.js";
import { ed25519SignatureBytes } from "../../crypto/ed25519.js";
import { domain, taggedHash } from "../../crypto/hash.js";
import type { SignatureCheck } from "../certificates/signature-check.js";
import type { StateReads } from "../state/state-tables.js";
import { refuse, type Violation, violation } from "../violation.js";
import type { ParsedRecord } from "./records.js";
import { type SignedHeader, submissionDigest } from "./submissions.js";

/** What both parties of a trade sign: SHA-256("bss/v1/trade" ‖ consortium_id ‖ terms), 32 bytes. */
export function tradeDigest(consortiumId: Uint8Array, termsBytes: Uint8Array): Uint8Array {
  return taggedHash(domain.trade, consortiumId, termsBytes);
}

/**
 * The submitter's signature; PARTICIPANT_UNKNOWN without a registered submitter. Reads the
 * submitter's key of the state.
 */
export function submissionSignatureCheck(
  submission: SignedHeader,
  state: StateReads,
): Result<SignatureCheck, Violation> {
  const { participantId, headerBytes, signature } = submission;
  const publicKey = signingKey(state, participantId);
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
 * The signatures inside one record: both parties' for a trade, none for the others.
 * TRADE_PARTY_UNKNOWN or TRADE_SIGNATURE_INVALID when one cannot verify. Reads the parties' keys
 * of the state.
 */
export function recordSignatureChecks(
  record: ParsedRecord,
  consortiumId: Uint8Array,
  state: StateReads,
): Result<readonly SignatureCheck[], Violation> {
  const { payload } = record;
  if (payload.kind !== "energy-trade") return ok([]);
  const digest = tradeDigest(consortiumId, payload.termsBytes);
  const checks: SignatureCheck[] = [];
  for (const [role, id, signature] of [
    ["seller", payload.sellerId, payload.sellerSignature],
    ["buyer", payload.buyerId, payload.buyerSignature],
  ] as const) {
    const publicKey = signingKey(state, id);
    if (publicKey === undefined) {
      const message = `No participant ${id} is registered.`;
      return refuse("TRADE_PARTY_UNKNOWN", message, `energy_trade.terms.${role}_id`);
    }
    const broken = violation(
      "TRADE_SIGNATURE_INVALID",
      `The ${role}'s signature is not ${id}'s.`,
      `energy_trade.${role}_signature`,
    );
    if (signature.length !== ed25519SignatureBytes) return { ok: false, error: broken };
    const what = `trade terms of record ${record.hashHex} by its ${role} ${id}`;
    checks.push({ publicKey, digest, signature, what, violation: broken });
  }
  return ok(checks);
}

function signingKey(state: StateReads, participantId: string): Uint8Array | undefined {
  return state.participants.get(participantId)?.signingKey;
}
