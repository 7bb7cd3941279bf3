/**
 * What a storage node makes of the blocks that managers show it, as pure functions.
 *
 *     candidate  ─ judgeCandidate ─▶ attest MATCH or MISMATCH, provided AC's signatures verify
 *     final      ─ checkFinal ─────▶ append, provided the signatures of AC, IC and CC verify
 *
 * The checks of a candidate stand in the protocol's order: the node is in the committee; the block
 * extends the head that it holds; what it carries for the block before is a certificate; its
 * operations lead to the members that it names; AC is complete by them; the sealed records hash to
 * the leaves; HASH2 equals HASH1. Only the last makes a MISMATCH: whatever fails before says
 * something about the sender, or nothing yet, and is not attested at all.
 *
 * A final block is another matter. Once its CC verifies, the managers stand by it. If the node then
 * computes another root or other members, finds an operation that nobody has signed or an
 * attestation that nobody has made, or the block does not extend its head, then the chain forks or
 * the node's own log is wrong: a contradiction, on which it stops.
 */
import { emptyBytes } from "../../base/bytes.js";
import { err, ok, type Result } from "../../base/result.js";
import type { ApprovalCertificate, BlockCertificates } from "../../gen/bss/v1/block_pb.js";
import { AttestationVerdict } from "../../gen/bss/v1/vote_pb.js";
import type { BlockFacts } from "../../ledger/blocks/block-facts.js";
import type { ParsedBlock } from "../../ledger/blocks/block-parsing.js";
import type { BuiltStorageHeader } from "../../ledger/blocks/storage-blocks.js";
import {
  checkApproval,
  checkBlockCertificates,
  checkCommit,
} from "../../ledger/certificates/certificates.js";
import { drawCommittee } from "../../ledger/certificates/committee.js";
import type { SignatureCheck } from "../../ledger/certificates/signature-check.js";
import type { AttestationClaim } from "../../ledger/certificates/vote-digests.js";
import type { Members } from "../../ledger/members/members.js";
import type { StorageHead } from "../../ledger/storage-nodes/storage-head.js";
import { type Violation, violation } from "../../ledger/violation.js";
import { auditPositions } from "./audit.js";
import {
  type ExtendedLog,
  extendLog,
  headAfter,
  membersAfter,
  operationSignatures,
  publicFacts,
  publicLinkProblem,
  rootProblem,
  type StorageContext,
  sealedBytesProblem,
  sealProblem,
  settledSignatures,
} from "./public-block.js";

/** A VerifyCandidate whose parts are there and whose block hangs together. */
export type ParsedCandidate = {
  /** Whose committee is asked. */
  readonly round: number;
  readonly block: ParsedBlock;
  /** In the order of the leaves. */
  readonly sealedRecords: readonly Uint8Array[];
  readonly approval: ApprovalCertificate;
};

type CandidateJudgement =
  /** The block's height is decided here. */
  | { readonly kind: "stale" }
  /** The node does not hold the block before this one. */
  | { readonly kind: "behind" }
  | { readonly kind: "not-in-committee" }
  | { readonly kind: "refuse"; readonly violation: Violation }
  | {
      readonly kind: "attest";
      /** What to sign, once `signatures` verify and the audit digest is computed. */
      readonly claim: Omit<AttestationClaim, "audit">;
      /** Records to read for the audit digest, in this order. */
      readonly auditPositions: readonly number[];
      /** Those of AC, of the block's IC for the one before, and of the control operations. */
      readonly signatures: readonly SignatureCheck[];
      /** Undefined for a mismatch: if the block becomes final, all of it is checked anew. */
      readonly judged?: JudgedBlock;
    };

/**
 * What the check of a candidate has found that holds for the block when it is final, as long as the
 * node's head is the same.
 */
export type JudgedBlock = {
  readonly onTopOf: StorageHead;
  readonly log: ExtendedLog;
  readonly members: Members;
  readonly facts: BlockFacts;
  /** Those of the block's IC for the one before, and of the control operations. */
  readonly operations: readonly SignatureCheck[];
};

