/**
 * Makes certificates from signed messages that the caller has checked one by one and counted. An
 * assertion fails if they do not all say the same or if somebody signed twice: that would be our
 * own bug.
 */
import { create } from "@bufbuild/protobuf";
import { assert, defined } from "../../base/assert.js";
import { equalBytes } from "../../base/bytes.js";
import {
  type ApprovalCertificate,
  ApprovalCertificateSchema,
  type BlockCertificates,
  BlockCertificatesSchema,
  type CommitCertificate,
  CommitCertificateSchema,
  type IntegrityCertificate,
  IntegrityCertificateSchema,
  type LockCertificate,
  LockCertificateSchema,
  type PolkaCertificate,
  PolkaCertificateSchema,
} from "../../gen/bss/v1/block_pb.js";
import {
  type Attestation,
  AttestationVerdict,
  type Vote,
  VoteKind,
} from "../../gen/bss/v1/vote_pb.js";
import { compareIds } from "../ids.js";

/** The matches of one committee. */
type IntegrityParts = {
  readonly round: number;
  /** 32 bytes: the root that all of them attest. */
  readonly hash2: Uint8Array;
  readonly matches: readonly Attestation[];
};

/** AC of ACCEPTs for one block. */
export function buildApproval(accepts: readonly Vote[]): ApprovalCertificate {
  const { first, sorted } = sameVotes(accepts, VoteKind.ACCEPT);
  const { height, blockId } = first;
  return create(ApprovalCertificateSchema, { height, blockId, signatures: sorted.map(signed) });
}

/** CC of COMMITs for one block in one round. */
export function buildCommit(commits: readonly Vote[]): CommitCertificate {
  const { first, sorted } = sameVotes(commits, VoteKind.COMMIT);
  const { height, round, blockId } = first;
  return create(CommitCertificateSchema, {
    height,
    round,
    blockId,
    signatures: sorted.map(signed),
  });
}

/** The polka of APPROVEs for one block in one round. */
export function buildPolka(approves: readonly Vote[]): PolkaCertificate {
  const { first, sorted } = sameVotes(approves, VoteKind.APPROVE);
  const { height, round, blockId } = first;
  const approvals = sorted.map(({ managerId, validRound, signature }) => {
    return { managerId, validRound, signature };
  });
  return create(PolkaCertificateSchema, { height, round, blockId, approvals });
}

/** IC of MATCHes for one block by one round's committee. */
export function buildIntegrity({ round, hash2, matches }: IntegrityParts): IntegrityCertificate {
  const sorted = matches.toSorted((a, b) => compareIds(a.nodeId, b.nodeId));
  const { height, blockId, treeSize } = defined(sorted[0], "an integrity certificate has matches");
  for (const [i, each] of sorted.entries()) {
    const alike =
      each.verdict === AttestationVerdict.MATCH &&
      each.height === height &&
      each.round === round &&
      each.treeSize === treeSize &&
      equalBytes(each.blockId, blockId) &&
      equalBytes(each.hash2, hash2);
    assert(alike, "an integrity certificate bundles matches of one thing");
    assert(each.nodeId !== sorted[i - 1]?.nodeId, "a storage node signs a certificate once");
  }
  const signatures = sorted.map(({ nodeId, audit, signature }) => ({ nodeId, audit, signature }));
  return create(IntegrityCertificateSchema, {
    height,
    round,
    blockId,
    hash2,
    treeSize,
    signatures,
  });
}

/** LC; `integrity` is left out for a block without leaves. */
export function buildLock(parts: {
  readonly polka: PolkaCertificate;
  readonly approval: ApprovalCertificate;
  readonly integrity?: IntegrityCertificate;
}): LockCertificate {
  return create(LockCertificateSchema, parts);
}

/** What the next block carries; `integrity` is left out for a block without leaves. */
export function buildBlockCertificates(parts: {
  readonly approval: ApprovalCertificate;
  readonly commit: CommitCertificate;
  readonly integrity?: IntegrityCertificate;
}): BlockCertificates {
  return create(BlockCertificatesSchema, parts);
}

function sameVotes(votes: readonly Vote[], kind: VoteKind) {
  const sorted = votes.toSorted((a, b) => compareIds(a.managerId, b.managerId));
  const first = defined(sorted[0], "a certificate has signatures");
  for (const [i, vote] of sorted.entries()) {
    const alike =
      vote.kind === kind &&
      vote.height === first.height &&
      vote.round === first.round &&
      equalBytes(vote.blockId, first.blockId);
    assert(alike, "a certificate bundles votes for one thing");
    assert(vote.managerId !== sorted[i - 1]?.managerId, "a manager signs a certificate once");
  }
  return { first, sorted };
}

function signed({ managerId, signature }: Vote) {
  return { managerId, signature };
}
