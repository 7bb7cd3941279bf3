/**
 * The shape of control operations: what can be checked without knowing the members. Whether an
 * operation fits the members is checked by `Members.applyOperation`, and whether it fits the
 * participants by the ledger's state.
 */
import { ed25519SignatureBytes } from "../../crypto/ed25519.js";
import {
  type AdmitStorageNode,
  type ControlOperation,
  OfficerRole,
  type Policy,
  type RegisterMeter,
  type RegisterOfficer,
  type RegisterParticipant,
  type ResumeManager,
  type SuspendManager,
} from "../../gen/bss/v1/genesis_pb.js";
import { evidenceProblem } from "../certificates/evidence.js";
import { isId } from "../ids.js";
import { storageOperationProblem } from "../storage-nodes/storage-operations.js";
import { invalidOperation, type Violation } from "../violation.js";
import { hasUnknownFields, safeInteger } from "../wire.js";
import { consentShapeProblem, joiningOf } from "./consent.js";
import {
  agentsProblem,
  isMeterInterval,
  keysProblem,
  meterProblem,
  type ShapeProblem,
} from "./registrations.js";

/** The block whose operations are applied. */
export type OperationPlace = {
  readonly policy: Policy;
  readonly height: number;
  /** Unix ms. */
  readonly timestampMs: number;
};

/**
 * Checks one operation by itself: OPERATION_INVALID or INVITATION_INVALID with the field's path, or
 * undefined when it is well formed.
 */
export function checkOperation(message: ControlOperation, policy: Policy): Violation | undefined {
  const { operation } = message;
  switch (operation.case) {
    case "admitStorageNode":
      return checkStorageNode(operation.value) ?? checkConsentShape(message, policy);
    case "registerParticipant":
      return checkParticipant(operation.value) ?? checkConsentShape(message, policy);
    case "registerMeter":
      return checkMeter(operation.value, policy);
    case "registerOfficer":
      return checkOfficer(operation.value);
    case "suspendManager":
      return checkSuspension(operation.value);
    case "resumeManager":
      return resumeProblem(operation.value);
    case "evidence":
      return evidenceProblem(operation.value);
    case undefined:
      return invalidOperation("No operation that this release knows is set.", "operation");
    default:
      return storageOperationProblem(message);
  }
}

/**
 * Whether an operation may be in a block, because every node can check who agreed to it: it carries
 * signatures or consent, or managers accept it only if they have seen for themselves what it says.
 * All other operations are in genesis only.
 */
export function carriesAuthority(message: ControlOperation): boolean {
  switch (message.operation.case) {
    case "admitStorageNode":
    case "registerParticipant":
      return joiningOf(message) !== undefined;
    case "registerMeter":
    case "registerOfficer":
    case undefined:
      return false;
    default:
      return true;
  }
}

/** Checks a statement of return by its shape: OPERATION_INVALID, or undefined. */
export function resumeProblem(resume: ResumeManager): Violation | undefined {
  const path = "resume_manager";
  if (hasUnknownFields(resume)) return invalidOperation("There are unknown fields.", path);
  if (!isId(resume.managerId))
    return invalidOperation("The value is not an id.", `${path}.manager_id`);
  const suspendedHeight = safeInteger(resume.suspendedHeight, 1);
  if (suspendedHeight === undefined)
    return invalidOperation("The value is not a height.", `${path}.suspended_height`);
  if (safeInteger(resume.heldHeight, suspendedHeight) === undefined) {
    return invalidOperation(
      "The height is before the block that suspended the manager.",
      `${path}.held_height`,
    );
  }
  if (resume.signature.length === ed25519SignatureBytes) return undefined;
  return invalidOperation("A signature has 64 bytes.", `${path}.signature`);
}

function checkSuspension({ managerId }: SuspendManager): Violation | undefined {
  if (isId(managerId)) return undefined;
  return invalidOperation("The value is not an id.", "suspend_manager.manager_id");
}

function checkConsentShape(message: ControlOperation, policy: Policy): Violation | undefined {
  const joining = joiningOf(message);
  return joining && consentShapeProblem(joining, policy);
}

function checkStorageNode(node: AdmitStorageNode): Violation | undefined {
  const path = "admit_storage_node";
  if (!isId(node.nodeId)) return invalidOperation("The value is not an id.", `${path}.node_id`);
  if (!isId(node.sponsorId))
    return invalidOperation("The value is not an id.", `${path}.sponsor_id`);
  return below(path, keysProblem(node));
}

function checkOfficer(officer: RegisterOfficer): Violation | undefined {
  const path = "register_officer";
  if (!isId(officer.officerId))
    return invalidOperation("The value is not an id.", `${path}.officer_id`);
  const { role, managerId } = officer;
  if (role !== OfficerRole.OPERATOR && role !== OfficerRole.AUDITOR) {
    return invalidOperation("The role is neither operator nor auditor.", `${path}.role`);
  }
  if (role === OfficerRole.OPERATOR ? !isId(managerId) : managerId !== "") {
    const message = "An operator acts for one manager, an auditor for none.";
    return invalidOperation(message, `${path}.manager_id`);
  }
  return below(path, keysProblem(officer));
}

function checkParticipant(participant: RegisterParticipant): Violation | undefined {
  const path = "register_participant";
  const { participantId, agentIds } = participant;
  if (!isId(participantId))
    return invalidOperation("The value is not an id.", `${path}.participant_id`);
  return below(path, agentsProblem(participantId, agentIds) ?? keysProblem(participant));
}

function checkMeter(meter: RegisterMeter, policy: Policy): Violation | undefined {
  const path = "register_meter";
  if (!isId(meter.ownerId)) return invalidOperation("The value is not an id.", `${path}.owner_id`);
  const problem = meterProblem(meter);
  if (problem !== undefined) return below(path, problem);
  if (isMeterInterval(meter.intervalS, policy)) return undefined;
  return invalidOperation(
    "The meter's interval does not divide the delivery interval.",
    `${path}.interval_s`,
  );
}

function below(path: string, problem: ShapeProblem | undefined): Violation | undefined {
  return problem && invalidOperation(problem.message, `${path}.${problem.field}`);
}
