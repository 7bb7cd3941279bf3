/** The signatures on which control operations rest. */
import { err, ok, type Result } from "../base/result.js";
import type { ControlOperation, ResumeManager } from "../gen/bss/v1/genesis_pb.js";
import { evidenceSignatures } from "./evidence.js";
import type { Manager } from "./member-lists.js";
import { resumeProblem } from "./operations.js";
import { described, type SignatureCheck } from "./signature-check.js";
import { refuse, type Violation } from "./violation.js";
import { resumeDigest } from "./vote-digests.js";

type Ring = { manager(id: string): Manager | undefined };

/** What must verify for an operation that fits; nothing for one that carries no signature. */
export function operationSignatureChecks(
  { operation }: ControlOperation,
  members: Ring,
  consortiumId: Uint8Array,
): readonly SignatureCheck[] {
  if (operation.case !== "resumeManager" && operation.case !== "evidence") return [];
  const manager = members.manager(operation.value.managerId);
  if (manager === undefined) return [];
  return operation.case === "evidence"
    ? evidenceSignatures(operation.value, manager, consortiumId)
    : [resumeSignature(operation.value, manager, consortiumId)];
}

/**
 * Checks a manager's statement that it is back by its shape: OPERATION_INVALID, or the signature
 * that must verify. Whether it fits a block is for `Members.applyOperation`.
 */
export function checkResume(
  resume: ResumeManager,
  members: Ring,
  consortiumId: Uint8Array,
): Result<SignatureCheck, Violation> {
  const problem = resumeProblem(resume);
  if (problem !== undefined) return err(problem);
  const manager = members.manager(resume.managerId);
  if (manager === undefined) {
    const message = "No manager has this id.";
    return refuse("OPERATION_INVALID", message, "resume_manager.manager_id");
  }
  return ok(resumeSignature(resume, manager, consortiumId));
}

function resumeSignature(
  resume: ResumeManager,
  { managerId, signingKey: publicKey }: Manager,
  consortiumId: Uint8Array,
): SignatureCheck {
  const { signature } = resume;
  const suspendedHeight = Number(resume.suspendedHeight);
  const heldHeight = Number(resume.heldHeight);
  const digest = resumeDigest({ consortiumId, suspendedHeight, heldHeight });
  return { publicKey, digest, signature, ...described("RESUME", managerId, heldHeight) };
}
