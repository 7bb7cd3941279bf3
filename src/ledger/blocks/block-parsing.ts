/**
 * Blocks of the managers' chain, read from what a peer sent.
 *
 * `parseBlock` settles what follows from the public block alone: every part decodes, lengths and
 * ranges are right, the digests in the header are those of the parts. `parseManagerBlock` does the
 * same for the private entries and the records. After that the parts of a block fit each other;
 * whether it extends the chain and keeps the rules is checked in `block-validation.ts`.
 */
import { equalBytes, toHex } from "../../base/bytes.js";
import { ok, type Result } from "../../base/result.js";
import { hashBytes } from "../../crypto/hash.js";
import { vrfOutputBytes, vrfProofBytes } from "../../crypto/vrf.js";
import {
  type Block,
  type BlockCertificates,
  BlockCertificatesSchema,
  type Leaf,
  type ManagerBlockHeader,
  ManagerBlockHeaderSchema,
} from "../../gen/bss/v1/block_pb.js";
import { type ControlOperation, ControlOperationSchema } from "../../gen/bss/v1/genesis_pb.js";
import { isId } from "../ids.js";
import { rootOfLeafHashes } from "../merkle/frontier.js";
import type { KnownSeals } from "../records/records.js";
import { type RuleReason, refuse, type Violation, violation } from "../violation.js";
import { decodeCanonical, hasUnknownFields, safeInteger } from "../wire.js";
import {
  type BodyRoots,
  blockId,
  bodyDigest,
  certificatesDigest,
  controlRoot,
  leafHashOf,
} from "./block-hashes.js";

// How much of each part a block may hold, whatever the policy says.

/**
 * The most records that any policy may allow in a block. Building takes 0.1 ms and judging 0.2 ms
 * of CPU for each, in which the node does nothing else: so this stays below the default timeouts.
 */
export const blockRecordsBound = 10_000;
/** Control operations in one block. */
export const controlOperationsMax = 1_000;
/**
 * Bytes of one control operation. The longest, a storage node that 34 of 100 managers have heard
 * nothing of, has about 4,900; an admission with the longest invitation 3,900.
 */
export const controlOperationBytesMax = 6_144;
/** Bytes of all of them: 1 MiB of the public side, and what managers say of each other. */
export const controlBytesMax = 2 ** 20 + 2 ** 18;
export const headerBytesMax = 1_024;
/** Certificates of 100 managers and a committee of 6,667 have about 1.15 MB. */
export const certificatesBytesMax = 2 ** 20 + 2 ** 18;

export type ParsedBlock = BodyRoots & {
  /** 32 bytes. */
  readonly blockId: Uint8Array;
  readonly header: ManagerBlockHeader;
  /** The exact bytes. */
  readonly headerBytes: Uint8Array;
  readonly height: number;
  readonly createdRound: number;
  readonly proposerId: string;
  /** Unix ms. */
  readonly timestampMs: number;
  /** Records on the ledger after the block. */
  readonly treeSize: number;
  /** Sum of the lengths of all sealed records after the block. */
  readonly sealedBytes: number;
  readonly leaves: readonly Leaf[];
  /** RFC 9162 leaf hash of each leaf, for the log. */
  readonly leafHashes: readonly Uint8Array[];
  readonly control: readonly ControlOperation[];
  /** Those of the block before; absent in block 1 only. Here they are only decoded. */
  readonly previousCertificates?: BlockCertificates;
  readonly block: Block;
};

/**
 * Reads a public block. Refuses with BLOCK_MALFORMED, BLOCK_TOO_LARGE, OPERATION_INVALID,
 * RECORD_REPEATED, CERTIFICATE_INVALID, BLOCK_ROOT_MISMATCH or BLOCK_DIGEST_MISMATCH.
 * `known` spares hashing leaves again.
 */
