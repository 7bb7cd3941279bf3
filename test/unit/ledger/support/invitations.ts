/** Invitations, and admissions by them: whoever signs does so with the key of its id. */
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { sha256 } from "../../../../src/crypto/hash.js";
import {
  CheckpointSchema,
  type ConsentSchema,
  type ControlOperation,
  ControlOperationSchema,
  InvitationSchema,
  InvitedRole,
} from "../../../../src/gen/bss/v1/genesis_pb.js";
import { registrationDigest } from "../../../../src/ledger/certificates/vote-digests.js";
import { invitationDigest } from "../../../../src/ledger/members/consent.js";
import { consortiumId, genesisMs } from "./consortium.js";
import { publicKeyOf, seedOf, sign } from "./records.js";

type InvitationInit = MessageInitShape<typeof InvitationSchema>;
type ConsentInit = MessageInitShape<typeof ConsentSchema>;

/** An hour after genesis. */
export const expiresAtMs = genesisMs + 3_600_000;

/** Canonical bytes of operator-1's invitation for ten storage nodes, with `changes`. */
export function invitationBytes(changes: InvitationInit = {}): Uint8Array {
  const invitation = create(InvitationSchema, {
    consortiumId,
    invitationId: seedOf("an invitation").slice(0, 16),
    operatorId: "operator-1",
    role: InvitedRole.STORAGE,
    usesMax: 10,
    expiresAtUnixMs: BigInt(expiresAtMs),
    bearerKey: publicKeyOf("bearer"),
    checkpoint: create(CheckpointSchema, {
      height: 0n,
      blockId: consortiumId,
      membersDigest: seedOf("members"),
    }),
    ...changes,
  });
  return toBinary(InvitationSchema, invitation);
}

/** The consent of operator-1, of whoever was given the invitation, and of `memberId`'s own key. */
export function consentTo(memberId: string, role: InvitedRole, invitation: Uint8Array) {
  const claim = { role, memberId, ...keysOf(memberId) };
  const digest = registrationDigest({
    consortiumId,
    invitationDigest: sha256(invitation),
    ...claim,
  });
  return {
    invitation,
    invitationSignature: sign("operator-1", invitationDigest(invitation)),
    possessionSignature: sign(memberId, digest),
    bearerSignature: sign("bearer", digest),
  } satisfies ConsentInit;
}

/** Admits a storage node of manager-1 by consent. */
export function admissionOf(
  nodeId: string,
  options: {
    readonly invitation?: Uint8Array;
    readonly consent?: ConsentInit;
    readonly value?: object;
  } = {},
): ControlOperation {
  const consent = {
    ...consentTo(nodeId, InvitedRole.STORAGE, options.invitation ?? invitationBytes()),
    ...options.consent,
  };
  const value = { nodeId, sponsorId: "manager-1", ...keysOf(nodeId), consent, ...options.value };
  return create(ControlOperationSchema, { operation: { case: "admitStorageNode", value } });
}

/** An invitation for participant `memberId` with one meter and an agent. */
export function participantInvitation(memberId: string, changes: InvitationInit = {}): Uint8Array {
  return invitationBytes({
    role: InvitedRole.PARTICIPANT,
    memberId,
    usesMax: 1,
    agentIds: ["head-end"],
    invitationId: seedOf(`invitation of ${memberId}`).slice(0, 16),
    meters: [{ meterId: `meter of ${memberId}`.replaceAll(" ", "-"), ...meterOf }],
    ...changes,
  });
}

export const meterOf = { ratedPowerW: 5_000n, intervalS: 900 } as const;

/** Registers a participant by consent. */
export function registrationOf(
  participantId: string,
  options: { readonly invitation?: Uint8Array; readonly value?: object } = {},
): ControlOperation {
  const invitation = options.invitation ?? participantInvitation(participantId);
  const consent = consentTo(participantId, InvitedRole.PARTICIPANT, invitation);
  const value = {
    participantId,
    agentIds: ["head-end"],
    ...keysOf(participantId),
    consent,
    ...options.value,
  };
  return create(ControlOperationSchema, { operation: { case: "registerParticipant", value } });
}

function keysOf(id: string) {
  return { signingKey: publicKeyOf(id), tlsSpkiSha256: seedOf(`tls of ${id}`) };
}
