/**
 * A lock certificate is the votes and attestations that it is made of: taking one in means counting
 * them, and a manager holds LC(h, r, B) exactly when its own tallies say so. There is no second
 * notion of validity that could differ.
 */
import { create } from "@bufbuild/protobuf";
import type { LockCertificate } from "../gen/bss/v1/block_pb.js";
import {
  type Attestation,
  AttestationSchema,
  AttestationVerdict,
  type Vote,
  VoteKind,
  VoteSchema,
} from "../gen/bss/v1/vote_pb.js";

export type CertificateParts = {
  readonly votes: readonly Vote[];
  readonly attestations: readonly Attestation[];
};

/**
 * The signed messages that a lock certificate bundles. Their signatures are checked as any others.
 */
export function partsOfLockCertificate(certificate: LockCertificate): CertificateParts {
  const { polka, approval, integrity } = certificate;
  const votes: Vote[] = [];
  for (const entry of polka?.approvals ?? []) {
    votes.push(
      create(VoteSchema, {
        kind: VoteKind.APPROVE,
        height: polka?.height ?? 0n,
        round: polka?.round ?? 0,
        validRound: entry.validRound,
        blockId: polka?.blockId ?? new Uint8Array(),
        managerId: entry.managerId,
        signature: entry.signature,
      }),
    );
  }
  for (const entry of approval?.signatures ?? []) {
    votes.push(
      create(VoteSchema, {
        kind: VoteKind.ACCEPT,
        height: approval?.height ?? 0n,
        validRound: -1,
        blockId: approval?.blockId ?? new Uint8Array(),
        managerId: entry.managerId,
        signature: entry.signature,
      }),
    );
  }
  const attestations = (integrity?.signatures ?? []).map((entry) =>
    create(AttestationSchema, {
      height: integrity?.height ?? 0n,
      round: integrity?.round ?? 0,
      blockId: integrity?.blockId ?? new Uint8Array(),
      hash2: integrity?.hash2 ?? new Uint8Array(),
      treeSize: integrity?.treeSize ?? 0n,
      verdict: AttestationVerdict.MATCH,
      audit: entry.audit,
      nodeId: entry.nodeId,
      signature: entry.signature,
    }),
  );
  return { votes, attestations };
}
