/** How long a call may wait for a block, and what its caller is told when that is over. */

import { RpcError } from "../../rpc/rpc-error.js";
import type { CallContext } from "../../rpc/server/handlers.js";

/**
 * Time left of a caller's deadline in which the answer must get back to it: on a busy machine it
 * takes longer, and whoever waits for long loses little by it.
 */
const deadlineReserve = { part: 1 / 50, leastMs: 250, mostMs: 2_000 } as const;

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
  /** Why it ended; what was submitted waits on. Made when it is needed, as errors are dear. */
  ended(): RpcError;
};

/** The caller's deadline, less what the answer needs; as far as this node lets a call wait. */
export function callWait(
  { deadlineUnixMs }: Pick<CallContext, "deadlineUnixMs">,
  { defaultMs, maxMs, nowMs }: CallWaitOptions,
): CallWait {
  const leftMs = deadlineUnixMs === undefined ? undefined : deadlineUnixMs - nowMs;
  const waitMs = leftMs === undefined ? undefined : leftMs - reserveMs(leftMs);
  if (waitMs !== undefined && waitMs <= maxMs) {
    return { ms: Math.max(0, waitMs), ended: () => late("before the deadline") };
  }
  const ms = leftMs === undefined ? Math.min(defaultMs, maxMs) : maxMs;
  const why = leftMs === undefined ? "without a deadline" : "at most";
  return { ms, ended: () => late(`in the ${ms / 1_000} s that a call waits here ${why}`) };
}

function reserveMs(leftMs: number): number {
  const { part, leastMs, mostMs } = deadlineReserve;
  return Math.min(Math.max(Math.ceil(leftMs * part), leastMs), mostMs);
}

function late(when: string): RpcError {
  const text = `not final ${when}; nothing is lost, try again for the receipt`;
  return new RpcError("DEADLINE", text);
}
