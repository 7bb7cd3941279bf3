/** The genesis file out of a plan and the parties' public keys. */
import { create, type MessageInitShape, toJsonString } from "@bufbuild/protobuf";
import { utf8 } from "../../base/bytes.js";
import {
  type ControlOperationSchema,
  GenesisSchema,
  OfficerRole,
} from "../../gen/bss/v1/genesis_pb.js";
import type { MeterPlan } from "./community-file.js";
import type { Parties, Party } from "./party-keys.js";
import type { ClientPlan, ConsortiumPlan } from "./plan.js";

type Operation = MessageInitShape<typeof ControlOperationSchema>;

/** Protobuf JSON with every field written out; SHA-256 of these bytes is the consortium id. */
export function genesisFileBytes(options: {
  readonly plan: ConsortiumPlan;
  readonly parties: Parties;
  /** Unix ms. */
  readonly nowMs: number;
  /** 32 bytes. */
  readonly epochCommitment: Uint8Array;
  /** 64 bytes. */
  readonly beacon: Uint8Array;
}): Uint8Array {
  const { plan, parties, nowMs, epochCommitment, beacon } = options;
  const genesis = create(GenesisSchema, {
    consortiumName: plan.name,
    timeUnixMs: BigInt(nowMs),
    managers: parties.managers.map(({ plan: { id, address }, tls, signing, vrf, hpke }) => ({
      managerId: id,
      signingKey: signing.publicKey,
      vrfKey: vrf.publicKey,
      hpkeKey: hpke.publicKey,
      tlsSpkiSha256: tls.spkiSha256,
      address,
    })),
    policy: plan.policy,
    epochCommitment,
    beacon,
    operations: [...operationsOf(parties)],
    caCertificatesPem: parties.managers.map(({ authority }) => authority.certificatePem),
  });
  const json = toJsonString(GenesisSchema, genesis, { prettySpaces: 2, alwaysEmitImplicit: true });
  return utf8(`${json}\n`);
}

/**
 * Storage nodes, then participants, then their meters, then officers: whoever is named is
 * registered before.
 */
function operationsOf(parties: Parties): readonly Operation[] {
  return [
    ...parties.storage.map(admitStorageNode),
    ...parties.participants.map(registerParticipant),
    ...parties.participants.flatMap(({ plan }) =>
      plan.meters.map((m) => registerMeter(plan.id, m)),
    ),
    ...parties.operators.map(registerOperator),
    ...parties.auditors.map((party) => registerOfficer(party, OfficerRole.AUDITOR, "")),
  ];
}

function admitStorageNode({ plan, signing, tls }: Parties["storage"][number]): Operation {
  const value = {
    nodeId: plan.id,
    signingKey: signing.publicKey,
    tlsSpkiSha256: tls.spkiSha256,
    sponsorId: plan.issuerId,
  };
  return { operation: { case: "admitStorageNode", value } };
}

function registerParticipant({ plan, signing, tls }: Parties["participants"][number]): Operation {
  const value = {
    participantId: plan.id,
    signingKey: signing.publicKey,
    tlsSpkiSha256: tls.spkiSha256,
    agentIds: [...plan.agents],
  };
  return { operation: { case: "registerParticipant", value } };
}

function registerMeter(ownerId: string, meter: MeterPlan): Operation {
  const value = {
    meterId: meter.id,
    ownerId,
    ratedPowerW: BigInt(meter.ratedPowerW),
    intervalS: meter.intervalS,
  };
  return { operation: { case: "registerMeter", value } };
}

/** An operator acts for the manager whose authority issued its certificate. */
function registerOperator(party: Party<ClientPlan>): Operation {
  return registerOfficer(party, OfficerRole.OPERATOR, party.plan.issuerId);
}

function registerOfficer(
  { plan, signing, tls }: Party<ClientPlan>,
  role: OfficerRole,
  managerId: string,
): Operation {
  const value = {
    officerId: plan.id,
    role,
    signingKey: signing.publicKey,
    tlsSpkiSha256: tls.spkiSha256,
    managerId,
  };
  return { operation: { case: "registerOfficer", value } };
}