/** A block that may be appended, and what the node's chain is with it. */
export type StorageAppend = {
  readonly block: ParsedBlock;
  readonly sealedRecords: readonly Uint8Array[];
  readonly certificates: BlockCertificates;
  readonly storageHeader: BuiltStorageHeader;
  readonly log: ExtendedLog;
  /** After the block. */
  readonly head: StorageHead;
};

export type FinalCheck = {
  /**
   * Those of AC, IC and CC, or of CC alone when the block contradicts the node's chain: unless all
   * verify, the sender is at fault and nothing else is known.
   */
  readonly signatures: readonly SignatureCheck[];
} & (AppendableBlock | ContradictingBlock);

type AppendableBlock = {
  readonly append: StorageAppend;
  /**
   * Those of the block's IC for the one before, and of the control operations: one that does not
   * verify is a contradiction.
   */
  readonly operations: readonly SignatureCheck[];
};

type ContradictingBlock = { readonly contradiction: Violation };

/** What this node does about a candidate. */
export function judgeCandidate(
  candidate: ParsedCandidate,
  context: StorageContext,
  nodeId: string,
): CandidateJudgement {
  const { block, round } = candidate;
  const { head, policy, consortiumId } = context;
  if (block.height <= head.height) return { kind: "stale" };
  if (block.height > head.height + 1) return { kind: "behind" };

  const turn = roundProblem(block, round);
  if (turn !== undefined) return { kind: "refuse", violation: turn };
  const { beacon } = block.header;
  const eligible = head.members.eligibleStorageNodes(policy);
  const committee = drawCommittee({ eligible, beacon, round });
  if (!committee.includes(nodeId)) return { kind: "not-in-committee" };

  const checked = checkCandidate(candidate, context);
  if (!checked.ok) return { kind: "refuse", violation: checked.error };
  const { approval, judged } = checked.value;
  const { log } = judged;
  const matches = rootProblem(block, log) === undefined;
  return {
    kind: "attest",
    claim: {
      consortiumId,
      height: block.height,
      round,
      blockId: block.blockId,
      hash2: log.hash2,
      treeSize: log.frontier.size,
      verdict: matches ? AttestationVerdict.MATCH : AttestationVerdict.MISMATCH,
    },
    auditPositions: auditPositions({
      beacon,
      nodeId,
      treeSize: head.frontier.size,
      count: policy.auditRecords,
    }),
    signatures: [...approval, ...judged.operations],
    ...(matches ? { judged } : {}),
  };
}

type CheckedCandidate = {
  /** Those of AC. */
  readonly approval: readonly SignatureCheck[];
  readonly judged: JudgedBlock;
};

/** What a candidate rests on, or what is wrong with it before any signature is verified. */
function checkCandidate(
  { block, sealedRecords, approval }: ParsedCandidate,
  context: StorageContext,
): Result<CheckedCandidate, Violation> {
  const { head, consortiumId } = context;
  const unlinked = publicLinkProblem(block, context);
  if (unlinked !== undefined) return err(unlinked);
  const settled = settledSignatures(block, context);
  if (!settled.ok) return settled;
  const members = membersAfter(block, context);
  if (!members.ok) return members;
  const facts = publicFacts(block, context, members.value);
  const approved = checkApproval(approval, facts, head.members, consortiumId);
  if (!approved.ok) return approved;
  const unsealed =
    sealProblem(block, sealedRecords) ?? sealedBytesProblem(block, sealedRecords, head);
  if (unsealed !== undefined) return err(unsealed);
  const operations = [...settled.value, ...operationSignatures(block, context)];
  const log = extendLog(block, head);
  const judged = { onTopOf: head, log, members: members.value, facts, operations };
  return ok({ approval: approved.value, judged });
}

/** A block that may be final. */
export type CertifiedBlock = Pick<StorageAppend, "block" | "sealedRecords" | "certificates"> & {
  /** If this very block, with these very records, was a candidate here. */
  readonly judged?: JudgedBlock | undefined;
};

