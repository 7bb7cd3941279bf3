/**
 * Consent: who agreed that somebody joins a running consortium ([R7.5]).
 *
 *     operator ──signs──▶ Invitation ──handed over──▶ who joins ──signs with two keys──▶ Consent
 *
 * The operator acts for one manager, which becomes the sponsor of a storage node. The signature by
 * the new key shows that the one who joins holds it, and binds invitation, role, id and keys. So
 * does the signature by the invitation's *bearer key*, whose secret is handed over with the
 * invitation: a manager that sees the invitation, or a reader of the chain, cannot join with it.
 *
 * The consent is on the chain as it is, so everybody who reads blocks can check it: managers when
 * they pool and judge an admission, storage nodes when they follow the chain. Only managers know
 * how often an invitation was used, because that is state (state-operations.ts).
 */
import { equalBytes } from "../../base/bytes.js";
import { ed25519SignatureBytes, isValidEd25519PublicKey } from "../../crypto/ed25519.js";
import { domain, hashBytes, sha256, taggedHash } from "../../crypto/hash.js";
import {
  type Checkpoint,
  type Consent,
  type ControlOperation,
  type Invitation,
  InvitationSchema,
  InvitedRole,
  type Policy,
} from "../../gen/bss/v1/genesis_pb.js";
import { described, nobodysKey, type SignatureCheck } from "../certificates/signature-check.js";
import { registrationDigest } from "../certificates/vote-digests.js";
import { foldedId, isId } from "../ids.js";
import { invalidOperation, type Violation, violation } from "../violation.js";
import { decodeCanonical, hasUnknownFields, safeInteger } from "../wire.js";
import type { Officer } from "./member-lists.js";
import { agentsProblem, isMeterInterval, meterProblem } from "./registrations.js";

export const invitationBytesMax = 3_000;
export const invitationIdBytes = 16;
export const invitationUsesMax = 10_000;
/** Meters that one invitation registers. */
export const invitedMetersMax = 16;

/** Somebody who joins by consent, whichever operation says it. */
export type Joining = {
  /** Where the operation's fields are. */
  readonly path: "admit_storage_node" | "register_participant";
  readonly role: InvitedRole;
  readonly memberId: string;
  readonly signingKey: Uint8Array;
  readonly tlsSpkiSha256: Uint8Array;
  /** Of a storage node. */
  readonly sponsorId: string | undefined;
  /** Of a participant. */
  readonly agentIds: readonly string[];
  readonly consent: Consent;
};

/** Who joins by an operation; undefined for other operations, and without consent. */
export function joiningOf({ operation }: ControlOperation): Joining | undefined {
  switch (operation.case) {
    case "admitStorageNode": {
      const { nodeId, sponsorId, signingKey, tlsSpkiSha256, consent } = operation.value;
      return (
        consent && {
          path: "admit_storage_node",
          role: InvitedRole.STORAGE,
          memberId: nodeId,
          signingKey,
          tlsSpkiSha256,
          sponsorId,
          agentIds: [],
          consent,
        }
      );
    }
    case "registerParticipant": {
      const { participantId, agentIds, signingKey, tlsSpkiSha256, consent } = operation.value;
      return (
        consent && {
          path: "register_participant",
          role: InvitedRole.PARTICIPANT,
          memberId: participantId,
          signingKey,
          tlsSpkiSha256,
          sponsorId: undefined,
          agentIds,
          consent,
        }
      );
    }
    default:
      return undefined;
  }
}

/**
 * Reads an invitation: canonical bytes, every field in its range. Undefined for anything else. Who
 * signed it, and whether it can still be used, is not checked here.
 */
export function parseInvitation(bytes: Uint8Array): Invitation | undefined {
  if (bytes.length > invitationBytesMax) return undefined;
  const invitation = decodeCanonical(InvitationSchema, bytes);
  return invitation !== undefined && isInvitation(invitation) ? invitation : undefined;
}

/** The invitation by which an operation's subject joins; undefined when there is none. */
export function invitationOf(message: ControlOperation): Invitation | undefined {
  const joining = joiningOf(message);
  return joining && parseInvitation(joining.consent.invitation);
}

function isInvitation(invitation: Invitation): boolean {
  const { consortiumId, invitationId, operatorId, usesMax, expiresAtUnixMs, memberId } = invitation;
  return (
    consortiumId.length === hashBytes &&
    invitationId.length === invitationIdBytes &&
    isId(operatorId) &&
    isValidEd25519PublicKey(invitation.bearerKey) &&
    usesMax >= 1 &&
    usesMax <= (memberId === "" ? invitationUsesMax : 1) &&
    safeInteger(expiresAtUnixMs, 1) !== undefined &&
    (memberId === "" || isId(memberId)) &&
    isCheckpoint(invitation.checkpoint, consortiumId) &&
    isForItsRole(invitation)
  );
}

function isCheckpoint(checkpoint: Checkpoint | undefined, consortiumId: Uint8Array): boolean {
  if (checkpoint === undefined) return false;
  const { height, blockId, membersDigest } = checkpoint;
  if (safeInteger(height) === undefined || membersDigest.length !== hashBytes) return false;
  return height === 0n ? equalBytes(blockId, consortiumId) : blockId.length === hashBytes;
}

