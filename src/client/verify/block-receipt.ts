/**
 * The receipts of many records of one block, which have most in common: header, certificate and the
 * header before it stand there once, in the receipt of one of them. The others are proven by their
 * leaves, which lead to the root over the block's own leaves, and with it to the header.
 *
 *     record hashes ┐
 *     seal digests ─┴─▶ leaves ──subset proof──▶ leaves_root ┐
 *                                control_root, private_root ─┴─▶ body_digest in the header
 *
 * What is proven is what a receipt of each would prove: this block added the record, there.
 */
import { equalBytes } from "../../base/bytes.js";
import { err, ok, type Result } from "../../base/result.js";
import { hashBytes } from "../../crypto/hash.js";
import type { Block, Leaf } from "../../gen/bss/v1/block_pb.js";
import type { Receipt } from "../../gen/bss/v1/query_pb.js";
import { blockId, bodyDigest, controlRoot, leafHashOf } from "../../ledger/blocks/block-hashes.js";
import { blockRecordsBound, parseHeader } from "../../ledger/blocks/block-parsing.js";
import { rootOfSubset, subsetProof } from "../../ledger/merkle/subset-proofs.js";
import { UntrueAnswer } from "./answers.js";
import { type ReceiptAnchor, type VerifiedReceipt, verifyReceipt } from "./receipt-check.js";

/** A record by its place on the ledger. */
export type ProvenRecord = Pick<Leaf, "recordHash" | "sealDigest"> & {
  /** Index of its leaf in the Merkle log. */
  readonly position: number;
};

export type BlockReceipt = {
  /** Of one record of the block. */
  readonly receipt: Receipt;
  /** Absent when that is the only one. */
  readonly others?: {
    /** All records that are proven, that of the receipt among them, ascending by position. */
    readonly records: readonly ProvenRecord[];
    /** 32 bytes each: the roots of the block's body besides that of its leaves. */
    readonly controlRoot: Uint8Array;
    readonly privateRoot: Uint8Array;
    /** See subset-proofs.ts. */
    readonly proof: readonly Uint8Array[];
  };
};

/**
 * Puts together the receipts of the records at `positions` (ascending), from the verified receipt
 * of one of them and its block. `verifyBlockReceipt` says whether the block holds them. Throws
 * `UntrueAnswer` where it is not that of the receipt.
 */
export function blockReceipt(
  receipt: Receipt,
  block: Block,
  positions: readonly number[],
): BlockReceipt {
  const header = parseHeader(block.header);
  if (!header.ok || !equalBytes(blockId(block.header), receipt.blockId)) {
    throw new UntrueAnswer(`the answer is not block ${receipt.height} of a receipt`);
  }
  const { leaves, control, privateRoot } = block;
  const previousTreeSize = header.value.treeSize - leaves.length;
  const records = positions.map((position) => {
    const { recordHash, sealDigest } = leaves[position - previousTreeSize] ?? {};
    if (recordHash && sealDigest) return { position, recordHash, sealDigest };
    throw new UntrueAnswer(`block ${receipt.height} does not add position ${position}`);
  });
  const proof = subsetProof(
    leaves.map(leafHashOf),
    records.map(({ position }) => position - previousTreeSize),
  );
  return { receipt, others: { records, controlRoot: controlRoot(control), privateRoot, proof } };
}

/** Checks it against the genesis. Pure and offline; the error is one sentence for people. */
export function verifyBlockReceipt(
  { receipt, others }: BlockReceipt,
  anchor: ReceiptAnchor,
): Result<VerifiedReceipt, string> {
  const verified = verifyReceipt(receipt, anchor);
  if (!verified.ok) return err(verified.error.message);
  if (others === undefined) return verified;
  const header = parseHeader(receipt.header);
  if (!header.ok) return err(header.error.message);
  const { treeSize, previousTreeSize } = verified.value;
  const { records, proof, ...roots } = others;
  const added = treeSize - previousTreeSize;
  if (added > blockRecordsBound) return err("The block adds more records than a block may.");
  const parts = records.flatMap(({ recordHash, sealDigest }) => [recordHash, sealDigest]);
  if (![roots.controlRoot, roots.privateRoot, ...parts].every(isHash)) {
    return err("A root, a record hash or a seal digest does not have 32 bytes.");
  }
  const leaves = records.map(({ position, ...leaf }) => {
    return { index: position - previousTreeSize, hash: leafHashOf(leaf) };
  });
  const root = rootOfSubset(added, leaves, proof);
  const proven = root && bodyDigest({ ...roots, leavesRoot: root });
  if (proven === undefined || !equalBytes(proven, header.value.header.bodyDigest)) {
    return err("The proof does not lead from the records to the body digest of the header.");
  }
  return ok(verified.value);
}

function isHash({ length }: Uint8Array): boolean {
  return length === hashBytes;
}
