/** The head of a storage node's chain as bytes. */
import { create, toBinary } from "@bufbuild/protobuf";
import { StorageHeadStateSchema } from "../../gen/bss/store/v1/storage_pb.js";
import { Members } from "../../ledger/members/members.js";
import { decodeFrontier, encodeFrontier } from "../../ledger/merkle/frontier.js";
import { blockFacts, factsOf } from "../../ledger/state/head.js";
import type { StorageHead } from "../../ledger/storage-nodes/storage-head.js";
import { decodeCanonical, safeInteger } from "../../ledger/wire.js";

export function encodeStorageHead(head: StorageHead): Uint8Array {
  const { storageBlockId, managerBlockId, facts } = head;
  return toBinary(
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
