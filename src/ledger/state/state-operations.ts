/**
 * Control operations that change the state: participants and meters, and how often an invitation
 * was used. Members (storage nodes, officers) are not state; see members.ts. The same functions
 * apply genesis and blocks.
 */
import { create } from "@bufbuild/protobuf";
import { InvitationStateSchema, ParticipantStateSchema } from "../../gen/bss/store/v1/state_pb.js";
import type { ControlOperation, Invitation, Policy } from "../../gen/bss/v1/genesis_pb.js";
import { isDeviceId, isId } from "../ids.js";
import { invitationOf } from "../members/consent.js";
import { checkOperation } from "../members/operations.js";
import { type Violation, violation } from "../violation.js";
import { stateKeys } from "./state-keys.js";
import { meterState, registeredMeterId, type StateTables } from "./state-tables.js";

export type OperationContext = {
  readonly policy: Policy;
  /** Of the block; 0 for genesis. */
  readonly height: number;
};

/**
 * Why an operation does not fit the state: OPERATION_INVALID, INVITATION_INVALID,
 * INVITATION_USED_UP, or MEMBER_ID_TAKEN when a participant or meter has the id. Whether it fits
 * the members is for `MembersDraft`.
 */
export function stateOperationProblem(
  message: ControlOperation,
  tables: StateTables,
  { policy }: OperationContext,
): Violation | undefined {
  const malformed = checkOperation(message, policy);
  if (malformed !== undefined) return malformed;
  const { operation } = message;
  const invitation = invitationOf(message);
  switch (operation.case) {
    case "registerParticipant": {
      const path = "register_participant";
      const { participantId } = operation.value;
      return (
        participantProblem(participantId, tables, `${path}.participant_id`) ??
        usesProblem(invitation, tables, path) ??
        invitedMetersProblem(invitation, tables, path)
      );
    }
    case "registerMeter": {
      const { meterId, ownerId } = operation.value;
      if (tables.participants.get(ownerId) === undefined) {
        const field = "register_meter.owner_id";
        return violation("OPERATION_INVALID", "No participant has the owner's id.", field);
      }
      return meterProblem(meterId, tables, "register_meter.meter_id");
    }
    case "admitStorageNode": {
      const path = "admit_storage_node";
      return (
        participantProblem(operation.value.nodeId, tables, `${path}.node_id`) ??
        usesProblem(invitation, tables, path)
      );
    }
    case "registerOfficer":
      return participantProblem(operation.value.officerId, tables, "register_officer.officer_id");
    default:
      return undefined;
  }
}

/**
 * Every key that checking and applying a control operation can read or write. The operation may be
 * anything that somebody sent: keys are fetched before it is checked, so there are none for what is
 * no id. `stateOperationProblem` refuses such an operation before it reads.
 */
export function readKeysOfOperation(message: ControlOperation): readonly Uint8Array[] {
  const { operation } = message;
  switch (operation.case) {
    case "registerParticipant":
      return [
        ...participantKeys(operation.value.participantId),
        stateKeys.participantCount(),
        ...readKeysOfConsent(message),
      ];
    case "registerMeter":
      return [...meterKeys(operation.value.meterId), ...participantKeys(operation.value.ownerId)];
    case "admitStorageNode":
      return [...participantKeys(operation.value.nodeId), ...readKeysOfConsent(message)];
    case "registerOfficer":
      return participantKeys(operation.value.officerId);
    default:
      return [];
  }
}

function participantKeys(id: string): readonly Uint8Array[] {
  return isId(id) ? [stateKeys.participant(id)] : [];
}

function meterKeys(id: string): readonly Uint8Array[] {
  return isDeviceId(id) ? [stateKeys.meter(id)] : [];
}

/** The invitation's uses, and the meters that it registers; its ids are ids. */
function readKeysOfConsent(message: ControlOperation): readonly Uint8Array[] {
  const invitation = invitationOf(message);
  if (invitation === undefined) return [];
  const meters = invitation.meters.map(({ meterId }) => stateKeys.meter(meterId));
  const { invitationId, operatorId } = invitation;
  return [stateKeys.invitation(invitationId, operatorId), ...meters];
}

/** Writes what an operation does to the state, of one that fits. */
export function writeStateOperation(
  message: ControlOperation,
  tables: StateTables,
  context: OperationContext,
): void {
  const { operation } = message;
  const height = BigInt(context.height);
  const invitation = invitationOf(message);
  if (invitation !== undefined) countUse(invitation, tables);
  if (operation.case === "registerParticipant") {
    const { participantId, signingKey, tlsSpkiSha256, agentIds } = operation.value;
    const number = (tables.participantCount.get() ?? 0) + 1;
    tables.participantCount.put([], number);
    const participant = { signingKey, tlsSpkiSha256, agentIds, height, number };
    tables.participants.put([participantId], create(ParticipantStateSchema, participant));
    for (const { meterId, ratedPowerW, intervalS } of invitation?.meters ?? []) {
      const meter = { ownerId: participantId, ratedPowerW, intervalS, height };
      tables.meters.put([meterId], meterState(meterId, meter));
    }
  } else if (operation.case === "registerMeter") {
    const { meterId, ownerId, ratedPowerW, intervalS } = operation.value;
    const meter = { ownerId, ratedPowerW, intervalS, height };
    tables.meters.put([meterId], meterState(meterId, meter));
  }
}

function countUse({ invitationId, operatorId }: Invitation, tables: StateTables): void {
  const uses = (tables.invitations.get(invitationId, operatorId)?.uses ?? 0) + 1;
  tables.invitations.put([invitationId, operatorId], create(InvitationStateSchema, { uses }));
}

function usesProblem(
  invitation: Invitation | undefined,
  tables: StateTables,
  path: string,
): Violation | undefined {
  if (invitation === undefined) return undefined;
  const { invitationId, operatorId, usesMax } = invitation;
  if ((tables.invitations.get(invitationId, operatorId)?.uses ?? 0) < usesMax) return undefined;
  const message = `${usesMax} have joined with this invitation, as many as may.`;
  return violation("INVITATION_USED_UP", message, `${path}.consent.invitation`);
}

function invitedMetersProblem(
  invitation: Invitation | undefined,
  tables: StateTables,
  path: string,
): Violation | undefined {
  for (const { meterId } of invitation?.meters ?? []) {
    const problem = meterProblem(meterId, tables, `${path}.consent.invitation`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function participantProblem(id: string, tables: StateTables, field: string): Violation | undefined {
  if (tables.participants.get(id) === undefined) return undefined;
  return violation("MEMBER_ID_TAKEN", "A participant has this id already.", field);
}

function meterProblem(id: string, tables: StateTables, field: string): Violation | undefined {
  const meter = tables.meters.get(id);
  if (meter === undefined) return undefined;
  const registered = registeredMeterId(id, meter);
  return violation("MEMBER_ID_TAKEN", `Meter ${registered} is registered already.`, field);
}