export function parseBlock(block: Block, known?: KnownSeals): Result<ParsedBlock, Violation> {
  if (hasUnknownFields(block)) return malformed("There are unknown fields.");
  const head = parseHeader(block.header);
  if (!head.ok) return head;
  const control = parseControl(block.control);
  if (!control.ok) return control;
  const leafHashes = parseLeaves(block.leaves, head.value.treeSize, known);
  if (!leafHashes.ok) return leafHashes;
  if (block.privateRoot.length !== hashBytes) {
    return malformed("A root has 32 bytes.", "private_root");
  }
  const certificates = parsePrevious(block.previousCertificates, head.value.height);
  if (!certificates.ok) return certificates;

  const { header } = head.value;
  const roots = {
    controlRoot: controlRoot(block.control),
    leavesRoot: rootOfLeafHashes(leafHashes.value),
    privateRoot: block.privateRoot,
  };
  if (!equalBytes(header.bodyDigest, bodyDigest(roots))) {
    return digestMismatch("The header's body digest is not that of the body.", "body_digest");
  }
  if (!equalBytes(header.certificatesDigest, certificatesDigest(block.previousCertificates))) {
    const message = "The header's certificates digest is not that of the certificates.";
    return digestMismatch(message, "certificates_digest");
  }
  return ok({
    blockId: blockId(block.header),
    headerBytes: block.header,
    block,
    ...head.value,
    ...roots,
    leaves: block.leaves,
    leafHashes: leafHashes.value,
    control: control.value,
    ...(certificates.value && { previousCertificates: certificates.value }),
  });
}

type ParsedHeader = Pick<
  ParsedBlock,
  "header" | "height" | "createdRound" | "proposerId" | "timestampMs" | "treeSize" | "sealedBytes"
>;

/** Reads the canonical bytes of a header: lengths and ranges. BLOCK_MALFORMED otherwise. */
export function parseHeader(bytes: Uint8Array): Result<ParsedHeader, Violation> {
  if (bytes.length > headerBytesMax) return malformed("The header is too long.", "header");
  const header = decodeCanonical(ManagerBlockHeaderSchema, bytes);
  if (header === undefined) return malformed("The header does not decode.", "header");
  for (const [name, length, field] of headerLengths) {
    if (header[name].length === length) continue;
    return malformed(`There should be ${length} bytes.`, `header.${field}`);
  }
  const height = safeInteger(header.height, 1);
  if (height === undefined) return malformed("The value is not a height.", "header.height");
  const treeSize = safeInteger(header.treeSize);
  if (treeSize === undefined) return malformed("The value is not a tree size.", "header.tree_size");
  const timestampMs = safeInteger(header.timestampUnixMs, 1);
  if (timestampMs === undefined)
    return malformed("The value is not a time.", "header.timestamp_unix_ms");
  const sealedBytes = safeInteger(header.sealedBytes);
  if (sealedBytes === undefined)
    return malformed("The value is not a length.", "header.sealed_bytes");
  const { createdRound, proposerId } = header;
  if (!isId(proposerId)) return malformed("The value is not an id.", "header.proposer_id");
  return ok({ header, height, createdRound, proposerId, timestampMs, treeSize, sealedBytes });
}

const headerLengths = [
  ["consortiumId", hashBytes, "consortium_id"],
  ["previousBlockId", hashBytes, "previous_block_id"],
  ["hash1", hashBytes, "hash1"],
  ["membersDigest", hashBytes, "members_digest"],
  ["previousStateDigest", hashBytes, "previous_state_digest"],
  ["bodyDigest", hashBytes, "body_digest"],
  ["certificatesDigest", hashBytes, "certificates_digest"],
  ["beacon", vrfOutputBytes, "beacon"],
  ["beaconProof", vrfProofBytes, "beacon_proof"],
] as const;

function parseControl(
  control: readonly Uint8Array[],
): Result<readonly ControlOperation[], Violation> {
  if (control.length > controlOperationsMax) {
    const message = `There are more than ${controlOperationsMax} control operations.`;
    return refuse("BLOCK_TOO_LARGE", message, "control");
  }
  const byteCount = control.reduce((sum, bytes) => sum + bytes.length, 0);
  if (byteCount > controlBytesMax) {
    const message = `The control operations have more than ${controlBytesMax} bytes.`;
    return refuse("BLOCK_TOO_LARGE", message, "control");
  }
  const operations: ControlOperation[] = [];
  for (const [i, bytes] of control.entries()) {
    const operation =
      bytes.length <= controlOperationBytesMax
        ? decodeCanonical(ControlOperationSchema, bytes)
        : undefined;
    if (operation?.operation.case === undefined) {
      return refuse("OPERATION_INVALID", "A control operation does not decode.", `control[${i}]`);
    }
    operations.push(operation);
  }
  return ok(operations);
}

