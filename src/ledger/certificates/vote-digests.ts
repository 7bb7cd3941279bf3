/**
 * What exactly is signed. Wire messages are not signed as they are: the digest is SHA-256(tag ‖
 * canonical bytes) of a flat message of canonical.proto that the receiver rebuilds. It binds the
 * consortium, so that nothing replays elsewhere.
 */
import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { domain, type HashTag, taggedHash } from "../../crypto/hash.js";
import {
  CanonicalAcceptSchema,
  CanonicalApproveSchema,
  CanonicalAttestationSchema,
  CanonicalAuditFindingSchema,
  CanonicalCommitSchema,
  CanonicalHeadSchema,
  CanonicalPayoutSchema,
  CanonicalProposalSchema,
  CanonicalRegistrationSchema,
  CanonicalResumeSchema,
  CanonicalRetirementSchema,
  CanonicalReturnSchema,
  CanonicalUnreachableSchema,
} from "../../gen/bss/v1/canonical_pb.js";
import type { InvitedRole } from "../../gen/bss/v1/genesis_pb.js";
import { type AttestationVerdict, type Vote, VoteKind } from "../../gen/bss/v1/vote_pb.js";
import { encode } from "../wire.js";

/** The block and round of a PROPOSE or APPROVE. */
type RoundVote = {
  /** 32 bytes. */
  readonly consortiumId: Uint8Array;
  readonly height: number;
  readonly round: number;
  /** −1 for a fresh block, and for nil. */
  readonly validRound: number;
  /** 32 bytes; an APPROVE's is empty for nil. */
  readonly blockId: Uint8Array;
};

type AcceptVote = Pick<RoundVote, "consortiumId" | "height" | "blockId">;
type CommitVote = Omit<RoundVote, "validRound">;

export type AttestationClaim = AcceptVote & {
  readonly round: number;
  /** 32 bytes: what the storage node computed. */
  readonly hash2: Uint8Array;
  readonly treeSize: number;
  readonly verdict: AttestationVerdict;
  /** 32 bytes. */
  readonly audit: Uint8Array;
};

export type HeadClaim = AcceptVote & {
  readonly hash1: Uint8Array;
  readonly stateDigest: Uint8Array;
};

type ResumeClaim = {
  /** 32 bytes. */
  readonly consortiumId: Uint8Array;
  /** The block that suspended the signer. */
  readonly suspendedHeight: number;
  /** What it holds. */
  readonly heldHeight: number;
};

type RegistrationClaim = {
  /** 32 bytes. */
  readonly consortiumId: Uint8Array;
  /** 32 bytes: SHA-256 of the invitation's bytes. */
  readonly invitationDigest: Uint8Array;
  readonly role: InvitedRole;
  /** Under which the signer joins. */
  readonly memberId: string;
  /** 32 bytes: the key that joins. */
  readonly signingKey: Uint8Array;
  /** 32 bytes. */
  readonly tlsSpkiSha256: Uint8Array;
};

/** What a signature about one storage node binds in any case. */
type NodeClaim = {
  /** 32 bytes. */
  readonly consortiumId: Uint8Array;
  readonly nodeId: string;
};

type RetirementClaim = NodeClaim & { readonly admittedHeight: number };
/** `height`: the manager's when it signs. */
type UnreachableStatement = NodeClaim & { readonly height: number };
type ReturnClaim = NodeClaim & Omit<ResumeClaim, "consortiumId">;
/** `audit`: what the node signed for the block at `height`, 32 bytes. */
type FindingClaim = NodeClaim & { readonly height: number; readonly audit: Uint8Array };

type PayoutClaim = NodeClaim & {
  readonly amount: bigint;
  readonly paidBefore: bigint;
  readonly reference: string;
};

/** Whether `validRound` may go with a proposal of `round`: −1, or a round before it. */
export function isValidRound(validRound: number, round: number): boolean {
  return Number.isInteger(validRound) && validRound >= -1 && validRound < round;
}

/** The 32 bytes that a PROPOSE signs. */
export function proposalDigest({ height, ...rest }: RoundVote): Uint8Array {
  return digestOf(domain.proposal, CanonicalProposalSchema, { ...rest, height: BigInt(height) });
}

