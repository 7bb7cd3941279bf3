/**
 * Control operations by their shape: what can be said of one without knowing who belongs already.
 * Whether it fits the members is told by `Members.applyOperation`, whether it fits the participants
 * by the ledger's state.
 */
import { ed25519SignatureBytes, isValidEd25519PublicKey } from "../crypto/ed25519.js";
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
} from "../gen/bss/v1/genesis_pb.js";
import { evidenceProblem } from "./evidence.js";
import { isId } from "./ids.js";
import { hashBytes } from "./merkle/hashes.js";
import { type Violation, violation } from "./violation.js";
import { hasUnknownFields, safeInteger } from "./wire.js";

/** The block whose operations are applied. */
export type OperationPlace = {
  readonly policy: Policy;
  readonly height: number;
  /** Unix ms. */
  readonly timestampMs: number;
};

/** Agents that one participant's registration may name. */
export const agentsMax = 16;
/** W: more than any meter carries, and small enough for all arithmetic in safe integers. */
export const ratedPowerMaxW = 10 ** 12;

/**
 * Checks one operation by itself: OPERATION_INVALID with the field's path, or undefined when it is
 * well formed.
 */
export function checkOperation(operation: ControlOperation, policy: Policy): Violation | undefined {
  const { case: kind, value } = operation.operation;
  switch (kind) {
    case "admitStorageNode":
      return checkStorageNode(value);
    case "registerParticipant":
      return checkParticipant(value);
    case "registerMeter":
      return checkMeter(value, policy);
    case "registerOfficer":
      return checkOfficer(value);
    case "suspendManager":
      return checkSuspension(value);
    case "resumeManager":
      return resumeProblem(value);
    case "evidence":
      return evidenceProblem(value);
    default:
      return invalid("No operation that this release knows is set.", "operation");
  }
}

/**
 * Whether all managers can tell by itself who agreed to an operation: because it is signed, or
 * because each has to have seen what it says. The others need a consent that does not exist yet, so
 * they stand in genesis only.
 */
export function carriesAuthority({ operation }: ControlOperation): boolean {
  return authorised.has(operation.case);
}

const authorised: ReadonlySet<ControlOperation["operation"]["case"]> = new Set([
  "suspendManager",
  "resumeManager",
  "evidence",
] as const);

/** Checks a statement of return by its shape: OPERATION_INVALID, or undefined. */
export function resumeProblem(resume: ResumeManager): Violation | undefined {
  const path = "resume_manager";
  if (hasUnknownFields(resume)) return invalid("There are unknown fields.", path);
  if (!isId(resume.managerId)) return invalid("Not an id.", `${path}.manager_id`);
  const suspendedHeight = safeInteger(resume.suspendedHeight, 1);
  if (suspendedHeight === undefined) return invalid("Not a height.", `${path}.suspended_height`);
  if (safeInteger(resume.heldHeight, suspendedHeight) === undefined) {
    return invalid("Before the block that suspended it.", `${path}.held_height`);
  }
  if (resume.signature.length === ed25519SignatureBytes) return undefined;
  return invalid("A signature has 64 bytes.", `${path}.signature`);
}

function checkSuspension({ managerId }: SuspendManager): Violation | undefined {
  if (isId(managerId)) return undefined;
  return invalid("Not an id.", "suspend_manager.manager_id");
}

function checkStorageNode(node: AdmitStorageNode): Violation | undefined {
  const path = "admit_storage_node";
  if (!isId(node.nodeId)) return invalid("Not an id.", `${path}.node_id`);
  if (!isId(node.sponsorId)) return invalid("Not an id.", `${path}.sponsor_id`);
  return checkKeys(node, path);
}

function checkOfficer(officer: RegisterOfficer): Violation | undefined {
  const path = "register_officer";
  if (!isId(officer.officerId)) return invalid("Not an id.", `${path}.officer_id`);
  const { role } = officer;
  if (role !== OfficerRole.OPERATOR && role !== OfficerRole.AUDITOR) {
    return invalid("Neither operator nor auditor.", `${path}.role`);
  }
  return checkKeys(officer, path);
}

function checkParticipant(participant: RegisterParticipant): Violation | undefined {
  const path = "register_participant";
  const { participantId, agentIds } = participant;
  if (!isId(participantId)) return invalid("Not an id.", `${path}.participant_id`);
  if (agentIds.length > agentsMax) {
    return invalid(`More than ${agentsMax} agents.`, `${path}.agent_ids`);
  }
  const seen = new Set([participantId]);
  for (const [i, agentId] of agentIds.entries()) {
    if (!isId(agentId)) return invalid("Not an id.", `${path}.agent_ids[${i}]`);
    if (seen.has(agentId)) {
      return invalid("The participant itself, or named twice.", `${path}.agent_ids[${i}]`);
    }
    seen.add(agentId);
  }
  return checkKeys(participant, path);
}

function checkMeter(meter: RegisterMeter, policy: Policy): Violation | undefined {
  const path = "register_meter";
  const { meterId, ownerId, ratedPowerW, intervalS } = meter;
  if (!isId(meterId)) return invalid("Not an id.", `${path}.meter_id`);
  if (!isId(ownerId)) return invalid("Not an id.", `${path}.owner_id`);
  if (ratedPowerW < 1n || ratedPowerW > BigInt(ratedPowerMaxW)) {
    return invalid(`Not from 1 to ${ratedPowerMaxW} W.`, `${path}.rated_power_w`);
  }
  if (intervalS < 1 || policy.deliveryIntervalS % intervalS !== 0) {
    return invalid("Does not divide the delivery interval.", `${path}.interval_s`);
  }
  return undefined;
}

function checkKeys(
  keys: { readonly signingKey: Uint8Array; readonly tlsSpkiSha256: Uint8Array },
  path: string,
): Violation | undefined {
  if (!isValidEd25519PublicKey(keys.signingKey)) {
    return invalid("Not an Ed25519 public key.", `${path}.signing_key`);
  }
  if (keys.tlsSpkiSha256.length !== hashBytes) {
    return invalid("Not a SHA-256 digest.", `${path}.tls_spki_sha256`);
  }
  return undefined;
}

function invalid(message: string, field: string): Violation {
  return violation("OPERATION_INVALID", message, field);
}
