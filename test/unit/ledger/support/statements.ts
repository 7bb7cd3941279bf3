/** Signed statements of managers, right unless a test says otherwise. */
import { create } from "@bufbuild/protobuf";
import { defined } from "../../../../src/base/assert.js";
import {
  type ControlOperation,
  ControlOperationSchema,
  type Evidence,
} from "../../../../src/gen/bss/v1/genesis_pb.js";
import {
  type Proposal,
  ProposalSchema,
  type Vote,
  VoteKind,
  VoteSchema,
} from "../../../../src/gen/bss/v1/vote_pb.js";
import {
  proposalDigest,
  resumeDigest,
  voteDigest,
} from "../../../../src/ledger/certificates/vote-digests.js";
import { consortiumId } from "./consortium.js";
import { seedOf, sign } from "./records.js";

export type StatementParts = {
  readonly managerId?: string;
  readonly height?: number;
  readonly round?: number;
  readonly validRound?: number;
  /** Names a block; nothing for nil. */
  readonly block?: string;
};

function placed({ managerId = "manager-1", height = 1, round = 0, ...rest }: StatementParts) {
  const { validRound = -1, block } = rest;
  const blockId = block === undefined ? new Uint8Array() : seedOf(`block ${block}`);
  return { managerId, round, validRound, blockId, height: BigInt(height) };
}

export function commitOf(parts: StatementParts): Vote {
  return signed({ kind: VoteKind.COMMIT, ...placed(parts) });
}

export function approveOf(parts: StatementParts): Vote {
  return signed({ kind: VoteKind.APPROVE, ...placed(parts) });
}

export function proposalOf(parts: StatementParts): Proposal {
  const { managerId, ...place } = placed(parts);
  const digest = proposalDigest({ ...place, consortiumId, height: Number(place.height) });
  return create(ProposalSchema, { managerId, ...place, signature: sign(managerId, digest) });
}

function signed(fields: Omit<Vote, "$typeName" | "signature">): Vote {
  const vote = create(VoteSchema, fields);
  const digest = defined(voteDigest(vote, consortiumId), "the kind is known");
  vote.signature = sign(vote.managerId, digest);
  return vote;
}

export function suspend(managerId: string): ControlOperation {
  return create(ControlOperationSchema, {
    operation: { case: "suspendManager", value: { managerId } },
  });
}

/** A statement of return, signed by `signerId`, which is the manager itself. */
export function resume(
  managerId: string,
  suspendedHeight: number,
  heldHeight: number,
  signerId = managerId,
): ControlOperation {
  const digest = resumeDigest({ consortiumId, suspendedHeight, heldHeight });
  const value = {
    managerId,
    suspendedHeight: BigInt(suspendedHeight),
    heldHeight: BigInt(heldHeight),
    signature: sign(signerId, digest),
  };
  return create(ControlOperationSchema, { operation: { case: "resumeManager", value } });
}

export function accuse(evidence: Evidence): ControlOperation {
  return create(ControlOperationSchema, { operation: { case: "evidence", value: evidence } });
}
