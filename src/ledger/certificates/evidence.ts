/**
 * Evidence: two statements of one manager, of which a manager that keeps the rules signs at most
 * one ([R4.9.1]). Anybody can check it, because only the two signatures are needed.
 *
 *     proposals     two PROPOSE of one height and round
 *     votes         two APPROVE, or two COMMIT, of one height and round
 *     broken lock   COMMIT(B, r), and APPROVE(B′ ≠ B, r′ > r) with a valid round below r
 *
 * Both statements are of one height. Evidence has one form: two different statements, the one with
 * the lower signature first, or the COMMIT of a broken lock.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { compareBytes, equalBytes } from "../../base/bytes.js";
import { err, ok, type Result } from "../../base/result.js";
import { ed25519SignatureBytes } from "../../crypto/ed25519.js";
import { hashBytes } from "../../crypto/hash.js";
import {
  type ConflictingVotes,
  type Evidence,
  EvidenceSchema,
  type SignedProposal,
  SignedProposalSchema,
  type SignedVote,
  SignedVoteSchema,
} from "../../gen/bss/v1/genesis_pb.js";
import { type Proposal, type Vote, VoteKind } from "../../gen/bss/v1/vote_pb.js";
import { isId } from "../ids.js";
import type { Manager } from "../members/member-lists.js";
import { refuse, type Violation, violation } from "../violation.js";
import { hasUnknownFields, safeInteger } from "../wire.js";
import { described, type SignatureCheck } from "./signature-check.js";
import { approveDigest, commitDigest, isValidRound, proposalDigest } from "./vote-digests.js";

type Statement = SignedProposal | SignedVote;

/** Evidence of two APPROVE, or two COMMIT, of one manager, height and round. */
export function votesEvidence(a: Vote, b: Vote): Evidence {
  const value = inOrder(signedVote(a), signedVote(b));
  return evidenceAgainst(a.managerId, { case: "votes", value });
}

/** Evidence of a COMMIT and a later APPROVE of one manager and height. */
export function brokenLockEvidence(commit: Vote, approve: Vote): Evidence {
  const value = { first: signedVote(commit), second: signedVote(approve) };
  return evidenceAgainst(commit.managerId, { case: "brokenLock", value });
}

/** Evidence of two PROPOSE of one manager, height and round. */
export function proposalsEvidence(a: SignedProposalOf, b: SignedProposalOf): Evidence {
  const value = inOrder(signedProposal(a), signedProposal(b));
  return evidenceAgainst(a.managerId, { case: "proposals", value });
}

/** A proposal without what is not signed. */
export type SignedProposalOf = Omit<Proposal, "block" | "lockCertificate">;

/**
 * Whether a manager has broken its lock by signing this COMMIT and this APPROVE at one height: the
 * APPROVE is of another block, in a later round, and its valid round is before the COMMIT's round.
 */
export function breaksLock(commit: RoundStatement, approval: RoundStatement): boolean {
  return (
    commit.blockId.length > 0 &&
    approval.blockId.length > 0 &&
    !equalBytes(commit.blockId, approval.blockId) &&
    approval.round > commit.round &&
    approval.validRound < commit.round
  );
}

type RoundStatement = Pick<Vote, "round" | "validRound" | "blockId">;

/**
 * Checks evidence for a block at `height`: OPERATION_INVALID, or the two signatures that must
 * verify. It does not matter here whether evidence against the manager is on the chain already.
 */
export function checkEvidence(
  evidence: Evidence,
  members: { manager(id: string): Manager | undefined },
  consortiumId: Uint8Array,
  height: number,
): Result<readonly SignatureCheck[], Violation> {
  const problem = evidenceProblem(evidence);
  if (problem !== undefined) return err(problem);
  const manager = members.manager(evidence.managerId);
  if (manager === undefined) {
    return refuse("OPERATION_INVALID", "No manager has this id.", "evidence.manager_id");
  }
  if (evidenceHeight(evidence) > height) return err(tooEarly());
  return ok(evidenceSignatures(evidence, manager, consortiumId));
}

/** The refusal of evidence about a height that the block does not reach. */
export function tooEarly(): Violation {
  return violation(
    "OPERATION_INVALID",
    "The statements are about a height after the block's.",
    "evidence",
  );
}

