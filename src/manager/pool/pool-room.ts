/** What a caller is told whose submission finds no room in the pool. */
import { toHex } from "../../base/bytes.js";
import type { Policy } from "../../gen/bss/v1/genesis_pb.js";
import type { Submission } from "../../gen/bss/v1/record_pb.js";
import { recordHash } from "../../ledger/records/records.js";
import { memoryBytesOf, submissionId } from "../../ledger/records/submissions.js";
import { RpcError } from "../../rpc/rpc-error.js";
import type { RecordLocation } from "../../store/chain/chain-writes.js";
import type { Pool } from "./pool.js";

export type RoomPorts = {
  readonly pool: Pick<Pool, "roomFor" | "has">;
  /** 32 bytes. */
  readonly consortiumId: Uint8Array;
  readonly policy: Pick<Policy, "recordBytesMax">;
  readonly locate: (
    recordHashes: readonly Uint8Array[],
  ) => Promise<readonly (RecordLocation | undefined)[]>;
};

/**
 * Before any work on it. Needs no room: what waits here already, and what has its first or last
 * record on the ledger, as its submitter may ask for the places of what is final. The second says
 * false: what is new of it was not let in.
 *
 * @throws RpcError POOL_FULL or POOL_SHARE_FULL
 */
export async function hasRoom(
  { pool, consortiumId, policy, locate }: RoomPorts,
  callerId: string,
  message: Submission | undefined,
): Promise<boolean> {
  if (message === undefined) return true;
  const room = pool.roomFor(callerId, memoryBytesOf(message));
  if (room === "room" || pool.has(toHex(submissionId(message.header, message.signature)))) {
    return true;
  }
  const [first, last] = [message.records.at(0), message.records.at(-1)];
  const hashes = [first, last].flatMap((bytes) => {
    const isShort = bytes !== undefined && bytes.length <= policy.recordBytesMax;
    return isShort ? [recordHash(consortiumId, bytes)] : [];
  });
  const locations = await locate(hashes);
  if (locations.some((location) => location !== undefined)) return false;
  throw noRoom(room);
}

export function noRoom(room: "full" | "share"): RpcError {
  if (room === "full") {
    return new RpcError("POOL_FULL", "the pool of submissions that wait to be ordered is full");
  }
  const text = "the participant has as much in the pool as it may; it is ordered in turn";
  return new RpcError("POOL_SHARE_FULL", text);
}
