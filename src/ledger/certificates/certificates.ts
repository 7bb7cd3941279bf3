/**
 * Certificates: what many signed, bundled, so that somebody who saw none of it can check it.
 *
 *     polka   APPROVE by Q managers in one round
 *     AC      ACCEPT by every required manager
 *     IC      MATCH by more than 2/3 of a committee
 *     CC      COMMIT by Q managers in one round: final
 *     LC      polka ∧ AC ∧ IC: what a manager needs before it commits
 *
 * AC, IC and CC of a block are carried by the next one, and checked here. A polka and an LC are
 * only shown to other managers, which count the votes in them: see lock-certificate.ts.
 *
 * Every check is strict, because certificates are hashed into the next block and counted for
 * credit: sorted by id, exactly one signature per signer, no strangers, enough of them, nothing
 * besides. `members` are those before the block, `facts` the block's. A result lists the signatures
 * that must verify; a refusal is CERTIFICATE_INVALID.
 */

import { equalBytes } from "../../base/bytes.js";
import { ok, type Result } from "../../base/result.js";
import { hashBytes } from "../../crypto/hash.js";
import type {
  ApprovalCertificate,
  BlockCertificates,
  CommitCertificate,
  IntegrityCertificate,
} from "../../gen/bss/v1/block_pb.js";
import { AttestationVerdict } from "../../gen/bss/v1/vote_pb.js";
import type { BlockFacts } from "../blocks/block-facts.js";
import type { Members } from "../members/members.js";
import type { Violation } from "../violation.js";
import { hasUnknownFields } from "../wire.js";
import { checkSigners, invalid } from "./certificate-signers.js";
import { drawCommittee, matchesNeeded } from "./committee.js";
import type { SignatureCheck } from "./signature-check.js";
import { acceptDigest, attestationDigest, commitDigest } from "./vote-digests.js";

type Checks = Result<readonly SignatureCheck[], Violation>;
type BlockPlace = Pick<BlockFacts, "height" | "blockId">;

/** AC: an ACCEPT of exactly the required managers. */
export function checkApproval(
  certificate: ApprovalCertificate,
  facts: BlockPlace & Pick<BlockFacts, "requiredAccepts">,
  members: Members,
  consortiumId: Uint8Array,
): Checks {
  const path = "approval";
  const problem = placeProblem(certificate, facts, path);
  if (problem !== undefined) return problem;
  const { height, blockId } = facts;
  const required = new Set(facts.requiredAccepts);
  const { signatures } = certificate;
  if (signatures.length !== required.size) {
    const message = `${required.size} managers must accept the block, ${signatures.length} did.`;
    return invalid(message, `${path}.signatures`);
  }
  const digest = acceptDigest({ consortiumId, height, blockId });
  return checkSigners(signatures, {
    path: `${path}.signatures`,
    statement: "ACCEPT",
    height,
    signerOf: (entry) => entry.managerId,
    keyOf: (id) => (required.has(id) ? members.manager(id)?.signingKey : undefined),
    digestOf: () => digest,
  });
}

/** CC: a COMMIT of one round by at least Q of all N managers. */
export function checkCommit(
  certificate: CommitCertificate,
  facts: BlockPlace,
  members: Members,
  consortiumId: Uint8Array,
): Checks {
  const path = "commit";
  const problem =
    placeProblem(certificate, facts, path) ??
    quorumProblem(certificate.signatures, members, `${path}.signatures`);
  if (problem !== undefined) return problem;
  const { height, blockId } = facts;
  const digest = commitDigest({ consortiumId, height, round: certificate.round, blockId });
  return checkSigners(certificate.signatures, {
    path: `${path}.signatures`,
    statement: "COMMIT",
    height,
    signerOf: (entry) => entry.managerId,
    keyOf: (id) => members.manager(id)?.signingKey,
    digestOf: () => digest,
  });
}

/**
 * IC: a MATCH by more than 2/3 of committee(height, round, block), for the block's own root and
 * size. Its round is that of the committee, from the round in which the block was made on.
 */
export function checkIntegrity(
  certificate: IntegrityCertificate,
  facts: Pick<
    BlockFacts,
    "height" | "blockId" | "createdRound" | "hash1" | "treeSize" | "beacon" | "eligible"
  >,
  members: Members,
  consortiumId: Uint8Array,
): Checks {
  const path = "integrity";
  const wrong =
    placeProblem(certificate, facts, path) ?? statementProblem(certificate, facts, path);
  if (wrong !== undefined) return wrong;
  const { height, blockId, hash1, treeSize, beacon, eligible } = facts;
  const { round, signatures } = certificate;
  const committee = new Set(drawCommittee({ eligible, beacon, round }));
  const incomplete = matchesProblem(certificate, committee.size, path);
  if (incomplete !== undefined) return incomplete;
  const verdict = AttestationVerdict.MATCH;
  const claim = { consortiumId, height, round, blockId, hash2: hash1, treeSize, verdict };
  return checkSigners(signatures, {
    path: `${path}.signatures`,
    statement: "MATCH",
    height,
    signerOf: (entry) => entry.nodeId,
    keyOf: (id) => (committee.has(id) ? members.storageNode(id)?.signingKey : undefined),
    digestOf: ({ audit }) => attestationDigest({ ...claim, audit }),
  });
}

