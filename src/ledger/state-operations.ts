/**
 * Control operations that change the state: participants and meters. Members (storage nodes,
 * officers) are not state; see members.ts. The same function applies genesis and blocks.
 */
import { create } from "@bufbuild/protobuf";
import { MeterStateSchema, ParticipantStateSchema } from "../gen/bss/store/v1/state_pb.js";
import type {
  ControlOperation,
  Policy,
  RegisterMeter,
  RegisterParticipant,
} from "../gen/bss/v1/genesis_pb.js";
import { checkOperation } from "./operations.js";
import type { StateTables } from "./state-tables.js";
import { type Violation, violation } from "./violation.js";

export type OperationContext = {
  readonly policy: Policy;
  /** Whether a member has this id; no participant takes it. */
  readonly isMember: (id: string) => boolean;
  /** Of the block; 0 for genesis. */
  readonly height: number;
};

/**
 * Writes what an operation does to the state, or refuses with OPERATION_INVALID and writes nothing.
 * An operation on members writes nothing, but is refused when a participant has the member's id.
 */
export function applyStateOperation(
  message: ControlOperation,
  tables: StateTables,
  context: OperationContext,
): Violation | undefined {
  const malformed = checkOperation(message, context.policy);
  if (malformed !== undefined) return malformed;
  const { operation } = message;
  switch (operation.case) {
    case "registerParticipant":
      return registerParticipant(operation.value, tables, context);
    case "registerMeter":
      return registerMeter(operation.value, tables, context);
    case "admitStorageNode":
      return refuseParticipantId(operation.value.nodeId, tables, "admit_storage_node.node_id");
    case "registerOfficer":
      return refuseParticipantId(operation.value.officerId, tables, "register_officer.officer_id");
    default:
      return undefined;
  }
}

function registerParticipant(
  registration: RegisterParticipant,
  tables: StateTables,
  { isMember, height }: OperationContext,
): Violation | undefined {
  const { participantId, signingKey, tlsSpkiSha256, agentIds } = registration;
  const field = "register_participant.participant_id";
  const taken = refuseParticipantId(participantId, tables, field);
  if (taken !== undefined) return taken;
  if (isMember(participantId)) return invalid("A member has this id already.", field);
  tables.participants.put(
    [participantId],
    create(ParticipantStateSchema, {
      ...{ signingKey, tlsSpkiSha256, agentIds },
      height: BigInt(height),
    }),
  );
  return undefined;
}

function registerMeter(
  { meterId, ownerId, ratedPowerW, intervalS }: RegisterMeter,
  tables: StateTables,
  { height }: OperationContext,
): Violation | undefined {
  if (tables.meters.get(meterId) !== undefined) {
    return invalid("A meter has this id already.", "register_meter.meter_id");
  }
  if (tables.participants.get(ownerId) === undefined) {
    return invalid("No participant has the owner's id.", "register_meter.owner_id");
  }
  const meter = { ownerId, ratedPowerW, intervalS, height: BigInt(height) };
  tables.meters.put([meterId], create(MeterStateSchema, meter));
  return undefined;
}

function refuseParticipantId(
  id: string,
  tables: StateTables,
  field: string,
): Violation | undefined {
  if (tables.participants.get(id) === undefined) return undefined;
  return invalid("A participant has this id already.", field);
}

function invalid(message: string, field: string): Violation {
  return violation("OPERATION_INVALID", message, field);
}