/** The leaf hashes. Of a leaf that is known, with this seal digest, the hash is known too. */
function parseLeaves(
  leaves: readonly Leaf[],
  treeSize: number,
  known: KnownSeals | undefined,
): Result<readonly Uint8Array[], Violation> {
  if (leaves.length > blockRecordsBound) {
    return refuse("BLOCK_TOO_LARGE", `There are more than ${blockRecordsBound} leaves.`);
  }
  if (leaves.length > treeSize) {
    const message = "The tree is smaller than what the block adds to it.";
    return refuse("BLOCK_ROOT_MISMATCH", message, "header.tree_size");
  }
  const hashes: Uint8Array[] = [];
  const seen = new Set<string>();
  for (const [i, leaf] of leaves.entries()) {
    const { recordHash, sealDigest } = leaf;
    if (recordHash.length !== hashBytes || sealDigest.length !== hashBytes) {
      return refuse("BLOCK_MALFORMED", "A leaf is two hashes of 32 bytes.", `leaves[${i}]`);
    }
    if (hasUnknownFields(leaf)) return malformed("There are unknown fields.", `leaves[${i}]`);
    const key = toHex(recordHash);
    if (seen.has(key)) {
      return refuse("RECORD_REPEATED", "A record is there twice.", `leaves[${i}]`);
    }
    seen.add(key);
    const sealed = known?.sealed(key);
    const isKnown = sealed !== undefined && equalBytes(sealed.leaf.sealDigest, sealDigest);
    hashes.push(isKnown ? sealed.leafHash : leafHashOf(leaf));
  }
  return ok(hashes);
}

function parsePrevious(
  bytes: Uint8Array,
  height: number,
): Result<BlockCertificates | undefined, Violation> {
  const field = "previous_certificates";
  if (height === 1) {
    if (bytes.length === 0) return ok(undefined);
    return refuse("CERTIFICATE_INVALID", "Genesis has no certificates.", field);
  }
  if (bytes.length === 0) {
    return refuse("CERTIFICATE_INVALID", "The previous block's certificates are missing.", field);
  }
  if (bytes.length > certificatesBytesMax) {
    return refuse("BLOCK_TOO_LARGE", "The certificates are too long.", field);
  }
  const certificates = decodeCanonical(BlockCertificatesSchema, bytes);
  if (certificates !== undefined) return ok(certificates);
  return refuse("CERTIFICATE_INVALID", "The certificates do not decode.", field);
}

function malformed(message: string, field?: string): Result<never, Violation> {
  return refuse("BLOCK_MALFORMED", message, field);
}

function digestMismatch(message: string, field: string): Result<never, Violation> {
  return refuse("BLOCK_DIGEST_MISMATCH", message, `header.${field}`);
}

/**
 * CONSORTIUM_MISMATCH, BLOCK_WRONG_HEIGHT or BLOCK_WRONG_PARENT, unless the block is the next one
 * after `head`, of which `blockId` is that of the managers' block.
 */
export function linkProblem(
  { header, height }: Pick<ParsedBlock, "header" | "height">,
  head: Pick<ParsedBlock, "height" | "blockId">,
  consortiumId: Uint8Array,
): Violation | undefined {
  if (!equalBytes(header.consortiumId, consortiumId)) {
    const message = "The block is of another consortium.";
    return inHeader("CONSORTIUM_MISMATCH", message, "consortium_id");
  }
  if (height !== head.height + 1) {
    const message = `The next height is ${head.height + 1}, the block's is ${height}.`;
    return inHeader("BLOCK_WRONG_HEIGHT", message, "height");
  }
  if (equalBytes(header.previousBlockId, head.blockId)) return undefined;
  return inHeader("BLOCK_WRONG_PARENT", "The block does not follow the head.", "previous_block_id");
}

/** A violation that names a field of the header. */
export function inHeader(reason: RuleReason, message: string, field: string): Violation {
  return violation(reason, message, `header.${field}`);
}
