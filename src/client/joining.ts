/**
 * Joining a running consortium with an invitation, renewing certificates, and leaving. Any manager
 * that issues certificates does: all are asked, one after the other, until one has.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { InvitationFile } from "../config/invitation-file.js";
import { ed25519KeyPairFromSeed, ed25519SeedBytes, ed25519Sign } from "../crypto/ed25519.js";
import { sha256 } from "../crypto/hash.js";
import { randomBytes } from "../crypto/random.js";
import { ConsentSchema, InvitationSchema, InvitedRole } from "../gen/bss/v1/genesis_pb.js";
import { RegistrationService } from "../gen/bss/v1/registration_pb.js";
import { registrationDigest } from "../ledger/certificates/vote-digests.js";
import { invitationDigest, invitationIdBytes, parseInvitation } from "../ledger/members/consent.js";
import { faultsMaxOf } from "../ledger/members/member-lists.js";
import { encode } from "../ledger/wire.js";
import { type Asked, askManagers } from "./ask-managers.js";
import type { ClientProfile } from "./client-profile.js";
import { dialWith, type RetryOptions } from "./manager-connections.js";

export type Joining = {
  /** Under which to join. */
  readonly id: string;
  /** 32 bytes: the Ed25519 seed of the key with which to join. */
  readonly signingSeed: Uint8Array;
  /** 32 bytes: its public key. */
  readonly signingKey: Uint8Array;
  /** PKCS #10, DER. */
  readonly certificateRequest: Uint8Array;
  /** 32 bytes: SHA-256 of the request's SubjectPublicKeyInfo. */
  readonly tlsSpkiSha256: Uint8Array;
};

export type Joined = {
  /** DER, the own certificate first. */
  readonly certificateChain: readonly Uint8Array[];
  /** The block that admitted it. */
  readonly height: number;
};

type InvitationParts = Omit<
  MessageInitShape<typeof InvitationSchema>,
  "consortiumId" | "invitationId" | "operatorId" | "bearerKey" | "$typeName"
>;

/** Makes and signs an invitation in an operator's name; undefined if it would serve nobody. */
export function signInvitation(
  { id: operatorId, genesis, signingSeed }: Pick<ClientProfile, "id" | "genesis" | "signingSeed">,
  parts: InvitationParts,
): Pick<InvitationFile, "invitation" | "invitationBytes" | "signature" | "bearerSeed"> | undefined {
  const { consortiumId } = genesis;
  const bearerSeed = randomBytes(ed25519SeedBytes);
  const { publicKey: bearerKey } = ed25519KeyPairFromSeed(bearerSeed);
  const invitationId = randomBytes(invitationIdBytes);
  const named = { ...parts, consortiumId, operatorId, invitationId, bearerKey };
  const invitationBytes = encode(InvitationSchema, named);
  const invitation = parseInvitation(invitationBytes);
  if (invitation === undefined) return undefined;
  const signature = ed25519Sign(signingSeed, invitationDigest(invitationBytes));
  return { invitation, invitationBytes, signature, bearerSeed };
}

/** Joins; a repeated call with the same keys gets the same admission. @throws RpcError */
export function join(
  file: InvitationFile,
  joining: Joining,
  options: RetryOptions = {},
): Promise<Joined> {
  const { id, signingKey, certificateRequest } = joining;
  const { role } = file.invitation;
  const common = { consent: consentOf(file, joining), signingKey, certificateRequest };
  return askManagers(managersOf(file), options, async (connection, call) => {
    if (role === InvitedRole.STORAGE) {
      const { registerStorageNode: method } = RegistrationService.method;
      const answer = await connection.unary(method, { ...common, nodeId: id }, call);
      return { ...answer, height: Number(answer.admittedHeight) };
    }
    const { registerParticipant: method } = RegistrationService.method;
    const answer = await connection.unary(method, { ...common, participantId: id }, call);
    return { ...answer, height: Number(answer.admittedHeight) };
  });
}

/**
 * A new certificate for the key that is registered for the profile, from a manager at whose chain
 * (DER, the own certificate first) `take` does not throw.
 *
 * @returns what `take` made of it
 * @throws RpcError
 */
export function renewCertificate<T>(
  profile: ClientProfile,
  certificateRequest: Uint8Array,
  take: (certificateChain: readonly Uint8Array[]) => T,
  options: RetryOptions = {},
): Promise<T> {
  const { renewCertificate: method } = RegistrationService.method;
  return askManagers(managersOf(profile), options, async (connection, call) => {
    const { certificateChain } = await connection.unary(method, { certificateRequest }, call);
    return take(certificateChain);
  });
}

function consentOf(file: InvitationFile, joining: Joining) {
  const { invitation, invitationBytes, signature, bearerSeed } = file;
  const { id: memberId, signingSeed, signingKey, tlsSpkiSha256 } = joining;
  const { consortiumId, role } = invitation;
  const digest = registrationDigest({
    consortiumId,
    role,
    memberId,
    signingKey,
    tlsSpkiSha256,
    invitationDigest: sha256(invitationBytes),
  });
  return create(ConsentSchema, {
    invitation: invitationBytes,
    invitationSignature: signature,
    possessionSignature: ed25519Sign(signingSeed, digest),
    bearerSignature: ed25519Sign(bearerSeed, digest),
  });
}

/** The managers to ask, and how to reach them. */
function managersOf(to: Pick<ClientProfile, "addresses" | "genesis" | "tls">): Asked {
  const faultsMax = faultsMaxOf(to.genesis.members.managers.length);
  return { addresses: to.addresses, faultsMax, dial: dialWith(to) };
}
