/**
 * A block as a storage node sees it: without private entries, on top of the head that the node
 * holds.
 *
 * From the public part the node computes the log after the block, its root HASH2, the members after
 * the block and the managers that have to ACCEPT it, and compares. For what it cannot see
 * (submissions, rules, the state) it relies on the approval certificate.
 */
import { equalBytes } from "../../base/bytes.js";
import { ok, type Result } from "../../base/result.js";
import { sha256 } from "../../crypto/hash.js";
import type { Policy } from "../../gen/bss/v1/genesis_pb.js";
import type { BlockFacts } from "../../ledger/blocks/block-facts.js";
import { inHeader, linkProblem, type ParsedBlock } from "../../ledger/blocks/block-parsing.js";
import {
  type BuiltStorageHeader,
  buildStorageBlockHeader,
} from "../../ledger/blocks/storage-blocks.js";
import { checkIntegrity } from "../../ledger/certificates/certificates.js";
import type { SignatureCheck } from "../../ledger/certificates/signature-check.js";
import { compareIds } from "../../ledger/ids.js";
import type { BlockEffects, Members } from "../../ledger/members/members.js";
import { operationSignatureChecks } from "../../ledger/members/operation-signatures.js";
import { carriesAuthority } from "../../ledger/members/operations.js";
import { appendLeaves, type Frontier, rootOf } from "../../ledger/merkle/frontier.js";
import type { StoredNode } from "../../ledger/merkle/nodes.js";
import type { StorageHead } from "../../ledger/storage-nodes/storage-head.js";
import { refuse, type Violation, violation } from "../../ledger/violation.js";

/** What a storage node judges blocks by. */
export type StorageContext = {
  /** 32 bytes. */
  readonly consortiumId: Uint8Array;
  readonly policy: Policy;
  readonly head: StorageHead;
};

/** The log after a block, as this node computes it. */
export type ExtendedLog = {
  readonly frontier: Frontier;
  /** 32 bytes: its root. */
  readonly hash2: Uint8Array;
  /** The subtrees that the block completes. */
  readonly newNodes: readonly StoredNode[];
};

/**
 * What certificates about the block are held against. `after` are the members after it: those who
 * are active among them have to ACCEPT it.
 */
export function publicFacts(
  block: ParsedBlock,
  { head, policy }: StorageContext,
  after: Members,
): BlockFacts {
  const { blockId, height, createdRound, proposerId, timestampMs, treeSize, header } = block;
  return {
    blockId,
    height,
    createdRound,
    proposerId,
    timestampMs,
    treeSize,
    hash1: header.hash1,
    beacon: header.beacon,
    leafCount: block.leaves.length,
    requiredAccepts: after.requiredAccepts,
    absences: absencesOf(block),
    eligible: head.members.eligibleStorageNodes(policy),
  };
}

/**
 * CONSORTIUM_MISMATCH, BLOCK_WRONG_HEIGHT or BLOCK_WRONG_PARENT, unless the block extends the head.
 */
export function publicLinkProblem(
  block: ParsedBlock,
  { head, consortiumId }: StorageContext,
): Violation | undefined {
  const { height, managerBlockId: blockId } = head;
  return linkProblem(block, { height, blockId }, consortiumId);
}

/**
 * BLOCK_SEAL_MISMATCH unless there is exactly one sealed record for each leaf, and it hashes to it.
 */
export function sealProblem(
  { leaves }: ParsedBlock,
  sealedRecords: readonly Uint8Array[],
): Violation | undefined {
  if (sealedRecords.length !== leaves.length) {
    const message = `There are ${sealedRecords.length} sealed records for ${leaves.length} leaves.`;
    return violation("BLOCK_SEAL_MISMATCH", message, "sealed_records");
  }
  for (const [i, { sealDigest }] of leaves.entries()) {
    const sealed = sealedRecords[i];
    if (sealed !== undefined && equalBytes(sha256(sealed), sealDigest)) continue;
    const message = "The sealed record does not hash to its leaf.";
    return violation("BLOCK_SEAL_MISMATCH", message, `sealed_records[${i}]`);
  }
  return undefined;
}

export function extendLog({ leafHashes }: ParsedBlock, head: StorageHead): ExtendedLog {
  const { frontier, nodes } = appendLeaves(head.frontier, leafHashes);
  return { frontier, hash2: rootOf(frontier), newNodes: nodes };
}

/** BLOCK_ROOT_MISMATCH unless HASH2 is the header's HASH1, and the sizes agree. */
export function rootProblem(
  { header, treeSize }: ParsedBlock,
  { frontier, hash2 }: ExtendedLog,
): Violation | undefined {
  if (treeSize !== frontier.size) {
    const message = `The log has ${frontier.size} records after the block, not ${treeSize}.`;
    return inHeader("BLOCK_ROOT_MISMATCH", message, "tree_size");
  }
  if (equalBytes(header.hash1, hash2)) return undefined;
  return inHeader("BLOCK_ROOT_MISMATCH", "HASH2 is not the block's HASH1.", "hash1");
}

