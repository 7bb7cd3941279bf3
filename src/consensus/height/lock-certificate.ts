/**
 * A lock certificate is the votes and attestations that it is made of: taking one in means counting
 * them, and a manager holds LC(h, r, B) exactly when its own tallies say so. There is no second
 * notion of validity that could differ.
 *
 * Its parts must belong together, though: a dishonest peer may bundle what honest managers signed
 * at other heights, or send bundles of its own votes without end.
 */
import { create } from "@bufbuild/protobuf";
import { equalBytes } from "../../base/bytes.js";
import type {
  ApprovalCertificate,
  IntegrityCertificate,
  LockCertificate,
  PolkaCertificate,
} from "../../gen/bss/v1/block_pb.js";
import {
  type Attestation,
  AttestationSchema,
  AttestationVerdict,
  type Vote,
  VoteKind,
  VoteSchema,
} from "../../gen/bss/v1/vote_pb.js";

type CertificateParts = {
  readonly votes: readonly Vote[];
  readonly attestations: readonly Attestation[];
};

/**
 * Whether a certificate is the approval by at least `quorum` managers of one block at `height`,
 * with AC and IC of that same block, and each signer once. Whether AC and IC suffice is not looked
 * at: that needs to know the block.
 */
export function isLockBundle(
  { polka, approval, integrity }: LockCertificate,
  height: number,
  quorum: number,
): boolean {
  if (polka === undefined || approval === undefined) return false;
  const isOfBlock = (part: { readonly height: bigint; readonly blockId: Uint8Array }) =>
    part.height === BigInt(height) && equalBytes(part.blockId, polka.blockId);
  if (!isOfBlock(polka) || !isOfBlock(approval) || polka.blockId.length === 0) return false;
  if (polka.approvals.length < quorum) return false;
  if (!areDistinct(polka.approvals.map((entry) => entry.managerId))) return false;
  if (!areDistinct(approval.signatures.map((entry) => entry.managerId))) return false;
  if (integrity === undefined) return true;
  const isInTime = integrity.round <= polka.round;
  const signers = integrity.signatures.map((entry) => entry.nodeId);
  return isOfBlock(integrity) && isInTime && areDistinct(signers);
}

function areDistinct(ids: readonly string[]): boolean {
  return new Set(ids).size === ids.length;
}

/**
 * The signed messages that a lock certificate bundles. Their signatures are checked as any others.
 */
export function partsOfLockCertificate(certificate: LockCertificate): CertificateParts {
  const { polka, approval, integrity } = certificate;
  return {
    votes: [
      ...(polka === undefined ? [] : approvesOf(polka)),
      ...(approval === undefined ? [] : acceptsOf(approval)),
    ],
    attestations: integrity === undefined ? [] : matchesOf(integrity),
  };
}

function approvesOf({ height, round, blockId, approvals }: PolkaCertificate): readonly Vote[] {
  const kind = VoteKind.APPROVE;
  return approvals.map(({ managerId, validRound, signature }) =>
    create(VoteSchema, { kind, height, round, validRound, blockId, managerId, signature }),
  );
}

function acceptsOf({ height, blockId, signatures }: ApprovalCertificate): readonly Vote[] {
  const kind = VoteKind.ACCEPT;
  return signatures.map(({ managerId, signature }) =>
    create(VoteSchema, { kind, height, validRound: -1, blockId, managerId, signature }),
  );
}

function matchesOf(integrity: IntegrityCertificate): readonly Attestation[] {
  const { height, round, blockId, hash2, treeSize, signatures } = integrity;
  const verdict = AttestationVerdict.MATCH;
  const claim = { height, round, blockId, hash2, treeSize, verdict };
  return signatures.map(({ nodeId, audit, signature }) =>
    create(AttestationSchema, { ...claim, audit, nodeId, signature }),
  );
}