/** Compares what an IC's committee attests with what the block says. */
function statementProblem(
  { round, hash2, treeSize }: IntegrityCertificate,
  facts: Pick<BlockFacts, "createdRound" | "hash1" | "treeSize">,
  path: string,
): Result<never, Violation> | undefined {
  if (round < facts.createdRound) {
    return invalid("The committee is of a round before the block was made.", `${path}.round`);
  }
  if (!equalBytes(hash2, facts.hash1)) {
    return invalid("HASH2 is not the block's HASH1.", `${path}.hash2`);
  }
  if (treeSize === BigInt(facts.treeSize)) return undefined;
  return invalid("The tree size is not the block's.", `${path}.tree_size`);
}

/** Checks that enough members of a committee have signed, each with an audit digest. */
function matchesProblem(
  { signatures }: IntegrityCertificate,
  committeeCount: number,
  path: string,
): Result<never, Violation> | undefined {
  const needed = matchesNeeded(committeeCount);
  if (signatures.length < needed || signatures.length > committeeCount) {
    const message =
      `${needed} of ${committeeCount} committee members must attest a match, ` +
      `${signatures.length} signatures are here.`;
    return invalid(message, `${path}.signatures`);
  }
  const short = signatures.findIndex(({ audit }) => audit.length !== hashBytes);
  if (short < 0) return undefined;
  return invalid("An audit digest has 32 bytes.", `${path}.signatures[${short}].audit`);
}

/** AC, IC and CC of a block: what makes it final and verified. */
export function checkBlockCertificates(
  certificates: BlockCertificates,
  facts: BlockFacts,
  members: Members,
  consortiumId: Uint8Array,
): Checks {
  const { approval, integrity, commit } = certificates;
  if (hasUnknownFields(certificates)) return invalid("There are unknown fields.");
  if (commit === undefined) return invalid("The commit certificate is missing.", "commit");
  const verified = checkVerified(
    { approval, integrity },
    commit.round,
    facts,
    members,
    consortiumId,
  );
  if (!verified.ok) return verified;
  return joined([verified, checkCommit(commit, facts, members, consortiumId)]);
}

/** AC, and IC of a round up to `roundMax` if the block adds leaves, else none. */
function checkVerified(
  { approval, integrity }: Pick<BlockCertificates, "approval" | "integrity">,
  roundMax: number,
  facts: BlockFacts,
  members: Members,
  consortiumId: Uint8Array,
): Checks {
  if (approval === undefined) return invalid("The approval certificate is missing.", "approval");
  const accuracy = checkApproval(approval, facts, members, consortiumId);
  if (facts.leafCount === 0) {
    if (integrity === undefined) return accuracy;
    return invalid("A block without leaves has no integrity certificate.", "integrity");
  }
  if (integrity === undefined) {
    return invalid("The integrity certificate is missing.", "integrity");
  }
  if (integrity.round > roundMax) {
    return invalid("The committee is of a round after the commitment.", "integrity.round");
  }
  return joined([accuracy, checkIntegrity(integrity, facts, members, consortiumId)]);
}

function placeProblem(
  certificate: ApprovalCertificate | CommitCertificate | IntegrityCertificate,
  { height, blockId }: BlockPlace,
  path: string,
): Result<never, Violation> | undefined {
  if (hasUnknownFields(certificate)) return invalid("There are unknown fields.", path);
  if (certificate.height !== BigInt(height)) {
    return invalid("The certificate is about another height.", `${path}.height`);
  }
  if (!equalBytes(certificate.blockId, blockId)) {
    return invalid("The certificate is about another block.", `${path}.block_id`);
  }
  return undefined;
}

function quorumProblem(
  entries: readonly unknown[],
  { quorum, managers }: Members,
  field: string,
): Result<never, Violation> | undefined {
  if (entries.length >= quorum && entries.length <= managers.length) return undefined;
  const message =
    `${quorum} of ${managers.length} managers must sign, ` +
    `${entries.length} signatures are here.`;
  return invalid(message, field);
}

function joined(parts: readonly Checks[]): Checks {
  const all: SignatureCheck[] = [];
  for (const part of parts) {
    if (!part.ok) return part;
    all.push(...part.value);
  }
  return ok(all);
}