/** The 32 bytes that an ACCEPT signs. */
export function acceptDigest({ height, ...rest }: AcceptVote): Uint8Array {
  return digestOf(domain.accept, CanonicalAcceptSchema, { ...rest, height: BigInt(height) });
}

/** The 32 bytes that an APPROVE signs; an empty block id is nil. */
export function approveDigest({ height, ...rest }: RoundVote): Uint8Array {
  return digestOf(domain.approve, CanonicalApproveSchema, { ...rest, height: BigInt(height) });
}

/** The 32 bytes that a COMMIT signs; an empty block id is nil. */
export function commitDigest({ height, ...rest }: CommitVote): Uint8Array {
  return digestOf(domain.commit, CanonicalCommitSchema, { ...rest, height: BigInt(height) });
}

/** The 32 bytes that a storage node signs. */
export function attestationDigest({ height, treeSize, ...rest }: AttestationClaim): Uint8Array {
  return digestOf(domain.attestation, CanonicalAttestationSchema, {
    ...rest,
    height: BigInt(height),
    treeSize: BigInt(treeSize),
  });
}

/** The 32 bytes that a manager signs over what it holds. */
export function headDigest({ height, ...rest }: HeadClaim): Uint8Array {
  return digestOf(domain.head, CanonicalHeadSchema, { ...rest, height: BigInt(height) });
}

/** The 32 bytes that a suspended manager signs when it is back. */
export function resumeDigest({
  consortiumId,
  suspendedHeight,
  heldHeight,
}: ResumeClaim): Uint8Array {
  return digestOf(domain.resume, CanonicalResumeSchema, {
    consortiumId,
    suspendedHeight: BigInt(suspendedHeight),
    heldHeight: BigInt(heldHeight),
  });
}

/** The 32 bytes that whoever joins signs: with the key with which it joins, and the bearer key. */
export function registrationDigest(claim: RegistrationClaim): Uint8Array {
  return digestOf(domain.registration, CanonicalRegistrationSchema, claim);
}

/** The 32 bytes that a storage node signs to leave, or an operator to send it away. */
export function retirementDigest({ admittedHeight, ...rest }: RetirementClaim): Uint8Array {
  const admitted = { admittedHeight: BigInt(admittedHeight) };
  return digestOf(domain.retirement, CanonicalRetirementSchema, { ...rest, ...admitted });
}

/** The 32 bytes that a manager signs when it has heard nothing of a storage node. */
export function unreachableDigest({ height, ...rest }: UnreachableStatement): Uint8Array {
  const signed = { ...rest, height: BigInt(height) };
  return digestOf(domain.unreachable, CanonicalUnreachableSchema, signed);
}

/** The 32 bytes that a suspended storage node signs when it is back. */
export function returnDigest({ suspendedHeight, heldHeight, ...rest }: ReturnClaim): Uint8Array {
  return digestOf(domain.returning, CanonicalReturnSchema, {
    ...rest,
    suspendedHeight: BigInt(suspendedHeight),
    heldHeight: BigInt(heldHeight),
  });
}

/** The 32 bytes that a manager signs over an audit digest that is not the one of the records. */
export function findingDigest({ height, ...rest }: FindingClaim): Uint8Array {
  const signed = { ...rest, height: BigInt(height) };
  return digestOf(domain.finding, CanonicalAuditFindingSchema, signed);
}

/** The 32 bytes that an operator signs when it has paid reward units. */
export function payoutDigest(claim: PayoutClaim): Uint8Array {
  return digestOf(domain.payout, CanonicalPayoutSchema, claim);
}

/** The digest that this vote's signature is over; undefined for an unknown kind. */
export function voteDigest(vote: Vote, consortiumId: Uint8Array): Uint8Array | undefined {
  const { round, validRound, blockId } = vote;
  const height = Number(vote.height);
  switch (vote.kind) {
    case VoteKind.ACCEPT:
      return acceptDigest({ consortiumId, height, blockId });
    case VoteKind.APPROVE:
      return approveDigest({ consortiumId, height, round, validRound, blockId });
    case VoteKind.COMMIT:
      return commitDigest({ consortiumId, height, round, blockId });
    default:
      return undefined;
  }
}

function digestOf<Desc extends DescMessage>(
  tag: HashTag,
  schema: Desc,
  init: MessageInitShape<Desc>,
): Uint8Array {
  return taggedHash(tag, encode(schema, init));
}
