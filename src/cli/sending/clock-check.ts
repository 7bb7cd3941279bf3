/**
 * Compares the clock of this machine with the time of the managers' last block. Documents and
 * trades are recorded with the time of this machine: a wrong time is refused, or stays there.
 */
import type { BssClient } from "../../client/bss-client.js";
import { RpcError } from "../../rpc/rpc-error.js";
import { formatDuration, formatTime } from "../text/output.js";

/** Smaller differences are not reported: a block is a little older than the answer with it. */
const toleranceMs = 60_000;

export type HeadTime = {
  /** Height of the last block; 0 for genesis. */
  readonly height: number;
  /** Unix ms. */
  readonly timestampMs: number;
};

/** When the managers made their last block; undefined when it cannot be had at present. */
export async function headTime(
  client: BssClient,
  height: number,
  timeoutMs: number,
): Promise<HeadTime | undefined> {
  if (height === 0) return { height, timestampMs: client.genesis.timestampMs };
  try {
    const { header } = await client.getBlock({ height }, { timeoutMs });
    return header && { height, timestampMs: Number(header.timestampUnixMs) };
  } catch (error) {
    if (error instanceof RpcError) return undefined;
    throw error;
  }
}

/** Both parts of a message without a full stop. */
type ClockWarning = {
  /** False if the clock is ahead, or the managers make no blocks. */
  readonly isBehind: boolean;
  readonly text: string;
  readonly next: string;
};

/** What is wrong with the clock; undefined if nothing is wrong, or nobody can tell. */
export function clockWarning(
  { height, timestampMs }: HeadTime,
  nowMs: number,
  policy: { readonly heartbeatMs: number; readonly futureBoundMs: number },
): ClockWarning | undefined {
  const aheadMs = nowMs - timestampMs;
  const last = `the last block of the managers was made at ${formatTime(timestampMs)}`;
  if (-aheadMs > Math.max(policy.futureBoundMs, toleranceMs)) {
    const text = `the clock of this machine is ${formatDuration(-aheadMs)} behind: ${last}`;
    return { isBehind: true, text, next: "set the clock" };
  }
  // Without a heartbeat no block is made while nobody submits, and genesis may be a year old.
  if (policy.heartbeatMs === 0 || height === 0) return undefined;
  if (aheadMs <= 2 * policy.heartbeatMs + policy.futureBoundMs + toleranceMs) return undefined;
  const by = formatDuration(aheadMs);
  return {
    isBehind: false,
    text: `the clock of this machine is ${by} ahead, or the managers make no blocks: ${last}`,
    next: "check the clock, and run 'bss status'",
  };
}
