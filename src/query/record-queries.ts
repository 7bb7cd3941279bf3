/** GetReceipt, GetConsistencyProof, and the part of GetRecord that anybody may see. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { hashBytes } from "../crypto/hash.js";
import type {
  GetConsistencyProofRequest,
  GetConsistencyProofResponseSchema,
  GetReceiptRequest,
  GetReceiptResponseSchema,
  GetRecordRequest,
  RecordEntrySchema,
} from "../gen/bss/v1/query_pb.js";
import { blockId } from "../ledger/blocks/block-hashes.js";
import { RpcError } from "../rpc/rpc-error.js";
import { fieldError, rangeError, requireBytes, requireSafeInteger } from "../rpc/validation.js";
import type { LedgerReader } from "../store/chain/chain-reads.js";
import type { RecordLocation } from "../store/chain/chain-writes.js";
import { confirmationsOf, storedBlock, storedHeader } from "./block-views.js";

/** @throws RpcError FIELD_INVALID, RECORD_UNKNOWN */
export async function getReceipt(
  reader: LedgerReader,
  request: GetReceiptRequest,
): Promise<MessageInitShape<typeof GetReceiptResponseSchema>> {
  const recordHash = requireBytes(request.recordHash, hashBytes, "record_hash");
  const { height, position, sealDigest } = await requireRecord(reader, recordHash);
  const headHeight = reader.readerHead.height;
  const { block, certificates } = await storedBlock(reader, height, { leaves: false });
  const { timestampMs, treeSize } = storedHeader(block);
  const { commit, integrity } = certificates;
  const before = height > 1 ? await storedBlock(reader, height - 1, { leaves: false }) : undefined;
  return {
    receipt: {
      recordHash,
      height: BigInt(height),
      blockId: blockId(block.header),
      timeUnixMs: BigInt(timestampMs),
      confirmations: confirmationsOf(height, headHeight),
      position: BigInt(position),
      sealDigest,
      inclusionProof: [...(await reader.inclusionProof(position, treeSize))],
      header: block.header,
      ...(commit === undefined ? {} : { commitCertificate: commit }),
      storageAttestations: integrity?.signatures.length ?? 0,
      ...(before === undefined ? {} : { previousHeader: before.block.header }),
    },
  };
}

/**
 * Hash, place and seal digest of a record: what every caller may see.
 *
 * @throws RpcError FIELD_INVALID, RECORD_UNKNOWN
 */
export async function publicRecordEntry(
  reader: LedgerReader,
  request: Pick<GetRecordRequest, "recordHash">,
): Promise<MessageInitShape<typeof RecordEntrySchema>> {
  const recordHash = requireBytes(request.recordHash, hashBytes, "record_hash");
  const { height, position, sealDigest } = await requireRecord(reader, recordHash);
  return { recordHash, height: BigInt(height), position: BigInt(position), sealDigest };
}

/** @throws RpcError FIELD_INVALID, RANGE_INVALID */
export async function getConsistencyProof(
  reader: LedgerReader,
  request: GetConsistencyProofRequest,
): Promise<MessageInitShape<typeof GetConsistencyProofResponseSchema>> {
  const size = reader.readerHead.frontier.size;
  const fromSize = requireSafeInteger(request.fromTreeSize, "from_tree_size");
  if (fromSize === 0) throw fieldError("from_tree_size", "expected at least 1");
  const wanted = requireSafeInteger(request.toTreeSize, "to_tree_size");
  if (wanted !== 0 && wanted < fromSize) {
    throw rangeError("to_tree_size", `lies before from_tree_size, ${fromSize}`);
  }
  const toSize = wanted === 0 ? size : wanted;
  if (toSize > size) throw rangeError("to_tree_size", `the ledger's tree size is ${size}`);
  if (fromSize > size) throw rangeError("from_tree_size", `the ledger's tree size is ${size}`);
  return {
    fromTreeSize: BigInt(fromSize),
    toTreeSize: BigInt(toSize),
    fromRoot: await reader.rootAt(fromSize),
    toRoot: await reader.rootAt(toSize),
    proof: [...(await reader.consistencyProof(fromSize, toSize))],
  };
}

async function requireRecord(reader: LedgerReader, hash: Uint8Array): Promise<RecordLocation> {
  const location = await reader.location(hash);
  if (location !== undefined) return location;
  throw new RpcError("RECORD_UNKNOWN", "no record with this hash is on the ledger", {
    field: "record_hash",
  });
}