/**
 * Whether a block at the next height is final. An error is the sender's fault: the block or its
 * records are not what the certificates speak of, or the certificates are incomplete.
 */
export function checkFinal(
  parts: CertifiedBlock,
  context: StorageContext,
): Result<FinalCheck, Violation> {
  const { block, sealedRecords, judged } = parts;
  const { head } = context;
  if (judged?.onTopOf === head) return checkFinality(parts, judged, context);
  const unlinked = publicLinkProblem(block, context);
  // A block with another parent may be final all the same: then the chain forks.
  if (unlinked !== undefined && unlinked.reason !== "BLOCK_WRONG_PARENT") return err(unlinked);
  const unsealed = sealProblem(block, sealedRecords);
  if (unsealed !== undefined) return err(unsealed);

  const log = extendLog(block, head);
  const settled = settledSignatures(block, context);
  const members = membersAfter(block, context);
  const wrong =
    unlinked ?? rootProblem(block, log) ?? sealedBytesProblem(block, sealedRecords, head);
  if (wrong !== undefined) return contradicted(wrong, parts, context);
  if (!settled.ok) return contradicted(settled.error, parts, context);
  if (!members.ok) return contradicted(members.error, parts, context);
  const facts = publicFacts(block, context, members.value);
  const operations = [...settled.value, ...operationSignatures(block, context)];
  const found = { onTopOf: head, log, members: members.value, facts, operations };
  return checkFinality(parts, found, context);
}

/** Holds certificates against a block that extends the chain rightly. */
function checkFinality(
  { block, sealedRecords, certificates }: CertifiedBlock,
  { log, members, facts, operations }: JudgedBlock,
  { head, consortiumId }: StorageContext,
): Result<FinalCheck, Violation> {
  const signatures = checkBlockCertificates(certificates, facts, head.members, consortiumId);
  if (!signatures.ok) return signatures;
  const after = headAfter(block, head, { log, members, facts });
  const append = { block, sealedRecords, certificates, log, ...after };
  return ok({ signatures: signatures.value, append, operations });
}

/** Nobody can tell which managers have to ACCEPT such a block: its CC alone proves it final. */
function contradicted(
  contradiction: Violation,
  { block, certificates }: Pick<StorageAppend, "block" | "certificates">,
  context: StorageContext,
): Result<FinalCheck, Violation> {
  const signatures = commitSignatures(certificates, block, context);
  return signatures.ok ? ok({ signatures: signatures.value, contradiction }) : signatures;
}

/**
 * The signatures that must verify for a commit certificate to prove a fork: it is about a height
 * that this node has decided, and about another block. `members` hold all managers of that height.
 */
export function checkFork(
  certificates: BlockCertificates,
  context: Pick<StorageContext, "head" | "consortiumId">,
): Result<readonly SignatureCheck[], Violation> {
  const { height = 0n, blockId = emptyBytes } = certificates.commit ?? {};
  return commitSignatures(certificates, { height: Number(height), blockId }, context);
}

function commitSignatures(
  { commit }: BlockCertificates,
  place: Pick<BlockFacts, "height" | "blockId">,
  { head, consortiumId }: Pick<StorageContext, "head" | "consortiumId">,
): Result<readonly SignatureCheck[], Violation> {
  if (commit === undefined) {
    return err(violation("CERTIFICATE_INVALID", "The commit certificate is missing.", "commit"));
  }
  return checkCommit(commit, place, head.members, consortiumId);
}

/**
 * Managers need attestations of the round in which a block was made, and no others ([R4.3.2]). One
 * that asked about a block in later rounds would leave the node with nothing to say of the blocks
 * that are made there, as it attests one in each round.
 */
function roundProblem({ createdRound, leaves }: ParsedBlock, round: number) {
  if (leaves.length === 0) {
    return violation("BLOCK_MALFORMED", "A block without leaves is not attested.", "leaves");
  }
  if (round === createdRound) return undefined;
  const message = "The committee is not of the round in which the block was made.";
  return violation("BLOCK_MALFORMED", message, "round");
}
