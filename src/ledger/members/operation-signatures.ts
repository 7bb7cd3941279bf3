/**
 * The signatures on which control operations rest.
 *
 * A signer has to be a member before the block: its key is looked up in the members after the block
 * before. If a signer, or the committee of a late attestation or a finding, is not found there, the
 * check is one that never verifies, so that no operation passes because a key is missing.
 */
import { err, ok, type Result } from "../../base/result.js";
import type {
  CarryAttestations,
  ControlOperation,
  FailAudit,
  LateAttestation,
  RecordPayout,
  ResumeManager,
  RetireStorageNode,
  ReturnStorageNode,
  SuspendStorageNode,
} from "../../gen/bss/v1/genesis_pb.js";
import { AttestationVerdict } from "../../gen/bss/v1/vote_pb.js";
import { evidenceSignatures } from "../certificates/evidence.js";
import { described, nobodysKey, type SignatureCheck } from "../certificates/signature-check.js";
import {
  attestationDigest,
  findingDigest,
  payoutDigest,
  resumeDigest,
  retirementDigest,
  returnDigest,
  unreachableDigest,
} from "../certificates/vote-digests.js";
import { refuse, type Violation, violation } from "../violation.js";
import { consentSignatures, type Joining, joiningOf, parseInvitation } from "./consent.js";
import type { Manager, Officer, OpenCommittee, StorageNode } from "./member-lists.js";
import { resumeProblem } from "./operations.js";

type Ring = { manager(id: string): Manager | undefined };

/** Who may have signed an operation, before its block. `Members` is one. */
type Signers = Ring & {
  storageNode(id: string): StorageNode | undefined;
  officer(id: string): Officer | undefined;
  readonly openCommittees: readonly OpenCommittee[];
};

