/**
 * The head of a chain on disk: how it is read, what it must agree with when a store is opened, and
 * a storage node's head as bytes. A manager's head as bytes is the ledger's (state/head.ts).
 */
import { create } from "@bufbuild/protobuf";
import { equalBytes } from "../../base/bytes.js";
import { StorageHeadStateSchema } from "../../gen/bss/store/v1/storage_pb.js";
import type { BlockCertificates } from "../../gen/bss/v1/block_pb.js";
import { Members } from "../../ledger/members/members.js";
import { decodeFrontier, encodeFrontier, type Frontier } from "../../ledger/merkle/frontier.js";
import { blockFacts, factsOf } from "../../ledger/state/head.js";
import type { StorageHead } from "../../ledger/storage-nodes/storage-head.js";
import { decodeCanonical, encode, safeInteger } from "../../ledger/wire.js";
import type { KeyValueStore } from "../key-value-store.js";
import type { ChainReads } from "./chain-reads.js";
import { chainKeys } from "./chain-writes.js";
import { readFrontier } from "./merkle-log-store.js";
import { damaged, present } from "./stored-values.js";

/** @throws StoreError CORRUPT when there is no head, or `decode` cannot read it. */
export async function readHead<Head>(
  kv: KeyValueStore,
  decode: (bytes: Uint8Array) => Head | undefined,
): Promise<Head> {
  const bytes = present(await kv.get(chainKeys.head), "the head");
  const head = decode(bytes);
  if (head === undefined) throw damaged("the head", "does not decode");
  return head;
}

/**
 * The certificates of the head block, undefined at height 0.
 *
 * @throws StoreError CORRUPT when the Merkle log or the head's block is not that of the head
 */
export async function checkHead(
  kv: KeyValueStore,
  chain: Pick<ChainReads, "readerHead" | "finalBlock" | "heightOfBlock">,
): Promise<BlockCertificates | undefined> {
  const { height, blockId, frontier } = chain.readerHead;
  if (!isSameLog(await readFrontier(kv, frontier.size), frontier)) {
    throw damaged("the Merkle log", "is not that of the head");
  }
  if (height === 0) return undefined;
  const { certificates } = present(await chain.finalBlock(height), "the head's block");
  if ((await chain.heightOfBlock(blockId)) === height) return certificates;
  throw damaged("the head's block", "is another one than the head names");
}

function isSameLog(a: Frontier, b: Frontier): boolean {
  return equalBytes(encodeFrontier(a), encodeFrontier(b));
}

export function encodeStorageHead(head: StorageHead): Uint8Array {
  const { storageBlockId, managerBlockId, facts } = head;
  return encode(
    StorageHeadStateSchema,
    create(StorageHeadStateSchema, {
      height: BigInt(head.height),
      storageBlockId,
      managerBlockId,
      timestampUnixMs: BigInt(head.timestampMs),
      frontier: encodeFrontier(head.frontier),
      members: head.members.encode(),
      ...(facts && { facts: factsOf(facts), beacon: facts.beacon }),
    }),
  );
}

/** Reads what `encodeStorageHead` wrote; undefined for any other bytes. */
export function decodeStorageHead(bytes: Uint8Array): StorageHead | undefined {
  const state = decodeCanonical(StorageHeadStateSchema, bytes);
  if (state === undefined) return undefined;
  const height = safeInteger(state.height);
  const timestampMs = safeInteger(state.timestampUnixMs);
  const frontier = decodeFrontier(state.frontier);
  const members = Members.decode(state.members);
  if (height === undefined || timestampMs === undefined) return undefined;
  if (!frontier.ok || members === undefined) return undefined;
  if ((height === 0) !== (state.facts === undefined)) return undefined;
  const { storageBlockId, managerBlockId, beacon } = state;
  const place = { height, timestampMs, frontier: frontier.value };
  return {
    ...place,
    storageBlockId,
    managerBlockId,
    members,
    ...(state.facts && {
      facts: blockFacts(state.facts, { ...place, blockId: managerBlockId, beacon }),
    }),
  };
}