/** Checks evidence by itself: OPERATION_INVALID, or undefined when the statements contradict. */
export function evidenceProblem(evidence: Evidence): Violation | undefined {
  const { managerId, offence } = evidence;
  if (hasUnknownFields(evidence)) return invalid("There are unknown fields.");
  if (!isId(managerId)) return invalid("The value is not an id.", "manager_id");
  if (offence.case === undefined) return invalid("No offence is set.", "offence");
  const path = offencePaths[offence.case];
  const { first, second } = offence.value;
  if (hasUnknownFields(offence.value)) return invalid("There are unknown fields.", path);
  if (first === undefined || second === undefined) {
    return invalid("A statement is missing.", path);
  }
  const malformed = shapeProblem(first, `${path}.first`) ?? shapeProblem(second, `${path}.second`);
  if (malformed !== undefined) return malformed;
  if (first.height !== second.height)
    return invalid("The statements are about different heights.", path);
  if (offence.case === "brokenLock") return lockProblem(offence.value, path);
  if (first.round !== second.round)
    return invalid("The statements are about different rounds.", path);
  if (isVote(first) && isVote(second) && first.commit !== second.commit) {
    return invalid("One statement is a COMMIT, the other an APPROVE.", path);
  }
  if (first.validRound === second.validRound && equalBytes(first.blockId, second.blockId)) {
    return invalid("The statements say the same.", path);
  }
  if (compareBytes(first.signature, second.signature) < 0) return undefined;
  return invalid("The statement with the lower signature does not come first.", path);
}

/** The height of both statements; 0 for evidence without any. */
export function evidenceHeight({ offence }: Evidence): number {
  return Number(offence.value?.first?.height ?? 0n);
}

const offencePaths = {
  proposals: "proposals",
  votes: "votes",
  brokenLock: "broken_lock",
} as const;

function lockProblem(
  { first, second }: Pick<ConflictingVotes, "first" | "second">,
  path: string,
): Violation | undefined {
  if (first?.commit !== true || second?.commit !== false) {
    return invalid("The statements are not a COMMIT and then an APPROVE.", path);
  }
  return breaksLock(first, second)
    ? undefined
    : invalid("The statements do not contradict each other.", path);
}

function shapeProblem(statement: Statement, path: string): Violation | undefined {
  const { height, round, validRound, blockId, signature } = statement;
  const isNil = isVote(statement) && blockId.length === 0;
  if (hasUnknownFields(statement)) return invalid("There are unknown fields.", path);
  if (safeInteger(height, 1) === undefined)
    return invalid("The value is not a height.", `${path}.height`);
  if (!isNil && blockId.length !== hashBytes) {
    return invalid("The value is not a block id.", `${path}.block_id`);
  }
  const hasNone = isNil || (isVote(statement) && statement.commit);
  if (hasNone ? validRound !== -1 : !isValidRound(validRound, round)) {
    return invalid("The value is not a valid round.", `${path}.valid_round`);
  }
  if (signature.length === ed25519SignatureBytes) return undefined;
  return invalid("A signature has 64 bytes.", `${path}.signature`);
}

/** The signatures on which well-formed evidence against `manager` rests. */
export function evidenceSignatures(
  { managerId, offence }: Evidence,
  { signingKey: publicKey }: Manager,
  consortiumId: Uint8Array,
): readonly SignatureCheck[] {
  const { first, second } = offence.value ?? {};
  return [first, second].flatMap((statement) => {
    if (statement === undefined) return [];
    const { height, round, validRound, blockId, signature } = statement;
    const signed = { consortiumId, height: Number(height), round, blockId };
    const [name, digest] = !isVote(statement)
      ? ["PROPOSE", proposalDigest({ ...signed, validRound })]
      : statement.commit
        ? ["COMMIT", commitDigest(signed)]
        : ["APPROVE", approveDigest({ ...signed, validRound })];
    return [{ publicKey, digest, signature, ...described(name, managerId, signed.height) }];
  });
}

function isVote(statement: Statement): statement is SignedVote {
  return "commit" in statement;
}

function signedProposal(proposal: SignedProposalOf): SignedProposal {
  const { height, round, validRound, blockId, signature } = proposal;
  return create(SignedProposalSchema, { height, round, validRound, blockId, signature });
}

function signedVote({ kind, height, round, validRound, blockId, signature }: Vote): SignedVote {
  const commit = kind === VoteKind.COMMIT;
  return create(SignedVoteSchema, { commit, height, round, validRound, blockId, signature });
}

function inOrder<T extends Statement>(a: T, b: T) {
  const ascends = compareBytes(a.signature, b.signature) <= 0;
  return ascends ? { first: a, second: b } : { first: b, second: a };
}

function evidenceAgainst(
  managerId: string,
  offence: NonNullable<MessageInitShape<typeof EvidenceSchema>["offence"]>,
): Evidence {
  return create(EvidenceSchema, { managerId, offence });
}

function invalid(message: string, field?: string): Violation {
  const path = field === undefined ? "evidence" : `evidence.${field}`;
  return violation("OPERATION_INVALID", message, path);
}