function isForItsRole({ role, memberId, agentIds, meters }: Invitation): boolean {
  if (role === InvitedRole.STORAGE) return agentIds.length === 0 && meters.length === 0;
  if (role !== InvitedRole.PARTICIPANT) return false;
  if (agentsProblem(memberId, agentIds) !== undefined) return false;
  if (meters.length > invitedMetersMax || (meters.length > 0 && memberId === "")) return false;
  const meterIds = new Set(meters.map((each) => foldedId(each.meterId)));
  return meterIds.size === meters.length && meters.every((each) => !meterProblem(each));
}

/**
 * Checks a consent by itself: OPERATION_INVALID or INVITATION_INVALID, or undefined when the
 * invitation is one for who joins.
 */
export function consentShapeProblem(
  { path, role, memberId, agentIds, consent }: Joining,
  policy: Pick<Policy, "deliveryIntervalS">,
): Violation | undefined {
  const at = `${path}.consent`;
  if (hasUnknownFields(consent)) return invalidOperation("There are unknown fields.", at);
  for (const [name, signature] of [
    ["invitation_signature", consent.invitationSignature],
    ["possession_signature", consent.possessionSignature],
    ["bearer_signature", consent.bearerSignature],
  ] as const) {
    if (signature.length === ed25519SignatureBytes) continue;
    return invalidOperation("A signature has 64 bytes.", `${at}.${name}`);
  }
  const field = `${at}.invitation`;
  const invitation = parseInvitation(consent.invitation);
  if (invitation === undefined) return unsuitable("The bytes are not an invitation.", field);
  if (invitation.role !== role) return unsuitable("The invitation is for another role.", field);
  if (invitation.memberId !== "" && invitation.memberId !== memberId) {
    return unsuitable("The invitation is for another id.", field);
  }
  if (!equalLists(invitation.agentIds, agentIds)) {
    return unsuitable("The invitation names other agents.", `${path}.agent_ids`);
  }
  if (invitation.meters.every((each) => isMeterInterval(each.intervalS, policy))) return undefined;
  return unsuitable("A meter's interval does not divide the delivery interval.", field);
}

/**
 * Checks the consent of an admission against the members before a block and the block's timestamp:
 * INVITATION_INVALID, INVITATION_EXPIRED, or undefined if the invitation can be used, and for
 * operations without consent. The operation is one that `checkOperation` finds well formed.
 */
export function consentProblem(
  operation: ControlOperation,
  members: { officer(id: string): Officer | undefined },
  timestampMs: number,
): Violation | undefined {
  const joining = joiningOf(operation);
  const invitation = joining && parseInvitation(joining.consent.invitation);
  if (joining === undefined || invitation === undefined) return undefined;
  const { path, sponsorId } = joining;
  const field = `${path}.consent.invitation`;
  const operator = members.officer(invitation.operatorId);
  if (operator === undefined || !actsForManager(operator)) {
    return unsuitable("No operator of this consortium made the invitation.", field);
  }
  if (sponsorId !== undefined && sponsorId !== operator.managerId) {
    const message = `The operator acts for ${operator.managerId}.`;
    return unsuitable(message, `${path}.sponsor_id`);
  }
  if (Number(invitation.expiresAtUnixMs) >= timestampMs) return undefined;
  return violation("INVITATION_EXPIRED", "The invitation has expired.", field);
}

/** Whether an officer may speak for a manager: an operator that genesis binds to one. */
export function actsForManager({ role, managerId }: Officer): boolean {
  return role === "operator" && managerId !== "";
}

/** The 32 bytes that an operator signs to invite. */
export function invitationDigest(invitationBytes: Uint8Array): Uint8Array {
  return taggedHash(domain.invitation, invitationBytes);
}

/**
 * The three signatures of a well-formed consent. If the invitation names another consortium, its
 * signature never verifies.
 */
export function consentSignatures(
  joining: Joining,
  invitation: Invitation,
  operator: Officer,
  consortiumId: Uint8Array,
): readonly SignatureCheck[] {
  const { consent, path, role, memberId, tlsSpkiSha256, signingKey } = joining;
  const isHere = equalBytes(invitation.consortiumId, consortiumId);
  const message = `The invitation is not signed by ${operator.officerId} for this consortium.`;
  const registration = registrationDigest({
    consortiumId,
    role,
    memberId,
    signingKey,
    tlsSpkiSha256,
    invitationDigest: sha256(consent.invitation),
  });
  const at = Number(invitation.checkpoint?.height ?? 0n);
  return [
    {
      publicKey: isHere ? operator.signingKey : nobodysKey,
      digest: invitationDigest(consent.invitation),
      signature: consent.invitationSignature,
      what: `invitation of ${operator.officerId}`,
      violation: unsuitable(message, `${path}.consent.invitation_signature`),
    },
    {
      publicKey: signingKey,
      digest: registration,
      signature: consent.possessionSignature,
      ...described("registration", memberId, at),
    },
    {
      publicKey: invitation.bearerKey,
      digest: registration,
      signature: consent.bearerSignature,
      ...described("use of an invitation", memberId, at),
      violation: unsuitable(
        "The invitation's bearer key did not sign the registration.",
        `${path}.consent.bearer_signature`,
      ),
    },
  ];
}

function equalLists(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each, i) => each === b[i]);
}

function unsuitable(message: string, field: string): Violation {
  return violation("INVITATION_INVALID", message, field);
}
