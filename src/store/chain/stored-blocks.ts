/**
 * A block as it is stored: without its leaves, which follow from its sealed records (segments.ts),
 * but with their number in front:
 *
 *     number of leaves ‖ encoded block
 *
 * A block that is put together again is held against the digest in its header. So one whose
 * records are damaged, or another block's, is never taken for the block.
 */
import { create } from "@bufbuild/protobuf";
import { defined } from "../../base/assert.js";
import { equalBytes } from "../../base/bytes.js";
import { putVarint, varintBytes } from "../../base/varint.js";
import { StorageBlockStateSchema } from "../../gen/bss/store/v1/storage_pb.js";
import { type Block, BlockSchema, type Leaf } from "../../gen/bss/v1/block_pb.js";
import { bodyDigest, controlRoot, leafOf, leavesRoot } from "../../ledger/blocks/block-hashes.js";
import { blockRecordsBound, parseHeader } from "../../ledger/blocks/block-parsing.js";
import { encode } from "../../ledger/wire.js";
import type { KeyValueStore } from "../key-value-store.js";
import { readSegmentsOf, sealedIn } from "./sealed-records.js";
import { damaged, present, storedMessage } from "./stored-values.js";
import { StoredReader } from "./varint.js";

/** A block without its leaves. */
export type BareBlock = {
  readonly block: Block;
  readonly leafCount: number;
};

export function withoutLeaves({
  header,
  control,
  privateRoot,
  previousCertificates,
}: Block): Block {
  return create(BlockSchema, { header, control, privateRoot, previousCertificates });
}

export function withLeaves(bare: Block, leaves: Leaf[]): Block {
  const { header, control, privateRoot, previousCertificates } = bare;
  return create(BlockSchema, { header, control, leaves, privateRoot, previousCertificates });
}

/** The value of a block that is stored as this message. */
export function encodeBare(leafCount: number, message: Uint8Array): Uint8Array {
  const value = new Uint8Array(varintBytes(leafCount) + message.length);
  value.set(message, putVarint(value, 0, leafCount));
  return value;
}

/** @throws StoreError CORRUPT */
export function decodeBare(
  value: Uint8Array,
  what: string,
): { readonly leafCount: number; readonly message: Uint8Array } {
  const reader = new StoredReader(value, what);
  const leafCount = reader.varint();
  return { leafCount, message: reader.rest() };
}

/** A storage node's block as it is stored. `header`: exact bytes of the StorageBlockHeader. */
export function encodeStorageBlock(block: Block, header: Uint8Array): Uint8Array {
  const state = create(StorageBlockStateSchema, { header, block: withoutLeaves(block) });
  return encodeBare(block.leaves.length, encode(StorageBlockStateSchema, state));
}

/** @throws StoreError CORRUPT */
export function decodeStorageBlock(
  value: Uint8Array,
  height: number,
): BareBlock & { readonly storageHeader: Uint8Array } {
  const what = `block ${height}`;
  const { leafCount, message } = decodeBare(value, what);
  const { block, header } = storedMessage(StorageBlockStateSchema, message, what);
  return { block: present(block, what), leafCount, storageHeader: header };
}

type Reads = Pick<KeyValueStore, "getMany" | "range">;

/** @throws StoreError CORRUPT */
export async function readLeaves(kv: Reads, bare: BareBlock): Promise<Block> {
  return (await readWhole(kv, bare)).block;
}

/** The block with its leaves, and its sealed records in their order. @throws StoreError CORRUPT */
export async function readWithSealed(
  kv: Reads,
  bare: BareBlock,
): Promise<{ readonly block: Block; readonly sealedRecords: Uint8Array[] }> {
  const { block, segments, first } = await readWhole(kv, bare);
  const positions = block.leaves.map((_, i) => first + i);
  const records = await sealedIn(kv, segments, positions);
  const sealedRecords = records.map((record) => defined(record, "it is in a segment").sealed);
  return { block, sealedRecords };
}

async function readWhole(kv: Reads, bare: BareBlock) {
  const { height, treeSize } = headerOf(bare);
  const first = treeSize - bare.leafCount;
  const segments = await readSegmentsOf(kv, first, treeSize);
  const leaves: Leaf[] = [];
  for (const segment of segments) {
    for (let position = segment.first; position < segment.end; position += 1) {
      const recordHash = segment.recordHash(position);
      leaves.push(leafOf(recordHash, segment.sealDigest(position)));
    }
  }
  const block = withLeaves(bare.block, leaves);
  if (leaves.length === bare.leafCount && hasBody(block)) return { block, segments, first };
  throw damaged(`block ${height}, or one of its sealed records,`, "is not what the header says");
}

/** @throws StoreError CORRUPT */
function headerOf({ block, leafCount }: BareBlock) {
  const parsed = parseHeader(block.header);
  if (!parsed.ok) throw damaged("the header of a stored block", "does not decode");
  const { height, treeSize } = parsed.value;
  if (leafCount > Math.min(treeSize, blockRecordsBound)) {
    throw damaged(`block ${height}`, "has too many leaves");
  }
  return parsed.value;
}

function hasBody({ header, control, leaves, privateRoot }: Block): boolean {
  const parsed = parseHeader(header);
  const roots = {
    controlRoot: controlRoot(control),
    leavesRoot: leavesRoot(leaves),
    privateRoot,
  };
  return parsed.ok && equalBytes(parsed.value.header.bodyDigest, bodyDigest(roots));
}