/** BLOCK_DIGEST_MISMATCH unless the header counts the bytes of the sealed records right. */
export function sealedBytesProblem(
  { sealedBytes }: ParsedBlock,
  sealedRecords: readonly Uint8Array[],
  { members }: StorageHead,
): Violation | undefined {
  const added = sealedRecords.reduce((sum, { length }) => sum + length, 0);
  if (sealedBytes === members.totals.sealedBytes + added) return undefined;
  const message = `The block's sealed records have ${added} bytes.`;
  return inHeader("BLOCK_DIGEST_MISMATCH", message, "sealed_bytes");
}

/**
 * The members after the block, or BLOCK_TIME_INVALID, OPERATION_INVALID, BLOCK_DIGEST_MISMATCH.
 * `onChange` is told of each change of a storage node's standing.
 */
export function membersAfter(
  block: ParsedBlock,
  { head, policy }: StorageContext,
  onChange?: BlockEffects["onChange"],
): Result<Members, Violation> {
  const { control, header } = block;
  if (block.timestampMs <= head.timestampMs) {
    const message = "The block's time is not after its parent's.";
    return refuse("BLOCK_TIME_INVALID", message, "header.timestamp_unix_ms");
  }
  const unauthorised = control.findIndex((each) => !carriesAuthority(each));
  if (unauthorised >= 0) {
    const message = "After genesis such an operation needs somebody's consent, and has none.";
    return refuse("OPERATION_INVALID", message, `control[${unauthorised}]`);
  }
  const members = head.members.applyBlock({ ...blockEffects(block, head, policy), onChange });
  if (!members.ok) return members;
  if (equalBytes(header.membersDigest, members.value.digest())) return ok(members.value);
  const message = "The members after the block have another digest.";
  return refuse("BLOCK_DIGEST_MISMATCH", message, "header.members_digest");
}

/** The public chain's head after a block that is final, and the storage header that it gets. */
export function headAfter(
  block: ParsedBlock,
  before: StorageHead,
  made: { readonly log: ExtendedLog; readonly members: Members; readonly facts: BlockFacts },
): { readonly storageHeader: BuiltStorageHeader; readonly head: StorageHead } {
  const { blockId: managerBlockId, height, timestampMs } = block;
  const { log, members, facts } = made;
  const { frontier, hash2 } = log;
  const { storageBlockId: previousStorageBlockId } = before;
  const treeSize = frontier.size;
  const storageHeader = buildStorageBlockHeader({ block, previousStorageBlockId, hash2, treeSize });
  const { storageBlockId } = storageHeader;
  return {
    storageHeader,
    head: { height, storageBlockId, managerBlockId, timestampMs, frontier, members, facts },
  };
}

/** The block as far as it bears on the members, on top of `head`. */
export function blockEffects(
  block: ParsedBlock,
  head: Pick<StorageHead, "timestampMs" | "facts">,
  policy: Policy,
): BlockEffects {
  const { height, timestampMs, control, header, sealedBytes, previousCertificates } = block;
  const { facts } = head;
  return {
    policy,
    height,
    timestampMs,
    operations: control,
    sealedBytes,
    beacon: header.beacon,
    previousTimestampMs: head.timestampMs,
    previous: facts && { facts, integrity: previousCertificates?.integrity },
  };
}

/**
 * The signatures of the integrity certificate that the block carries for the one before: credit and
 * reward follow from it. CERTIFICATE_INVALID if no signatures could make it right. A member of that
 * committee cannot have changed its key since, so the head's members have it.
 */
export function settledSignatures(
  { previousCertificates }: ParsedBlock,
  { head, consortiumId }: StorageContext,
): Result<readonly SignatureCheck[], Violation> {
  const { facts, members } = head;
  const integrity = previousCertificates?.integrity;
  if (facts === undefined) return ok([]);
  if ((integrity === undefined) !== (facts.leafCount === 0)) {
    const message =
      "An integrity certificate belongs to a block that adds leaves, and to no other.";
    return refuse("CERTIFICATE_INVALID", message, "previous_certificates.integrity");
  }
  return integrity === undefined ? ok([]) : checkIntegrity(integrity, facts, members, consortiumId);
}

/** The signatures on which the block's control operations rest. */
export function operationSignatures(
  { control }: ParsedBlock,
  { head, consortiumId }: StorageContext,
): readonly SignatureCheck[] {
  return control.flatMap((each) => operationSignatureChecks(each, head.members, consortiumId));
}

function absencesOf({ control }: ParsedBlock): readonly string[] {
  const ids = control.flatMap(({ operation }) =>
    operation.case === "suspendManager" ? [operation.value.managerId] : [],
  );
  return ids.sort(compareIds);
}
