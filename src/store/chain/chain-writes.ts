/**
 * What both roles write for a final block, apart from the block itself, the head and what only one
 * of them keeps:
 *
 *     block id ──▶ height ──▶ certificates
 *     record hash ──▶ height, position, seal digest     position ──▶ record hash, sealed record
 *     nodes of the Merkle log      changes of members      who attested last, by the certificates
 */

import { assert, defined } from "../../base/assert.js";
import { concatBytes, utf8 } from "../../base/bytes.js";
import { hashBytes } from "../../crypto/hash.js";
import {
  type Block,
  type BlockCertificates,
  BlockCertificatesSchema,
} from "../../gen/bss/v1/block_pb.js";
import { type ControlOperation, ControlOperationSchema } from "../../gen/bss/v1/genesis_pb.js";
import type { StoredNode } from "../../ledger/merkle/nodes.js";
import { decode, encode } from "../../ledger/wire-codec.js";
import { buckets } from "../buckets.js";
import { bucketKey, u64Part } from "../key-codec.js";
import type { WriteOperation } from "../key-value-store.js";
import { merkleNodeWrites } from "./merkle-log-store.js";
import { damaged } from "./stored-values.js";

/** Where a record stands. */
export type RecordLocation = {
  readonly height: number;
  /** Index of its leaf in the Merkle log. */
  readonly position: number;
  /** 32 bytes. */
  readonly sealDigest: Uint8Array;
};

export type SealedRecord = {
  /** 32 bytes. */
  readonly recordHash: Uint8Array;
  readonly sealed: Uint8Array;
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
  readonly newNodes: readonly StoredNode[];
};

export const chainKeys = {
  head: bucketKey(buckets.meta, utf8("head")),
  heightOfBlock: (blockId: Uint8Array) => bucketKey(buckets.heightByBlockId, blockId),
  certificates: (height: number) => bucketKey(buckets.certificate, u64Part(height)),
  location: (recordHash: Uint8Array) => bucketKey(buckets.recordLocation, recordHash),
  sealed: (position: number) => bucketKey(buckets.sealedRecord, u64Part(position)),
  /** A block, on storage nodes. */
  storageBlock: (height: number) => bucketKey(buckets.storageBlock, u64Part(height)),
  lastAttested: (nodeId: string) => bucketKey(buckets.lastAttested, utf8(nodeId)),
} as const;

export function chainWrites(parts: ChainWriteParts): WriteOperation[] {
  const { height, blockId, certificates } = parts;
  return [
    { type: "put", key: chainKeys.heightOfBlock(blockId), value: u64Part(height) },
    {
      type: "put",
      key: chainKeys.certificates(height),
      value: encode(BlockCertificatesSchema, certificates),
    },
    ...canonicalCertificateWrites(parts),
    ...recordWrites(parts),
    ...merkleNodeWrites(parts.newNodes),
    ...membershipWrites(parts),
  ];
}

/** A block carries the certificates of the block before it: they replace this node's own. */
function canonicalCertificateWrites({ height, block }: ChainWriteParts): WriteOperation[] {
  const bytes = block.previousCertificates;
  if (bytes.length === 0) return [];
  const attested = height - 1;
  const certificates = decode(BlockCertificatesSchema, bytes);
  const writes: WriteOperation[] = [
    { type: "put", key: chainKeys.certificates(attested), value: bytes },
  ];
  for (const { nodeId } of certificates.integrity?.signatures ?? []) {
    const value = u64Part(attested);
    writes.push({ type: "put", key: chainKeys.lastAttested(nodeId), value });
  }
  return writes;
}

function recordWrites(parts: ChainWriteParts): WriteOperation[] {
  const { block, height, sealedRecords, treeSize } = parts;
  const { leaves } = block;
  assert(sealedRecords.length === leaves.length, "each leaf has its sealed record");
  const first = treeSize - leaves.length;
  return leaves.flatMap(({ recordHash, sealDigest }, i) => {
    const position = first + i;
    const sealed = defined(sealedRecords[i], "each leaf has its sealed record");
    const location = concatBytes(u64Part(height), u64Part(position), sealDigest);
    const value = concatBytes(recordHash, sealed);
    return [
      { type: "put", key: chainKeys.location(recordHash), value: location },
      { type: "put", key: chainKeys.sealed(position), value },
    ];
  });
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
  return control.map((bytes) => decode(ControlOperationSchema, bytes));
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
export function decodeLocation(bytes: Uint8Array): RecordLocation {
  if (bytes.length !== 16 + hashBytes) throw damaged("a record's location", "does not decode");
  return {
    height: decodeU64(bytes.subarray(0, 8)),
    position: decodeU64(bytes.subarray(8, 16)),
    sealDigest: bytes.subarray(16),
  };
}

/** @throws StoreError CORRUPT */
export function decodeSealed(bytes: Uint8Array): SealedRecord {
  if (bytes.length < hashBytes) throw damaged("a sealed record", "does not decode");
  return { recordHash: bytes.subarray(0, hashBytes), sealed: bytes.subarray(hashBytes) };
}

/** @throws StoreError CORRUPT */
export function decodeU64(bytes: Uint8Array): number {
  if (bytes.length === 8) {
    const value = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0));
    if (Number.isSafeInteger(value)) return value;
  }
  throw damaged("a stored number", "does not decode");
}
