/**
 * Reads that look for damage: what is missing, unreadable or does not decode is undefined. A store
 * that can be mended (mendable-store.ts) still reports what it could not read.
 */
import { StorageBlockStateSchema } from "../../gen/bss/store/v1/storage_pb.js";
import {
  type Block,
  type BlockCertificates,
  BlockCertificatesSchema,
} from "../../gen/bss/v1/block_pb.js";
import { type ParsedBlock, parseBlock } from "../../ledger/blocks/block-parsing.js";
import { chainKeys } from "../chain/chain-writes.js";
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

/** The block of a height on a storage node's disk; undefined unless it is whole. */
export async function readStoredBlock(
  kv: KeyValueStore,
  height: number,
): Promise<{ readonly block: ParsedBlock; readonly storageHeader: Uint8Array } | undefined> {
  const bytes = await tolerantGet(kv, chainKeys.storageBlock(height));
  if (bytes === undefined) return undefined;
  return orUndefined(
    (async () => {
      const state = storedMessage(StorageBlockStateSchema, bytes, `block ${height}`);
      const block = state.block && parseStored(state.block, height);
      return block && { block, storageHeader: state.header };
    })(),
  );
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
