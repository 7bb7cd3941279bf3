/**
 * Checking a receipt without asking anybody: all that is trusted is the genesis file, which names
 * the managers.
 *
 *     record ──hash──▶ record hash ┐
 *                     seal digest ─┴─▶ leaf ──inclusion proof──▶ hash1 in the header
 *     header ──hash──▶ block id ◀──signed by Q of the managers── commit certificate
 *     previous header ──hash──▶ previous block id in the header
 *
 * What it proves: this block added the record, at this position. A leaf is under the root of every
 * later block as well, so the inclusion proof alone would hold for any of them; the position lies
 * beyond the tree of the block before, so it was added by this one. The time is the block's
 * timestamp, by the clock of the manager that made it. The receipt's confirmations and attestations
 * are what the node that answered said; nothing in a receipt proves them.
 */

import { fromBinary, fromJsonString, toJsonString } from "@bufbuild/protobuf";
import { emptyBytes, equalBytes, toHex } from "../../base/bytes.js";
import { err, ok, type Result } from "../../base/result.js";
import { ed25519Verify } from "../../crypto/ed25519.js";
import { hashBytes } from "../../crypto/hash.js";
import { type Receipt, ReceiptSchema } from "../../gen/bss/v1/query_pb.js";
import { blockId, leafHashOf } from "../../ledger/blocks/block-hashes.js";
import { parseHeader } from "../../ledger/blocks/block-parsing.js";
import { checkCommit } from "../../ledger/certificates/certificates.js";
import type { Members } from "../../ledger/members/members.js";
import { verifyInclusion } from "../../ledger/merkle/verify.js";
import { recordHash } from "../../ledger/records/record-hash.js";
import { encode, safeInteger } from "../../ledger/wire.js";
import { embeddedBounds, wireProblem } from "../../ledger/wire-bounds.js";

/** What a receipt is checked against; `parseGenesis` gives it. */
export type ReceiptAnchor = {
  /** 32 bytes. */
  readonly consortiumId: Uint8Array;
  readonly members: Members;
};

/** The steps in the order in which they are taken. */
export const receiptSteps = [
  "record",
  "header",
  "block-id",
  "inclusion",
  "previous-header",
  "commit-certificate",
  "signatures",
] as const;

export type ReceiptStep = (typeof receiptSteps)[number];

export type ReceiptProblem = {
  readonly step: ReceiptStep;
  /** One sentence for people. */
  readonly message: string;
};

export type VerifiedReceipt = {
  /** 32 bytes. */
  readonly recordHash: Uint8Array;
  readonly height: number;
  /** 32 bytes. */
  readonly blockId: Uint8Array;
  /** Unix ms; the block's timestamp. */
  readonly timeMs: number;
  readonly position: number;
  /** Records on the ledger after this block. */
  readonly treeSize: number;
  /** Records that were there before it: the block added those from this position on. */
  readonly previousTreeSize: number;
  /** Managers whose COMMIT was verified. */
  readonly signers: readonly string[];
  /** Whether the content was held against the record hash too. */
  readonly recordChecked: boolean;
  /** What was found right, one sentence per step that was taken. */
  readonly steps: readonly { readonly step: ReceiptStep; readonly message: string }[];
};

export type ReceiptCheckOptions = {
  /** The exact bytes of the record, to bind its content to the receipt. */
  readonly record?: Uint8Array;
};

/**
 * Longest receipt that is read, characters. One with the signatures of 100 managers and a proof of
 * 54 hashes has fewer than 30,000.
 */
const receiptCharsMax = 1024 * 1024;

type Step<T = undefined> = Result<T, ReceiptProblem>;

/**
 * Checks a receipt against the genesis. Pure and offline; never throws, whatever the receipt holds.
 */