/** What must verify for an operation that fits; nothing for one that carries no signature. */
export function operationSignatureChecks(
  message: ControlOperation,
  signers: Signers,
  consortiumId: Uint8Array,
): readonly SignatureCheck[] {
  const { operation } = message;
  switch (operation.case) {
    case "admitStorageNode":
    case "registerParticipant":
      return joiningSignatures(joiningOf(message), signers, consortiumId);
    case "resumeManager":
    case "evidence": {
      const { managerId } = operation.value;
      const manager = signers.manager(managerId);
      if (manager === undefined) return [unverifiable(managerId)];
      return operation.case === "evidence"
        ? evidenceSignatures(operation.value, manager, consortiumId)
        : [resumeSignature(operation.value, manager, consortiumId)];
    }
    case "retireStorageNode":
      return [retirementSignature(operation.value, signers, consortiumId)];
    case "suspendStorageNode":
      return claimSignatures(operation.value, signers, consortiumId);
    case "returnStorageNode":
      return [returnSignature(operation.value, signers, consortiumId)];
    case "carryAttestations":
      return attestationSignatures(operation.value, signers, consortiumId);
    case "failAudit":
      return findingSignatures(operation.value, signers, consortiumId);
    case "recordPayout":
      return [payoutSignature(operation.value, signers, consortiumId)];
    default:
      return [];
  }
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

/** Without consent there are no signatures; `carriesAuthority` decides if that is allowed. */
function joiningSignatures(
  joining: Joining | undefined,
  signers: Signers,
  consortiumId: Uint8Array,
): readonly SignatureCheck[] {
  if (joining === undefined) return [];
  const invitation = parseInvitation(joining.consent.invitation);
  const operator = invitation && signers.officer(invitation.operatorId);
  if (invitation === undefined || operator === undefined) return [unverifiable(joining.memberId)];
  return consentSignatures(joining, invitation, operator, consortiumId);
}

function retirementSignature(
  retirement: RetireStorageNode,
  signers: Signers,
  consortiumId: Uint8Array,
): SignatureCheck {
  const { nodeId, operatorId, signature } = retirement;
  const admittedHeight = Number(retirement.admittedHeight);
  const digest = retirementDigest({ consortiumId, nodeId, admittedHeight });
  const [signerId, signer] =
    operatorId === ""
      ? [nodeId, signers.storageNode(nodeId)]
      : [operatorId, signers.officer(operatorId)];
  return check(signer, digest, signature, described("retirement", signerId, admittedHeight));
}

function claimSignatures(
  { nodeId, claims }: SuspendStorageNode,
  signers: Signers,
  consortiumId: Uint8Array,
): readonly SignatureCheck[] {
  return claims.map(({ managerId, height, signature }) => {
    const at = Number(height);
    const digest = unreachableDigest({ consortiumId, nodeId, height: at });
    const words = described(`claim about ${nodeId}`, managerId, at);
    return check(signers.manager(managerId), digest, signature, words);
  });
}

function returnSignature(
  statement: ReturnStorageNode,
  signers: Signers,
  consortiumId: Uint8Array,
): SignatureCheck {
  const { nodeId, signature } = statement;
  const suspendedHeight = Number(statement.suspendedHeight);
  const heldHeight = Number(statement.heldHeight);
  const digest = returnDigest({ consortiumId, nodeId, suspendedHeight, heldHeight });
  const words = described("return", nodeId, heldHeight);
  return check(signers.storageNode(nodeId), digest, signature, words);
}

function attestationSignatures(
  carried: CarryAttestations,
  signers: Signers,
  consortiumId: Uint8Array,
): readonly SignatureCheck[] {
  const height = Number(carried.height);
  const committee = openCommittee(signers, height);
  return carried.attestations.map((late) => {
    const { nodeId, audit, signature } = late;
    if (committee === undefined) return unverifiable(nodeId);
    const { blockId } = committee;
    const claim = { consortiumId, height, round: carried.round, blockId, audit };
    const digest = attestationDigest({ ...claim, ...computedBy(late, committee) });
    const words = described("attestation", nodeId, height);
    return check(signers.storageNode(nodeId), digest, signature, words);
  });
}

/** What the node says that it computed: the block's own values unless it is a mismatch. */
function computedBy({ mismatch }: LateAttestation, { hash1, treeSize }: OpenCommittee) {
  if (mismatch === undefined) {
    return { hash2: hash1, treeSize, verdict: AttestationVerdict.MATCH };
  }
  const { hash2, treeSize: size } = mismatch;
  return { hash2, treeSize: Number(size), verdict: AttestationVerdict.MISMATCH };
}

function findingSignatures(
  failure: FailAudit,
  signers: Signers,
  consortiumId: Uint8Array,
): readonly SignatureCheck[] {
  const { nodeId, findings } = failure;
  const height = Number(failure.height);
  const audited = openCommittee(signers, height)?.audited;
  const audit = audited?.find((each) => each.nodeId === nodeId)?.audit;
  return findings.map(({ managerId, signature }) => {
    if (audit === undefined) return unverifiable(managerId);
    const digest = findingDigest({ consortiumId, nodeId, height, audit });
    const words = described(`finding about ${nodeId}`, managerId, height);
    return check(signers.manager(managerId), digest, signature, words);
  });
}

function payoutSignature(
  payout: RecordPayout,
  signers: Signers,
  consortiumId: Uint8Array,
): SignatureCheck {
  const { nodeId, amount, paidBefore, reference, operatorId, signature } = payout;
  const digest = payoutDigest({ consortiumId, nodeId, amount, paidBefore, reference });
  const what = `payout of ${operatorId} to ${nodeId}`;
  const refused = violation("SIGNATURE_INVALID", `The signature does not verify: ${what}.`);
  return check(signers.officer(operatorId), digest, signature, { what, violation: refused });
}

function openCommittee({ openCommittees }: Signers, height: number): OpenCommittee | undefined {
  return openCommittees.find((each) => each.height === height);
}

function check(
  signer: { readonly signingKey: Uint8Array } | undefined,
  digest: Uint8Array,
  signature: Uint8Array,
  words: Pick<SignatureCheck, "what" | "violation">,
): SignatureCheck {
  if (signer === undefined) return { ...unverifiable("nobody"), ...words };
  return { publicKey: signer.signingKey, digest, signature, ...words };
}

function unverifiable(signerId: string): SignatureCheck {
  const what = `statement of ${signerId}, who did not belong before the block`;
  const refused = violation("SIGNER_UNKNOWN", `There is nothing to verify by: ${what}.`);
  const [digest, signature] = [new Uint8Array(32), new Uint8Array(64)];
  return { publicKey: nobodysKey, digest, signature, what, violation: refused };
}
