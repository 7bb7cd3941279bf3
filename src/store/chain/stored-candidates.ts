/**
 * A storage node's candidate as it is stored until its height is decided: in one value, as what was
 * attested must be there whole. Its leaves are left out, as in a stored block (stored-blocks.ts):
 *
 *     length ‖ block without leaves ‖ number of records
 *     ‖ record hash and length of each ‖ sealed records
 */
import { defined } from "../../base/assert.js";
import { putVarint, varintBytes } from "../../base/varint.js";
import { hashBytes, sha256 } from "../../crypto/hash.js";
import { type Block, BlockSchema } from "../../gen/bss/v1/block_pb.js";
import { leafOf } from "../../ledger/blocks/block-hashes.js";
import { encode } from "../../ledger/wire.js";
import { withLeaves, withoutLeaves } from "./stored-blocks.js";
import { storedMessage } from "./stored-values.js";
import { StoredReader } from "./varint.js";

export type StoredCandidate = {
  readonly block: Block;
  /** In the order of the leaves. */
  readonly sealedRecords: readonly Uint8Array[];
};

export function encodeCandidate({ block, sealedRecords }: StoredCandidate): Uint8Array {
  const { leaves } = block;
  const bare = encode(BlockSchema, withoutLeaves(block));
  let length = varintBytes(bare.length) + bare.length + varintBytes(leaves.length);
  for (const sealed of sealedRecords) {
    length += hashBytes + varintBytes(sealed.length) + sealed.length;
  }
  const value = new Uint8Array(length);
  let at = putVarint(value, 0, bare.length);
  value.set(bare, at);
  at = putVarint(value, at + bare.length, leaves.length);
  for (let i = 0; i < leaves.length; i += 1) {
    value.set(defined(leaves[i], "a leaf").recordHash, at);
    const sealed = defined(sealedRecords[i], "each leaf has its sealed record");
    at = putVarint(value, at + hashBytes, sealed.length);
  }
  for (const sealed of sealedRecords) {
    value.set(sealed, at);
    at += sealed.length;
  }
  return value;
}

/** @throws StoreError CORRUPT */
export function decodeCandidate(value: Uint8Array): StoredCandidate {
  const reader = new StoredReader(value, "a candidate");
  const bare = storedMessage(BlockSchema, reader.take(reader.varint()), "a candidate");
  const count = reader.varint();
  if (count * hashBytes > reader.left) throw reader.damage();
  const heads = Array.from({ length: count }, () => {
    return { recordHash: reader.take(hashBytes), length: reader.varint() };
  });
  const sealedRecords = heads.map(({ length }) => reader.take(length));
  if (reader.left > 0) throw reader.damage();
  const leaves = heads.map(({ recordHash }, i) => {
    const sealed = defined(sealedRecords[i], "each leaf has its sealed record");
    return leafOf(recordHash, sha256(sealed));
  });
  return { block: withLeaves(bare, leaves), sealedRecords };
}
