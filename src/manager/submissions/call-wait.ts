/** How long a call may wait for a block, and what its caller is told when that is over. */

import { RpcError } from "../../rpc/rpc-error.js";
import type { CallContext } from "../../rpc/server/handlers.js";

/** Time left of a caller's deadline in which the answer must get back to it. */
const deadlineReserveMs = 250;

export type CallWaitOptions = {
  /** For callers that set no deadline. */
  readonly defaultMs: number;
  /** Whatever the caller's deadline is. */
  readonly maxMs: number;
  /** Unix ms. */
  readonly nowMs: number;
};

export type CallWait = {
  readonly ms: number;
  /** Why it ended; what was submitted waits on. */
  readonly ended: RpcError;
};

/** The caller's deadline, less what the answer needs; as far as this node lets a call wait. */
export function callWait(
  { deadlineUnixMs }: Pick<CallContext, "deadlineUnixMs">,
  { defaultMs, maxMs, nowMs }: CallWaitOptions,
): CallWait {
  const leftMs = deadlineUnixMs === undefined ? undefined : deadlineUnixMs - nowMs;
  if (leftMs !== undefined && leftMs - deadlineReserveMs <= maxMs) {
    return { ms: Math.max(0, leftMs - deadlineReserveMs), ended: late("before the deadline") };
  }
  const ms = leftMs === undefined ? Math.min(defaultMs, maxMs) : maxMs;
  const why = leftMs === undefined ? "without a deadline" : "at most";
  return { ms, ended: late(`in the ${ms / 1_000} s that a call waits here ${why}`) };
}

function late(when: string): RpcError {
  const text = `not final ${when}; nothing is lost, try again for the receipt`;
  return new RpcError("DEADLINE", text);
}
