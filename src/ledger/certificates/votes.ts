/**
 * Checks the shape of what nodes say to each other about a block: lengths, ranges, known ids, what
 * may be nil. A check answers "this is right provided this signature verifies". Whether it is the
 * signer's turn, and whether the round matters, is decided by the ring. What is signed is in
 * `vote-digests.ts`.
 */
import { ok, type Result } from "../../base/result.js";
import { ed25519SignatureBytes } from "../../crypto/ed25519.js";
import { hashBytes } from "../../crypto/hash.js";
import {
  type Attestation,
  AttestationVerdict,
  type Proposal,
  type SignedHead,
  type Vote,
  VoteKind,
} from "../../gen/bss/v1/vote_pb.js";
import type { Members } from "../members/members.js";
import { refuse, type Violation } from "../violation.js";
import { safeInteger } from "../wire.js";
import { described, type SignatureCheck } from "./signature-check.js";
import {
  attestationDigest,
  headDigest,
  isValidRound,
  proposalDigest,
  voteDigest,
} from "./vote-digests.js";

/** Checks an ACCEPT, APPROVE or COMMIT; VOTE_MALFORMED or SIGNER_UNKNOWN. */
export function checkVote(
  vote: Vote,
  members: Members,
  consortiumId: Uint8Array,
): Result<SignatureCheck, Violation> {
  if (safeInteger(vote.height, 1) === undefined) return malformed("a vote's height", "height");
  const shape = voteShapeError(vote);
  if (shape !== undefined) return malformed(shape.what, shape.field);
  const digest = voteDigest(vote, consortiumId);
  if (digest === undefined) return malformed("a vote's kind", "kind");
  return managerCheck(voteNames[vote.kind] ?? "vote", vote, digest, members);
}

/**
 * Checks a proposal, apart from its block and from what its lock certificate says: a lock
 * certificate is there exactly when validRound ≥ 0. VOTE_MALFORMED or SIGNER_UNKNOWN.
 */
export function checkProposal(
  proposal: Proposal,
  members: Members,
  consortiumId: Uint8Array,
): Result<SignatureCheck, Violation> {
  const { round, validRound, blockId } = proposal;
  const height = safeInteger(proposal.height, 1);
  if (height === undefined) return malformed("a proposal's height", "height");
  if (!isValidRound(validRound, round)) return malformed("a valid round", "valid_round");
  if (blockId.length !== hashBytes) return malformed("a proposal's block id", "block_id");
  if ((proposal.lockCertificate !== undefined) !== validRound >= 0) {
    return malformed("the lock certificate that goes with this valid round", "lock_certificate");
  }
  const digest = proposalDigest({ consortiumId, height, round, validRound, blockId });
  return managerCheck("PROPOSE", proposal, digest, members);
}

/**
 * Checks a storage node's statement; VOTE_MALFORMED or SIGNER_UNKNOWN. It need not be in the
 * committee.
 */
export function checkAttestation(
  attestation: Attestation,
  members: Members,
  consortiumId: Uint8Array,
): Result<SignatureCheck, Violation> {
  const { round, blockId, hash2, verdict, audit, nodeId, signature } = attestation;
  const height = safeInteger(attestation.height, 1);
  if (height === undefined) return malformed("an attestation's height", "height");
  const treeSize = safeInteger(attestation.treeSize);
  if (treeSize === undefined) return malformed("an attestation's tree size", "tree_size");
  if (blockId.length !== hashBytes) return malformed("an attestation's block id", "block_id");
  if (hash2.length !== hashBytes) return malformed("an attestation's hash2", "hash2");
  if (audit.length !== hashBytes) return malformed("an attestation's audit digest", "audit");
  if (verdict !== AttestationVerdict.MATCH && verdict !== AttestationVerdict.MISMATCH) {
    return malformed("an attestation's verdict", "verdict");
  }
  if (signature.length !== ed25519SignatureBytes) return malformed("a signature", "signature");
  const node = members.storageNode(nodeId);
  if (node === undefined) {
    return refuse("SIGNER_UNKNOWN", "No storage node has the signer's id.", "node_id");
  }
  return ok({
    publicKey: node.signingKey,
    digest: attestationDigest({
      consortiumId,
      height,
      round,
      blockId,
      hash2,
      treeSize,
      verdict,
      audit,
    }),
    signature,
    ...described("attestation", nodeId, height),
  });
}

/** Checks a manager's statement of what it holds; VOTE_MALFORMED or SIGNER_UNKNOWN. */
export function checkHead(
  head: SignedHead,
  members: Members,
  consortiumId: Uint8Array,
): Result<SignatureCheck, Violation> {
  const { blockId, hash1, stateDigest } = head;
  const height = safeInteger(head.height);
  if (height === undefined) return malformed("a head's height", "height");
  if (blockId.length !== hashBytes) return malformed("a head's block id", "block_id");
  if (hash1.length !== hashBytes) return malformed("a head's hash1", "hash1");
  if (stateDigest.length !== hashBytes) return malformed("a state digest", "state_digest");
  const digest = headDigest({ consortiumId, height, blockId, hash1, stateDigest });
  return managerCheck("head", head, digest, members);
}

const voteNames: Readonly<Record<VoteKind, string>> = {
  [VoteKind.UNSPECIFIED]: "vote",
  [VoteKind.ACCEPT]: "ACCEPT",
  [VoteKind.APPROVE]: "APPROVE",
  [VoteKind.COMMIT]: "COMMIT",
};

type ManagerStatement = {
  readonly height: bigint;
  readonly managerId: string;
  readonly signature: Uint8Array;
};

function managerCheck(
  statement: string,
  { height, managerId, signature }: ManagerStatement,
  digest: Uint8Array,
  members: Members,
): Result<SignatureCheck, Violation> {
  if (signature.length !== ed25519SignatureBytes) return malformed("a signature", "signature");
  const manager = members.manager(managerId);
  if (manager === undefined) {
    return refuse("SIGNER_UNKNOWN", "No manager has the signer's id.", "manager_id");
  }
  const texts = described(statement, managerId, Number(height));
  return ok({ publicKey: manager.signingKey, digest, signature, ...texts });
}

function voteShapeError(vote: Vote): { what: string; field: string } | undefined {
  const { kind, round, validRound, blockId } = vote;
  const isNil = blockId.length === 0;
  if (blockId.length !== hashBytes && (!isNil || kind === VoteKind.ACCEPT)) {
    return { what: "a vote's block id", field: "block_id" };
  }
  if (kind === VoteKind.ACCEPT && round !== 0) return { what: "an ACCEPT's round", field: "round" };
  const freshOnly = kind !== VoteKind.APPROVE || isNil;
  if (freshOnly ? validRound !== -1 : !isValidRound(validRound, round)) {
    return { what: "a valid round", field: "valid_round" };
  }
  return undefined;
}

function malformed(what: string, field: string): Result<never, Violation> {
  return refuse("VOTE_MALFORMED", `The value is not valid as ${what}.`, field);
}
