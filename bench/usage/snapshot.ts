/**
 * What the nodes and the client of a run have used up to a moment, and the difference of two such
 * moments by role. Reading this costs the nodes something (they render /metrics), so it is read
 * outside of the time whose processor time counts, and each figure is a rate over its own time.
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { NodeConfig } from "../../src/config/node-config.js";
import type { OwnConsortium } from "../own-consortium.js";
import { sum } from "../report/statistics.js";
import { canMeasure, usageOf } from "../storage-nodes/usage.js";
import { type MetricsPage, readMetrics } from "./metrics-page.js";
import { readSocketBytes, type SocketBytes } from "./sockets.js";

export type Role = "manager" | "storage" | "client";
export type NodeRole = Exclude<Role, "client">;
export const roles: readonly Role[] = ["manager", "storage", "client"];

type NodeSnapshot = {
  readonly role: NodeRole;
  readonly sockets: SocketBytes | undefined;
  /** Written to the disk or its cache since the process began. */
  readonly writtenBytes: number | undefined;
  /** Length of all files of the node's data directory. */
  readonly keptBytes: number;
  readonly residentMiB: number | undefined;
  readonly metrics: MetricsPage | undefined;
};

export type Snapshot = {
  readonly atMs: number;
  readonly nodes: readonly NodeSnapshot[];
  readonly client: SocketBytes | undefined;
};

export async function takeSnapshot({ configs, nodes }: OwnConsortium): Promise<Snapshot> {
  const pids = new Map(nodes.map(({ id, pid }) => [id, pid]));
  const firstOf = (role: NodeRole) => configs.find((config) => config.role === role)?.id;
  const scraped = [firstOf("manager"), firstOf("storage")];
  const metrics = await Promise.all(
    configs.map((config) => (scraped.includes(config.id) ? readMetrics(config) : undefined)),
  );
  const atMs = performance.now();
  const metricsPorts = configs.flatMap((config) => config.metrics?.port ?? []);
  const sockets = await readSocketBytes(new Set(metricsPorts));
  const snapshots = configs.map(({ id, role, dataDirectory }, i): NodeSnapshot => {
    const pid = pids.get(id);
    const usage = pid !== undefined && canMeasure ? usageOf(pid) : undefined;
    return {
      role,
      sockets: pid === undefined ? undefined : sockets?.get(pid),
      writtenBytes: usage?.diskBytes,
      keptBytes: bytesBelow(dataDirectory),
      residentMiB: usage?.residentMiB,
      metrics: metrics[i],
    };
  });
  return { atMs, nodes: snapshots, client: sockets?.get(process.pid) };
}

/** Between two snapshots; those of a role are of one node in the mean. */
export type Used = {
  readonly seconds: number;
  /** As the first manager counts them. */
  readonly blocks: number | undefined;
  readonly records: number | undefined;
  readonly roles: Readonly<Record<Role, RoleUsed>>;
};

export type RoleUsed = {
  readonly sentBytes?: number | undefined;
  readonly receivedBytes?: number | undefined;
  readonly writtenBytes?: number | undefined;
  readonly keptBytes?: number | undefined;
  readonly residentMiB?: number | undefined;
  /** Batches that went to the store's disk, and keys written, if the node counts them. */
  readonly batches?: number | undefined;
  readonly puts?: number | undefined;
};

/** Names under which nodes count what they write; a node may lack any of them. */
const batchesMetric = "bss_store_write_seconds_count";
const putsMetric = "bss_store_puts_total";

export function usedBetween(before: Snapshot, after: Snapshot): Used {
  const counted = (role: NodeRole, name: string) => {
    const [from, to] = [before, after].map(({ nodes }) =>
      nodes.find((node) => node.role === role && node.metrics !== undefined)?.metrics?.get(name),
    );
    return from === undefined || to === undefined ? undefined : to - from;
  };
  const ofNodes = (role: NodeRole): RoleUsed => {
    const [from, to] = [before, after].map(({ nodes }) =>
      nodes.filter((node) => node.role === role),
    );
    const grown = (of: (node: NodeSnapshot) => number | undefined) => {
      const [then, now] = [meanOf(from ?? [], of), meanOf(to ?? [], of)];
      return then === undefined || now === undefined ? undefined : now - then;
    };
    return {
      sentBytes: grown(({ sockets }) => sockets?.sent),
      receivedBytes: grown(({ sockets }) => sockets?.received),
      writtenBytes: grown(({ writtenBytes }) => writtenBytes),
      keptBytes: grown(({ keptBytes }) => keptBytes),
      residentMiB: meanOf(to ?? [], ({ residentMiB }) => residentMiB),
      batches: counted(role, batchesMetric),
      puts: counted(role, putsMetric),
    };
  };
  const client = (of: (bytes: SocketBytes) => number) =>
    before.client && after.client && of(after.client) - of(before.client);
  return {
    seconds: (after.atMs - before.atMs) / 1_000,
    blocks: counted("manager", "bss_blocks_total"),
    records: counted("manager", "bss_records_total"),
    roles: {
      manager: ofNodes("manager"),
      storage: ofNodes("storage"),
      client: {
        sentBytes: client(({ sent }) => sent),
        receivedBytes: client(({ received }) => received),
      },
    },
  };
}

function meanOf(
  nodes: readonly NodeSnapshot[],
  of: (node: NodeSnapshot) => number | undefined,
): number | undefined {
  const values = nodes.map(of).filter((value) => value !== undefined);
  return values.length === 0 ? undefined : sum(values) / values.length;
}

/** Files may go while they are looked at. */
function bytesBelow(directory: NodeConfig["dataDirectory"]): number {
  if (!existsSync(directory)) return 0;
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  const lengths = entries.map((entry) => {
    const file = join(entry.parentPath, entry.name);
    return entry.isFile() ? (statSync(file, { throwIfNoEntry: false })?.size ?? 0) : 0;
  });
  return sum(lengths);
}