export function verifyReceipt(
  receipt: Receipt,
  anchor: ReceiptAnchor,
  options: ReceiptCheckOptions = {},
): Result<VerifiedReceipt, ReceiptProblem> {
  const steps: VerifiedReceipt["steps"][number][] = [];
  const record = checkRecord(receipt, anchor, options.record);
  if (!record.ok) return record;
  if (record.value !== undefined) steps.push({ step: "record", message: record.value });

  const header = checkHeader(receipt, anchor);
  if (!header.ok) return header;
  const { height, treeSize, timeMs, hash1 } = header.value;
  steps.push({ step: "header", message: `The header is that of block ${height}.` });

  const id = checkBlockId(receipt);
  if (!id.ok) return id;
  steps.push({
    step: "block-id",
    message: `The header's hash is the block id ${toHex(id.value)}.`,
  });

  const position = checkInclusion(receipt, treeSize, hash1);
  if (!position.ok) return position;
  const place = `leaf ${position.value} of ${treeSize}`;
  steps.push({ step: "inclusion", message: `The inclusion proof leads from ${place} to HASH1.` });

  const before = checkPreviousHeader(receipt, header.value, position.value);
  if (!before.ok) return before;
  const own = `leaves ${before.value} to ${treeSize - 1}, and the record's is one of them`;
  steps.push({ step: "previous-header", message: `The block added ${own}.` });

  const signers = checkCertificate(receipt, { height, blockId: id.value }, anchor);
  if (!signers.ok) return signers;
  const { quorum, managers } = anchor.members;
  const needed = `${quorum} of ${managers.length} are needed`;
  steps.push(
    { step: "commit-certificate", message: "The commit certificate is for this block." },
    { step: "signatures", message: `${signers.value.join(", ")} signed it; ${needed}.` },
  );
  return ok({
    recordHash: receipt.recordHash,
    height,
    blockId: id.value,
    timeMs,
    position: position.value,
    treeSize,
    previousTreeSize: before.value,
    signers: signers.value,
    recordChecked: record.value !== undefined,
    steps,
  });
}

function checkRecord(
  receipt: Receipt,
  { consortiumId }: ReceiptAnchor,
  record: Uint8Array | undefined,
): Step<string | undefined> {
  if (receipt.recordHash.length !== hashBytes) {
    return problem("record", "The receipt's record hash does not have 32 bytes.");
  }
  if (record === undefined) return ok(undefined);
  const hash = recordHash(consortiumId, record);
  if (!equalBytes(hash, receipt.recordHash)) {
    const named = toHex(receipt.recordHash);
    return problem("record", `The record's hash is ${toHex(hash)}, the receipt is for ${named}.`);
  }
  return ok(`The record's ${record.length} bytes have the receipt's record hash.`);
}

type HeaderFacts = {
  readonly height: number;
  readonly treeSize: number;
  readonly timeMs: number;
  readonly hash1: Uint8Array;
  readonly previousBlockId: Uint8Array;
};

function checkHeader(receipt: Receipt, { consortiumId }: ReceiptAnchor): Step<HeaderFacts> {
  const parsed = parseHeader(receipt.header);
  if (!parsed.ok) {
    return problem("header", `The receipt holds no block header: ${parsed.error.message}`);
  }
  const { header, height, treeSize, timestampMs } = parsed.value;
  if (!equalBytes(header.consortiumId, consortiumId)) {
    const other = `it is ${toHex(header.consortiumId)}, the genesis file's ${toHex(consortiumId)}`;
    return problem("header", `The header is of another consortium: ${other}.`);
  }
  if (receipt.height !== header.height) {
    return problem("header", `The header is of height ${height}, not of ${receipt.height}.`);
  }
  if (receipt.timeUnixMs !== header.timestampUnixMs) {
    const said = `the receipt says ${receipt.timeUnixMs}`;
    return problem("header", `The header's time is ${timestampMs} ms, ${said}.`);
  }
  const { hash1, previousBlockId } = header;
  return ok({ height, treeSize, timeMs: timestampMs, hash1, previousBlockId });
}

function checkBlockId(receipt: Receipt): Step<Uint8Array> {
  const id = blockId(receipt.header);
  if (equalBytes(id, receipt.blockId)) return ok(id);
  const named = `the receipt names block ${toHex(receipt.blockId)}`;
  return problem("block-id", `The header's hash is ${toHex(id)}, ${named}.`);
}

function checkInclusion(receipt: Receipt, treeSize: number, root: Uint8Array): Step<number> {
  if (receipt.sealDigest.length !== hashBytes) {
    return problem("inclusion", "The receipt's seal digest does not have 32 bytes.");
  }
  const position = safeInteger(receipt.position);
  if (position === undefined || position >= treeSize) {
    const message = `Position ${receipt.position} is not in a tree of ${treeSize} records.`;
    return problem("inclusion", message);
  }
  const leafHash = leafHashOf(receipt);
  const proof = receipt.inclusionProof;
  if (verifyInclusion({ leafHash, leafIndex: position, treeSize, proof, root })) {
    return ok(position);
  }
  const message =
    `The inclusion proof does not lead from the record at position ${position} to HASH1 of the ` +
    "header: the record hash, the seal digest, the position or the proof is wrong.";
  return problem("inclusion", message);
}

