/**
 * Final blocks on their way to a node that is behind: read from the store for others, as many as
 * were asked for within one message's size; and read from the answers of other managers, as far as
 * that is possible without the state.
 */
import { create } from "@bufbuild/protobuf";
import { unsealRecord } from "../../crypto/seal.js";
import {
  type Block,
  type BlockCertificates,
  BlockCertificatesSchema,
  type ManagerBlock,
} from "../../gen/bss/v1/block_pb.js";
import { type StorageBlocks, StorageBlocksSchema } from "../../gen/bss/v1/verify_integrity_pb.js";
import {
  type FetchManagerBlocks,
  type ManagerBlocks,
  ManagerBlocksSchema,
} from "../../gen/bss/v1/vote_pb.js";
import { headerBytesMax, parseHeader } from "../../ledger/blocks/block-parsing.js";
import { encode } from "../../ledger/wire.js";
import type { ManagerStore } from "../../store/manager-store.js";
import type { SyncAnswer } from "../../sync/sync-events.js";
import type { SyncBlock } from "../../sync/sync-window.js";

/** A message stays far below what peers take; a single block may be longer, and travels alone. */
const answerBytesMax = 6 * 1024 * 1024;
const blocksPerAnswerMax = 100;
/** Two hashes with tag and length, in a leaf with tag and length; tag and length of a part. */
const leafBytes = 70;
const fieldBytes = 5;

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
      ({ block, certificates }) => {
        const { records = [], privateEntries = [] } = block ?? {};
        return shippedBytes(block?.block, certificates, [...records, ...privateEntries]);
      },
    );
    return create(ManagerBlocksSchema, { blocks, headHeight: BigInt(this.#store.head.height) });
  }

  async forStorage(fromHeight: number, limit: number): Promise<StorageBlocks> {
    const blocks = await collect(
      fromHeight,
      limit,
      (height) => this.#store.storageBlockAt(height),
      ({ block, certificates, sealedRecords }) => shippedBytes(block, certificates, sealedRecords),
    );
    return create(StorageBlocksSchema, { blocks, headHeight: BigInt(this.#store.head.height) });
  }
}

/** The height and number of what a peer asks for; no block is at height 0. */
export function rangeOf({
  fromHeight,
  limit,
}: Pick<FetchManagerBlocks, "fromHeight" | "limit">): readonly [number, number] {
  const from = fromHeight > BigInt(Number.MAX_SAFE_INTEGER) ? 0 : Number(fromHeight);
  return [from, Math.min(Math.max(1, limit), blocksPerAnswerMax)];
}

/**
 * How long a block is on its way, at most: encoding it to find out would take as long as
 * sending it.
 */
export function shippedBytes(
  block: Block | undefined,
  certificates: BlockCertificates | undefined,
  parts: readonly Uint8Array[],
): number {
  const { control = [], leaves = [], previousCertificates = new Uint8Array() } = block ?? {};
  const bytes = [...control, ...parts].reduce((sum, { length }) => sum + fieldBytes + length, 0);
  const own = certificates === undefined ? 0 : encode(BlockCertificatesSchema, certificates).length;
  return headerBytesMax + bytes + leaves.length * leafBytes + previousCertificates.length + own;
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

export type ShippedManagerBlock = SyncBlock & {
  readonly block: ManagerBlock;
  readonly certificates: BlockCertificates;
};

/** A leaf with what a decoded message needs around it. */
const decodedLeafBytes = 256;
/** Header, certificates, and what they need around them. */
const frameBytes = 4_096;

/** The blocks of an answer up to the first one that cannot be read. */
export function readAnswer(
  peer: string,
  { blocks, headHeight }: ManagerBlocks,
): Omit<SyncAnswer<ShippedManagerBlock>, "kind"> {
  const read: ShippedManagerBlock[] = [];
  const height = headHeight <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(headHeight) : 0;
  for (const { block, certificates } of blocks) {
    const header = block?.block && parseHeader(block.block.header);
    if (block === undefined || certificates === undefined || !header?.ok) {
      const malformed = "a block without its parts";
      return { peer, blocks: read, headHeight: height, malformed };
    }
    const shipped = { block, certificates, byteCount: byteCountOf(block) };
    read.push({ height: header.value.height, ...shipped });
  }
  return { peer, blocks: read, headHeight: height };
}

function byteCountOf({ block, records, privateEntries }: ManagerBlock): number {
  const bytes = [...records, ...privateEntries].reduce((sum, { length }) => sum + length, 0);
  return frameBytes + bytes + (block?.leaves.length ?? 0) * decodedLeafBytes;
}
