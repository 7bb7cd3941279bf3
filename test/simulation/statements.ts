/** Signs what a ring wants to say. */
import { create } from "@bufbuild/protobuf";
import { defined } from "../../src/base/assert.js";
import type { Statement } from "../../src/consensus/ring/events.js";
import {
  type Proposal,
  ProposalSchema,
  type Vote,
  VoteKind,
  VoteSchema,
} from "../../src/gen/bss/v1/vote_pb.js";
import { proposalDigest, voteDigest } from "../../src/ledger/certificates/vote-digests.js";

export type Signer = {
  readonly managerId: string;
  readonly consortiumId: Uint8Array;
  readonly sign: (digest: Uint8Array) => Uint8Array;
};

export type VoteStatement = Exclude<Statement, { kind: "propose" }>;

export function signProposal(statement: Statement & { kind: "propose" }, signer: Signer): Proposal {
  const { height, round, validRound, blockId, lockCertificate } = statement;
  const { managerId, consortiumId, sign } = signer;
  const digest = proposalDigest({ consortiumId, height, round, validRound, blockId });
  return create(ProposalSchema, {
    height: BigInt(height),
    round,
    validRound,
    blockId,
    managerId,
    signature: sign(digest),
    ...(lockCertificate === undefined ? {} : { lockCertificate }),
  });
}

export function signVote(statement: VoteStatement, signer: Signer): Vote {
  const vote = create(VoteSchema, {
    kind: kinds[statement.kind],
    height: BigInt(statement.height),
    round: statement.kind === "accept" ? 0 : statement.round,
    validRound: statement.kind === "approve" ? statement.validRound : -1,
    blockId: statement.blockId,
    managerId: signer.managerId,
  });
  const digest = voteDigest(vote, signer.consortiumId);
  vote.signature = signer.sign(defined(digest, "the kind is known"));
  return vote;
}

const kinds = {
  accept: VoteKind.ACCEPT,
  approve: VoteKind.APPROVE,
  commit: VoteKind.COMMIT,
} as const;
