/**
 * What both roles write for a final block, apart from the block itself, the head and what only one
 * of them keeps:
 *
 *     block id ──▶ height      certificates of the head
 *     position ──▶ record hashes and sealed records      tiles of the Merkle log
 *     changes of members      who attested last, by the certificates
 */
import { fromBinary } from "@bufbuild/protobuf";
import { defined } from "../../base/assert.js";
import { utf8 } from "../../base/bytes.js";
import {
  type Block,
  type BlockCertificates,
  BlockCertificatesSchema,
} from "../../gen/bss/v1/block_pb.js";
import { type ControlOperation, ControlOperationSchema } from "../../gen/bss/v1/genesis_pb.js";
import { encode } from "../../ledger/wire.js";
import { buckets } from "../buckets.js";
import { bucketKey, u64Part } from "../key-codec.js";
import type { WriteOperation } from "../key-value-store.js";
import { segmentWrites } from "./segments.js";
import { damaged } from "./stored-values.js";

/** Where a record stands. */
export type RecordLocation = {
  readonly height: number;
  /** Index of its leaf in the Merkle log. */
  readonly position: number;
  /** 32 bytes. */
  readonly sealDigest: Uint8Array;
};

export type ChainWriteParts = {
  readonly height: number;
  /** 32 bytes. */
  readonly blockId: Uint8Array;
  readonly block: Block;
  readonly certificates: BlockCertificates;
  /** In the order of the leaves. */
  readonly sealedRecords: readonly Uint8Array[];
  /** Records on the ledger after the block. */
  readonly treeSize: number;
  readonly tileWrites: readonly WriteOperation[];
};

export const chainKeys = {
  head: bucketKey(buckets.meta, utf8("head")),
  heightOfBlock: (blockId: Uint8Array) => bucketKey(buckets.heightByBlockId, blockId),
  certificates: (height: number) => bucketKey(buckets.certificate, u64Part(height)),
  /** A block, on storage nodes. */
  storageBlock: (height: number) => bucketKey(buckets.storageBlock, u64Part(height)),
  lastAttested: (nodeId: string) => bucketKey(buckets.lastAttested, utf8(nodeId)),
} as const;

export function chainWrites(parts: ChainWriteParts): WriteOperation[] {
  const { height, blockId, certificates, block, sealedRecords, treeSize } = parts;
  const { leaves } = block;
  return [
    { type: "put", key: chainKeys.heightOfBlock(blockId), value: u64Part(height) },
    {
      type: "put",
      key: chainKeys.certificates(height),
      value: encode(BlockCertificatesSchema, certificates),
    },
    ...certificateWrites(parts),
    ...segmentWrites({ height, first: treeSize - leaves.length, leaves, sealedRecords }),
    ...parts.tileWrites,
    ...membershipWrites(parts),
  ];
}

/** A block carries the certificates of the block before it: they replace this node's own. */
function certificateWrites({ height, block }: ChainWriteParts): WriteOperation[] {
  const bytes = block.previousCertificates;
  if (bytes.length === 0) return [];
  const attested = height - 1;
  const certificates = fromBinary(BlockCertificatesSchema, bytes);
  const writes: WriteOperation[] = [{ type: "delete", key: chainKeys.certificates(attested) }];
  for (const { nodeId } of certificates.integrity?.signatures ?? []) {
    const value = u64Part(attested);
    writes.push({ type: "put", key: chainKeys.lastAttested(nodeId), value });
  }
  return writes;
}

function membershipWrites({ block, height }: ChainWriteParts): WriteOperation[] {
  const operations = controlOf(block);
  return block.control.flatMap((value, i) => {
    if (!changesMembers(defined(operations[i], "each was decoded"))) return [];
    const key = bucketKey(buckets.membership, u64Part(height), u64Part(i));
    return [{ type: "put", key, value }];
  });
}

/** The control operations of a block that was checked. */
export function controlOf({ control }: Block): readonly ControlOperation[] {
  return control.map((bytes) => fromBinary(ControlOperationSchema, bytes));
}

/**
 * Whether an operation changes who belongs, or which managers are active. Participants and meters
 * are state. Suspensions and earnings of storage nodes are in too many blocks for one list.
 */
export function changesMembers({ operation }: ControlOperation): boolean {
  return operation.case !== undefined && membershipCases.has(operation.case);
}

const membershipCases: ReadonlySet<string> = new Set([
  "admitStorageNode",
  "retireStorageNode",
  "registerOfficer",
  "suspendManager",
  "resumeManager",
  "evidence",
] satisfies ControlOperation["operation"]["case"][]);

/** @throws StoreError CORRUPT */
export function decodeU64(bytes: Uint8Array): number {
  if (bytes.length === 8) {
    const value = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0));
    if (Number.isSafeInteger(value)) return value;
  }
  throw damaged("a stored number", "does not decode");
}