/** Size of the tree before the block, which added the record at `position` and none below it. */
function checkPreviousHeader(
  { previousHeader }: Receipt,
  { height, previousBlockId }: HeaderFacts,
  position: number,
): Step<number> {
  if (height === 1) {
    if (equalBytes(previousHeader, emptyBytes)) return ok(0);
    return problem("previous-header", "Block 1 has none before it, but the receipt holds one.");
  }
  const known = `it proves only that the record was there no later than block ${height}`;
  if (previousHeader.length === 0) {
    return problem("previous-header", `The receipt lacks the header before its block: ${known}.`);
  }
  if (!equalBytes(blockId(previousHeader), previousBlockId)) {
    const message = `The previous header is not that of the block before block ${height}.`;
    return problem("previous-header", message);
  }
  const parsed = parseHeader(previousHeader);
  if (!parsed.ok) {
    const { message } = parsed.error;
    return problem("previous-header", `The receipt holds no previous header: ${message}`);
  }
  const { treeSize } = parsed.value;
  if (position >= treeSize) return ok(treeSize);
  const message =
    `Block ${height} did not add the record: position ${position} was in the ledger's ` +
    `${treeSize} records before it, so it was added by an earlier block.`;
  return problem("previous-header", message);
}

function checkCertificate(
  receipt: Receipt,
  block: { readonly height: number; readonly blockId: Uint8Array },
  { members, consortiumId }: ReceiptAnchor,
): Step<readonly string[]> {
  const certificate = receipt.commitCertificate;
  if (certificate === undefined) {
    return problem("commit-certificate", "The receipt holds no commit certificate.");
  }
  const checks = checkCommit(certificate, block, members, consortiumId);
  if (!checks.ok) {
    const { message, field } = checks.error;
    const at = field === undefined ? "" : ` (${field})`;
    return problem("commit-certificate", `The commit certificate is not valid: ${message}${at}`);
  }
  for (const { publicKey, digest, signature, what } of checks.value) {
    if (!ed25519Verify(publicKey, digest, signature)) {
      return problem("signatures", `A signature does not verify: ${what}.`);
    }
  }
  return ok(certificate.signatures.map(({ managerId }) => managerId));
}

function problem(step: ReceiptStep, message: string): Result<never, ReceiptProblem> {
  return err({ step, message });
}

/**
 * A receipt as protobuf JSON of bss.v1.Receipt, which any protobuf library reads. It is one line
 * unless `pretty`.
 */
export function receiptToJson(
  receipt: Receipt,
  options: { readonly pretty?: boolean } = {},
): string {
  const spaces = options.pretty === true ? { prettySpaces: 2 } : {};
  return toJsonString(ReceiptSchema, receipt, { alwaysEmitImplicit: true, ...spaces });
}

/** What was to be read is no receipt: before any step of checking one. */
export type EncodingProblem = { readonly step: "encoding"; readonly message: string };

/** Reads a receipt; the error says what is wrong with the text. */
export function receiptFromJson(text: string): Result<Receipt, EncodingProblem> {
  if (text.length > receiptCharsMax) return noReceipt(`longer than ${receiptCharsMax} characters`);
  try {
    const receipt = fromJsonString(ReceiptSchema, text);
    return receipt.recordHash.length === 0 ? noReceipt("it has no record hash") : ok(receipt);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // Which message does not decode is said already.
    return noReceipt(message.replace(/^cannot decode message \S+ from JSON: /, ""));
  }
}

function noReceipt(why: string): Result<never, EncodingProblem> {
  return err({ step: "encoding", message: `This text is no receipt: ${why}` });
}

/** The encoded bytes of a receipt, a third as long. */
export function receiptToBinary(receipt: Receipt): Uint8Array {
  return encode(ReceiptSchema, receipt);
}

/** Reads a receipt from its encoded bytes; undefined if they are none, or have unknown fields. */
export function receiptFromBinary(bytes: Uint8Array): Receipt | undefined {
  if (bytes.length > receiptCharsMax) return undefined;
  // A plain Uint8Array: otherwise every bytes field of the message would be a Buffer.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (wireProblem(ReceiptSchema, plain, embeddedBounds) !== undefined) return undefined;
  try {
    const receipt = fromBinary(ReceiptSchema, plain);
    return receipt.$unknown === undefined && receipt.recordHash.length > 0 ? receipt : undefined;
  } catch {
    return undefined;
  }
}
