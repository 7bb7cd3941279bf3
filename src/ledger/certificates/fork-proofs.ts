/** What two commit certificates for different blocks of one height prove. */
import { equalBytes, emptyBytes as none } from "../../base/bytes.js";
import { err, ok, type Result } from "../../base/result.js";
import type { CommitCertificate } from "../../gen/bss/v1/block_pb.js";
import type { ForkProof } from "../../gen/bss/v1/vote_pb.js";
import { compareIds } from "../ids.js";
import type { Members } from "../members/members.js";
import { type Violation, violation } from "../violation.js";
import { checkCommit } from "./certificates.js";
import type { SignatureCheck } from "./signature-check.js";

/**
 * The signatures that must verify for the proof to hold, by managers of `members`;
 * CERTIFICATE_INVALID or its like when no signatures could make it hold.
 */
export function checkForkProof(
  { first, second }: ForkProof,
  members: Members,
  consortiumId: Uint8Array,
): Result<readonly SignatureCheck[], Violation> {
  const apart =
    first?.height === second?.height &&
    !equalBytes(first?.blockId ?? none, second?.blockId ?? none);
  if (first === undefined || second === undefined || !apart) {
    const message = "The proof is not two certificates of one height for two blocks.";
    return err(violation("CERTIFICATE_INVALID", message, "fork"));
  }
  const checks: SignatureCheck[] = [];
  for (const certificate of [first, second]) {
    const place = { height: Number(certificate.height), blockId: certificate.blockId };
    const checked = checkCommit(certificate, place, members, consortiumId);
    if (!checked.ok) return checked;
    checks.push(...checked.value);
  }
  return ok(checks);
}

/** Managers that signed both certificates, sorted. */
export function signersOfBoth(first: CommitCertificate, second: CommitCertificate): string[] {
  const signers = new Set(first.signatures.map(({ managerId }) => managerId));
  const both = second.signatures.map(({ managerId }) => managerId).filter((id) => signers.has(id));
  return both.sort(compareIds);
}
