/** One load on one consortium, measured: speed, latency, and what it cost each kind of node. */

import { startLoop } from "../../src/cli/bench/loop.js";
import type { BssClient } from "../../src/client/index.js";
import type { OwnConsortium } from "../own-consortium.js";
import { type Estimate, quantileEstimate, ratioEstimate, sum } from "../report/statistics.js";
import { type Role, roles, takeSnapshot, usedBetween } from "../usage/snapshot.js";
import type { Load } from "./load.js";
import { type Observed, observe } from "./observe.js";

export type LoadOptions = {
  readonly load: Load;
  readonly records: (count: number) => readonly Uint8Array[];
  readonly warmUpMs: number;
  readonly windowMs: number;
  /** The longest time to wait for what is unanswered at the end. */
  readonly drainMsMax: number;
};

export type LoadResult = {
  readonly load: Load;
  readonly recordBytes: number;
  /** Submissions due within the time that was measured. */
  readonly submissions: number;
  /** Records final within that time, and the seconds of it. */
  readonly records: number;
  readonly seconds: number;
  readonly recordsPerS: Estimate;
  readonly p50Ms: Estimate;
  /** Absent with fewer than 20 submissions, p99 with fewer than 100: it would be their largest. */
  readonly p95Ms?: Estimate | undefined;
  readonly p99Ms?: Estimate | undefined;
  /** Of the whole load, warm-up and end included. */
  readonly refused: Readonly<Record<string, number>>;
  readonly unanswered: number;
  readonly warmedUp: boolean;
  readonly reconnects: number;
  readonly failure?: string | undefined;
  readonly blocksPerS?: number | undefined;
  readonly recordsPerBlock?: number | undefined;
  /** Of one node of the role in the mean. */
  readonly roles: Readonly<Record<Role, RoleResult>>;
};

export type RoleResult = {
  readonly cpuMsPerRecord?: Estimate | undefined;
  readonly cpuMsPerBlock?: Estimate | undefined;
  readonly sentBytesPerRecord?: number | undefined;
  readonly receivedBytesPerRecord?: number | undefined;
  readonly writtenBytesPerRecord?: number | undefined;
  readonly keptBytesPerRecord?: number | undefined;
  readonly batchesPerBlock?: number | undefined;
  readonly putsPerRecord?: number | undefined;
  readonly residentMiB?: number | undefined;
};

type NodeGroups = Observed<"manager" | "storage", Awaited<ReturnType<typeof takeSnapshot>>>;

export async function measureLoad(
  consortium: OwnConsortium,
  client: BssClient,
  options: LoadOptions,
): Promise<LoadResult> {
  const { load, windowMs, drainMsMax } = options;
  const recordBytes = options.records(1)[0]?.length ?? 0;
  const loop = startLoop(client, options);
  const pidsOf = (role: "manager" | "storage") =>
    consortium.nodes.filter((node) => node.role === role).map(({ pid }) => pid);
  const pids = { manager: pidsOf("manager"), storage: pidsOf("storage") };
  const snapshot = () => takeSnapshot(consortium);
  const observed = await observe(loop, { pids, windowMs, drainMsMax, snapshot });
  const times = observed.latenciesMs;
  const nodes = { manager: pids.manager.length, storage: pids.storage.length, client: 1 };
  const used = usedBetween(observed.before, observed.after);
  return {
    load,
    recordBytes,
    submissions: times.length,
    records: sum(observed.records),
    seconds: sum(observed.seconds),
    recordsPerS: ratioEstimate(observed.records, observed.seconds),
    p50Ms: quantileEstimate(times, 0.5),
    p95Ms: times.length < 20 ? undefined : quantileEstimate(times, 0.95),
    p99Ms: times.length < 100 ? undefined : quantileEstimate(times, 0.99),
    refused: observed.refused,
    unanswered: observed.unanswered,
    warmedUp: observed.warmedUp,
    reconnects: loop.reconnects,
    failure: loop.failure,
    blocksPerS: used.blocks === undefined ? undefined : used.blocks / used.seconds,
    recordsPerBlock: per(used.records, used.blocks),
    roles: rolesOf(observed, nodes),
  };
}

function rolesOf(
  { before, after, cpuMs, records, seconds }: NodeGroups,
  nodes: Readonly<Record<Role, number>>,
): Readonly<Record<Role, RoleResult>> {
  const used = usedBetween(before, after);
  const blocksIn = seconds.map((each) => (each * (used.blocks ?? 0)) / used.seconds);
  const entries = roles.map((role) => {
    const spent = cpuMs[role]?.map((ms) => ms / nodes[role]);
    const { sentBytes, receivedBytes, writtenBytes, keptBytes, ...rest } = used.roles[role];
    const result: RoleResult = {
      cpuMsPerRecord: spent && ratioEstimate(spent, records),
      cpuMsPerBlock: spent && used.blocks ? ratioEstimate(spent, blocksIn) : undefined,
      sentBytesPerRecord: per(sentBytes, used.records),
      receivedBytesPerRecord: per(receivedBytes, used.records),
      writtenBytesPerRecord: per(writtenBytes, used.records),
      keptBytesPerRecord: per(keptBytes, used.records),
      batchesPerBlock: per(rest.batches, used.blocks),
      putsPerRecord: per(rest.puts, used.records),
      residentMiB: rest.residentMiB,
    };
    return [role, result] as const;
  });
  return Object.fromEntries(entries) as Record<Role, RoleResult>;
}

function per(amount: number | undefined, of: number | undefined): number | undefined {
  return amount === undefined || of === undefined || of === 0 ? undefined : amount / of;
}
