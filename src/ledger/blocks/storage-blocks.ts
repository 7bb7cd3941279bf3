/**
 * Blocks of the storage chain. Each is cross-linked, height for height, with the managers' block
 * whose records it keeps: it names that block, and its HASH2, which the storage node computed over
 * its own log, equals that block's HASH1.
 */
import { create } from "@bufbuild/protobuf";
import { domain, taggedHash } from "../../crypto/hash.js";
import { type StorageBlockHeader, StorageBlockHeaderSchema } from "../../gen/bss/v1/block_pb.js";
import { encode } from "../wire.js";
import type { ParsedBlock } from "./block-parsing.js";

export type BuiltStorageHeader = {
  readonly header: StorageBlockHeader;
  readonly headerBytes: Uint8Array;
  /** 32 bytes. */
  readonly storageBlockId: Uint8Array;
};

/** SHA-256("bss/v1/storage-block" ‖ header_bytes), 32 bytes. */
export function storageBlockId(headerBytes: Uint8Array): Uint8Array {
  return taggedHash(domain.storageBlock, headerBytes);
}

/** The storage header that goes with a managers' block. */
export function buildStorageBlockHeader(parts: {
  /** The managers' block of the same height. */
  readonly block: Pick<ParsedBlock, "blockId" | "header" | "height" | "controlRoot" | "leavesRoot">;
  /** 32 bytes; the consortium id for the first block. */
  readonly previousStorageBlockId: Uint8Array;
  /** 32 bytes: root of this node's log with the block's leaves. */
  readonly hash2: Uint8Array;
  readonly treeSize: number;
}): BuiltStorageHeader {
  const { block, previousStorageBlockId, hash2, treeSize } = parts;
  const { controlRoot, leavesRoot, header: managerHeader } = block;
  const header = create(StorageBlockHeaderSchema, {
    consortiumId: managerHeader.consortiumId,
    height: BigInt(block.height),
    previousStorageBlockId,
    managerBlockId: block.blockId,
    hash2,
    treeSize: BigInt(treeSize),
    controlRoot,
    leavesRoot,
  });
  const headerBytes = encode(StorageBlockHeaderSchema, header);
  return { header, headerBytes, storageBlockId: storageBlockId(headerBytes) };
}
