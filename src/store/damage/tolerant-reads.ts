/**
 * Reads that look for damage: what is missing, unreadable or does not decode is undefined. A store
 * that can be mended (mendable-store.ts) still reports what it could not read.
 */
import { equalBytes } from "../../base/bytes.js";
import { sha256 } from "../../crypto/hash.js";
import {
  type Block,
  type BlockCertificates,
  BlockCertificatesSchema,
} from "../../gen/bss/v1/block_pb.js";
import { type ParsedBlock, parseBlock } from "../../ledger/blocks/block-parsing.js";
import { chainKeys } from "../chain/chain-writes.js";
import { apartBytesMin } from "../chain/segments.js";
import { type BareBlock, decodeStorageBlock, readWithSealed } from "../chain/stored-blocks.js";
import { getAll, storedMessage } from "../chain/stored-values.js";
import type { KeyValueStore } from "../key-value-store.js";
import { isDamage } from "../store-error.js";

export async function tolerantGet(
  kv: KeyValueStore,
  key: Uint8Array,
): Promise<Uint8Array | undefined> {
  return (await tolerantGetMany(kv, [key]))[0];
}

/** In the order of the keys. */
export async function tolerantGetMany(
  kv: KeyValueStore,
  keys: readonly Uint8Array[],
): Promise<readonly (Uint8Array | undefined)[]> {
  const all = await orUndefined(getAll(kv, keys));
  if (all !== undefined) return all;
  const values: (Uint8Array | undefined)[] = [];
  for (const key of keys) values.push(await orUndefined(kv.get(key)));
  return values;
}

/** The block of a height on a storage node's disk, without its leaves, if its header decodes. */
export async function readBareBlock(
  kv: KeyValueStore,
  height: number,
): Promise<(BareBlock & { readonly storageHeader: Uint8Array }) | undefined> {
  const value = await tolerantGet(kv, chainKeys.storageBlock(height));
  if (value === undefined) return undefined;
  return orUndefined((async () => decodeStorageBlock(value, height))());
}

/** A block with its sealed records; undefined unless all of it is there and is right. */
export async function readWholeBlock(
  kv: KeyValueStore,
  bare: BareBlock,
  height: number,
): Promise<
  { readonly block: ParsedBlock; readonly sealedRecords: readonly Uint8Array[] } | undefined
> {
  const whole = await orUndefined(readWithSealed(kv, bare));
  const block = whole && parseStored(whole.block, height);
  if (whole === undefined || block === undefined) return undefined;
  // The digests of those that stand apart come from the segment.
  const areRight = block.leaves.every(({ sealDigest }, i) => {
    const sealed = whole.sealedRecords[i];
    const isApart = sealed !== undefined && sealed.length >= apartBytesMin;
    return !isApart || equalBytes(sha256(sealed), sealDigest);
  });
  return areRight ? { block, sealedRecords: whole.sealedRecords } : undefined;
}

export function parseStored(block: Block, height: number): ParsedBlock | undefined {
  const parsed = parseBlock(block);
  return parsed.ok && parsed.value.height === height ? parsed.value : undefined;
}

export async function tolerantCertificates(
  kv: KeyValueStore,
  height: number,
): Promise<BlockCertificates | undefined> {
  const bytes = await tolerantGet(kv, chainKeys.certificates(height));
  if (bytes === undefined) return undefined;
  return orUndefined((async () => storedMessage(BlockCertificatesSchema, bytes, "certificates"))());
}

async function orUndefined<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}
