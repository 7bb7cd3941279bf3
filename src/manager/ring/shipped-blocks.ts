/** Final blocks for those who are behind: as many as were asked for, within one message's size. */
import { create, toBinary } from "@bufbuild/protobuf";
import { unsealRecord } from "../../crypto/seal.js";
import {
  CertifiedManagerBlockSchema,
  CertifiedStorageBlockSchema,
} from "../../gen/bss/v1/block_pb.js";
import { type StorageBlocks, StorageBlocksSchema } from "../../gen/bss/v1/verify_integrity_pb.js";
import { type ManagerBlocks, ManagerBlocksSchema } from "../../gen/bss/v1/vote_pb.js";
import type { ManagerStore } from "../../store/manager-store.js";

/** A message stays far below what peers take; a single block may be longer, and travels alone. */
const answerBytesMax = 6 * 1024 * 1024;

export class ShippedBlocks {
  readonly #store: ManagerStore;
  readonly #epochKey: Uint8Array;

  constructor(store: ManagerStore, epochKey: Uint8Array) {
    this.#store = store;
    this.#epochKey = epochKey;
  }

  async forManagers(fromHeight: number, limit: number): Promise<ManagerBlocks> {
    const unseal = (hash: Uint8Array, sealed: Uint8Array) =>
      unsealRecord(this.#epochKey, hash, sealed);
    const blocks = await collect(
      fromHeight,
      limit,
      (height) => this.#store.managerBlockAt(height, unseal),
      (block) => toBinary(CertifiedManagerBlockSchema, block).length,
    );
    return create(ManagerBlocksSchema, { blocks, headHeight: BigInt(this.#store.head.height) });
  }

  async forStorage(fromHeight: number, limit: number): Promise<StorageBlocks> {
    const blocks = await collect(
      fromHeight,
      limit,
      (height) => this.#store.storageBlockAt(height),
      (block) => toBinary(CertifiedStorageBlockSchema, block).length,
    );
    return create(StorageBlocksSchema, { blocks, headHeight: BigInt(this.#store.head.height) });
  }
}

async function collect<T>(
  fromHeight: number,
  limit: number,
  read: (height: number) => Promise<T | undefined>,
  sizeOf: (block: T) => number,
): Promise<T[]> {
  const blocks: T[] = [];
  let byteCount = 0;
  for (let height = fromHeight; blocks.length < limit; height++) {
    const block = height < 1 ? undefined : await read(height);
    if (block === undefined) break;
    byteCount += sizeOf(block);
    if (blocks.length > 0 && byteCount > answerBytesMax) break;
    blocks.push(block);
  }
  return blocks;
}
