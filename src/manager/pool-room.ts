/** What a caller is told whose submission finds no room in the pool. */
import { toHex } from "../base/bytes.js";
import type { Submission } from "../gen/bss/v1/record_pb.js";
import { memoryBytesOf, submissionId } from "../ledger/submissions.js";
import { RpcError } from "../rpc/rpc-error.js";
import type { Pool } from "./pool.js";

/**
 * Before any work on it, unless it is one that waits here already.
 *
 * @throws RpcError POOL_FULL or POOL_SHARE_FULL
 */
export function refuseWithoutRoom(
  pool: Pick<Pool, "roomFor" | "has">,
  callerId: string,
  message: Submission | undefined,
): void {
  if (message === undefined) return;
  const room = pool.roomFor(callerId, memoryBytesOf(message));
  if (room === "room" || pool.has(toHex(submissionId(message.header, message.signature)))) return;
  throw noRoom(room);
}

export function noRoom(room: "full" | "share"): RpcError {
  if (room === "full") {
    return new RpcError("POOL_FULL", "the pool of submissions that wait to be ordered is full");
  }
  const text = "the participant has as much in the pool as it may; it is ordered in turn";
  return new RpcError("POOL_SHARE_FULL", text);
}
