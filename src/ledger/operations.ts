/**
 * Control operations by their shape: what can be said of one without knowing who belongs already.
 * Whether it fits the members is told by `Members.applyOperation`, whether it fits the participants
 * by the ledger's state.
 */
import { isValidEd25519PublicKey } from "../crypto/ed25519.js";
import {
  type AdmitStorageNode,
  type ControlOperation,
  OfficerRole,
  type Policy,
  type RegisterMeter,
  type RegisterOfficer,
  type RegisterParticipant,
} from "../gen/bss/v1/genesis_pb.js";
import { isId } from "./ids.js";
import { hashBytes } from "./merkle/hashes.js";
import { type Violation, violation } from "./violation.js";

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
    case "resumeManager":
    case "evidence":
      return invalid("Managers are not suspended.", kind);
    case undefined:
      return invalid("No operation is set.", "operation");
  }
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
