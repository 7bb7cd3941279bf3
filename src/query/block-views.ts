/** Final blocks as the API shows them. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { assert, defined } from "../base/assert.js";
import { emptyBytes } from "../base/bytes.js";
import {
  ApprovalCertificateSchema,
  type Block,
  type BlockCertificates,
  BlockCertificatesSchema,
  BlockSchema,
  CommitCertificateSchema,
  IntegrityCertificateSchema,
} from "../gen/bss/v1/block_pb.js";
import type { BlockSummarySchema } from "../gen/bss/v1/broadcast_pb.js";
import type { BlockViewSchema } from "../gen/bss/v1/query_pb.js";
import { blockId } from "../ledger/blocks/block-hashes.js";
import { parseHeader } from "../ledger/blocks/block-parsing.js";
import type { BlockParts, FinalBlock, LedgerReader } from "../store/chain/chain-reads.js";

export type BlockView = MessageInitShape<typeof BlockViewSchema>;
export type BlockSummary = MessageInitShape<typeof BlockSummarySchema>;

type ViewOptions = {
  readonly height: number;
  /** Height of the answering node's head. */
  readonly headHeight: number;
  /** Leaves out leaves, control operations and certificates' signatures. */
  readonly headersOnly: boolean;
};

export function blockView(
  { block, certificates, storageHeader }: FinalBlock,
  { height, headHeight, headersOnly }: ViewOptions,
): BlockView {
  return {
    height: BigInt(height),
    blockId: blockId(block.header),
    block: headersOnly ? withoutBody(block) : block,
    certificates: headersOnly ? withoutSignatures(certificates) : certificates,
    header: storedHeader(block).header,
    confirmations: confirmationsOf(height, headHeight),
    ...(storageHeader === undefined ? {} : { storageHeader }),
  };
}

/** A block in the answer to a submission. */
export function blockSummary(
  { block, certificates }: FinalBlock,
  { height, headHeight }: Pick<ViewOptions, "height" | "headHeight">,
): BlockSummary {
  const { commit, integrity } = certificates;
  return {
    height: BigInt(height),
    blockId: blockId(block.header),
    timestampUnixMs: BigInt(storedHeader(block).timestampMs),
    confirmations: confirmationsOf(height, headHeight),
    managerSignatures: commit?.signatures.length ?? 0,
    storageAttestations: integrity?.signatures.length ?? 0,
    header: block.header,
    ...(commit === undefined ? {} : { commitCertificate: commit }),
  };
}

/** Blocks from this one to the head, both included. */
export function confirmationsOf(height: number, headHeight: number): bigint {
  return BigInt(headHeight - height + 1);
}

/** The decoded header of a block that was checked when it was appended. */
export function storedHeader(block: Block) {
  const parsed = parseHeader(block.header);
  assert(parsed.ok, "the header of a stored block decodes");
  return parsed.value;
}

/** The block of a height from 1 to the head: every one of them is stored. */
export async function storedBlock(
  reader: Pick<LedgerReader, "finalBlock">,
  height: number,
  parts?: BlockParts,
): Promise<FinalBlock> {
  return defined(await reader.finalBlock(height, parts), "every block up to the head is stored");
}

/** About as many bytes as the block has on the wire, without encoding it. */
export function wireBytes({ block, certificates }: FinalBlock, headersOnly: boolean): number {
  const header = 2 * block.header.length + overheadBytes;
  if (headersOnly) return header;
  const signatures =
    (certificates.approval?.signatures.length ?? 0) +
    (certificates.commit?.signatures.length ?? 0) +
    (certificates.integrity?.signatures.length ?? 0);
  const control = block.control.reduce((sum, operation) => sum + operation.length + 4, 0);
  const parts = block.leaves.length * leafBytes + signatures * signatureEntryBytes + control;
  return header + block.previousCertificates.length + parts;
}

const leafBytes = 72;
const signatureEntryBytes = 172;
const overheadBytes = 512;

function withoutBody({ header, privateRoot }: Block): Block {
  return create(BlockSchema, { header, privateRoot, previousCertificates: emptyBytes });
}

/** What each certificate is about, without who signed it. */
function withoutSignatures({ approval, integrity, commit }: BlockCertificates): BlockCertificates {
  return create(BlockCertificatesSchema, {
    ...(approval && {
      approval: create(ApprovalCertificateSchema, {
        height: approval.height,
        blockId: approval.blockId,
      }),
    }),
    ...(integrity && {
      integrity: create(IntegrityCertificateSchema, {
        height: integrity.height,
        round: integrity.round,
        blockId: integrity.blockId,
        hash2: integrity.hash2,
        treeSize: integrity.treeSize,
      }),
    }),
    ...(commit && {
      commit: create(CommitCertificateSchema, {
        height: commit.height,
        round: commit.round,
        blockId: commit.blockId,
      }),
    }),
  });
}
