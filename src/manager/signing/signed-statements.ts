/** The core's statements as what a signer is asked for, and as what is sent once it has signed. */
import { create } from "@bufbuild/protobuf";
import { unreachable } from "../../base/assert.js";
import type { RestoredHeight, Statement } from "../../consensus/ring/events.js";
import {
  type Proposal,
  ProposalSchema,
  type Vote,
  VoteKind,
  VoteSchema,
} from "../../gen/bss/v1/vote_pb.js";
import {
  acceptDigest,
  approveDigest,
  commitDigest,
  proposalDigest,
} from "../../ledger/certificates/vote-digests.js";
import { isMarked, type MarkedRequest, type SignRequest } from "./signer.js";

/** A signed statement. */
export type Said =
  | { readonly kind: "proposal"; readonly proposal: Proposal }
  | { readonly kind: "vote"; readonly vote: Vote };

export function signRequestOf(statement: Statement, consortiumId: Uint8Array): SignRequest {
  const { height, blockId } = statement;
  switch (statement.kind) {
    case "accept":
      return { kind: "accept", height, digest: acceptDigest({ consortiumId, height, blockId }) };
    case "propose": {
      const { kind, round, validRound } = statement;
      const claim = { consortiumId, height, round, validRound, blockId };
      return { kind, height, round, digest: proposalDigest(claim) };
    }
    case "approve": {
      const { kind, round, validRound } = statement;
      const claim = { consortiumId, height, round, validRound, blockId };
      return { kind, height, round, digest: approveDigest(claim) };
    }
    case "commit": {
      const { kind, round } = statement;
      const digest = commitDigest({ consortiumId, height, round, blockId });
      return { kind, height, round, digest };
    }
    default:
      return unreachable(statement);
  }
}

export function signedStatement(
  statement: Statement,
  managerId: string,
  signature: Uint8Array,
): Said {
  const { height, blockId } = statement;
  const base = { height: BigInt(height), blockId, managerId, signature };
  switch (statement.kind) {
    case "propose": {
      const { round, validRound, lockCertificate } = statement;
      const certified = lockCertificate === undefined ? {} : { lockCertificate };
      const proposal = create(ProposalSchema, { ...base, round, validRound, ...certified });
      return { kind: "proposal", proposal };
    }
    case "accept":
      return voteOf({ ...base, kind: VoteKind.ACCEPT, round: 0, validRound: -1 });
    case "approve": {
      const { round, validRound } = statement;
      return voteOf({ ...base, kind: VoteKind.APPROVE, round, validRound });
    }
    case "commit":
      return voteOf({
        ...base,
        kind: VoteKind.COMMIT,
        round: statement.round,
        validRound: -1,
      });
    default:
      return unreachable(statement);
  }
}

/** What the signer was asked for at a height, by its vote log; ACCEPTs left out. */
export function loggedRequests(
  { votes, proposals }: RestoredHeight,
  consortiumId: Uint8Array,
): readonly MarkedRequest[] {
  const statements: readonly Statement[] = [
    ...proposals.map((proposal) => ({ ...placeOf(proposal), kind: "propose" }) as const),
    ...votesOf(votes, VoteKind.APPROVE).map((vote) => ({ ...vote, kind: "approve" }) as const),
    ...votesOf(votes, VoteKind.COMMIT).map((vote) => ({ ...vote, kind: "commit" }) as const),
  ];
  return statements.map((statement) => signRequestOf(statement, consortiumId)).filter(isMarked);
}

function votesOf(votes: readonly Vote[], kind: VoteKind) {
  return votes.filter((vote) => vote.kind === kind).map(placeOf);
}

function placeOf({ height, round, validRound, blockId }: Vote | Proposal) {
  return { height: Number(height), round, validRound, blockId };
}

function voteOf(vote: {
  readonly kind: VoteKind;
  readonly height: bigint;
  readonly round: number;
  readonly validRound: number;
  readonly blockId: Uint8Array;
  readonly managerId: string;
  readonly signature: Uint8Array;
}): Said {
  return { kind: "vote", vote: create(VoteSchema, vote) };
}
