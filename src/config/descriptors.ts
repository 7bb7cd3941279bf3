/**
 * How many files and connections the process may have open, and what it keeps of them for its
 * store. A store that cannot open a file stops its node, so connections get what is left.
 */
import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { ConfigError } from "./config-error.js";
import type { NodeConfig } from "./node-config.js";

/** For logs, threads, certificates, links to other nodes and the metrics server. */
const ownDescriptors = 128;
/** For a small store. RocksDB keeps every file open; most files have 8 MiB. */
const storeDescriptorsMin = 512;
/** With fewer connections, members of the consortium could not reach the node. */
const connectionsMin = 128;
const connectionsDefault = 8_192;
/** Below this limit a node starts, and says so. */
const advisedLimit = 4_096;
/** For any command: a few files, and connections to managers. Node.js itself has some 20. */
const commandDescriptorsMin = 64;

export type DescriptorPlan = {
  readonly connectionsMax: number;
  /** What the operator should change; undefined where all is well. */
  readonly warning: string | undefined;
};

const advice =
  "raise it: LimitNOFILE=65536 in the service's unit, --ulimit nofile in Docker, or ulimit -n";

/**
 * Shares out what this process may open, before the node has opened anything.
 *
 * @throws ConfigError as `planDescriptors`
 */
export async function descriptorPlanOf(config: NodeConfig): Promise<DescriptorPlan> {
  return planDescriptors(descriptorLimit(), {
    file: config.file,
    configured: config.limits.connectionsMax,
    storeFiles: await filesIn(config.dataDirectory),
  });
}

/**
 * Shares the descriptors out.
 *
 * @param limit of the process; undefined for none
 * @param configured connections, where config.yaml says how many
 * @throws ConfigError when the process has too few, or the config wants too many
 */
export function planDescriptors(
  limit: number | undefined,
  options: {
    readonly file: string;
    readonly configured: number | undefined;
    /** Number of files that the store has now. */
    readonly storeFiles: number;
  },
): DescriptorPlan {
  const { file, configured, storeFiles } = options;
  if (limit === undefined) {
    return { connectionsMax: configured ?? connectionsDefault, warning: undefined };
  }
  // Twice what it has now, and room to grow: a quarter of 65,536 is a store of 128 GB.
  const forStore = Math.max(storeDescriptorsMin, 2 * storeFiles, Math.floor(limit / 4));
  const left = limit - forStore - ownDescriptors;
  const wanted = configured ?? connectionsMin;
  if (left < wanted) {
    const needed = wanted + ownDescriptors + Math.max(storeDescriptorsMin, 2 * storeFiles);
    const what =
      `the process may open ${limit} files and connections, which leaves ` +
      `${Math.max(0, left)} connections beside the store; ${wanted} are needed`;
    const fewer = configured === undefined ? "" : ", or lower `limits.connections_max`";
    const next = `${advice}, to ${Math.ceil((needed * 4) / 3)} or more${fewer}`;
    throw new ConfigError(file, [{ path: "limits.connections_max", what, next }]);
  }
  const connectionsMax = configured ?? Math.min(connectionsDefault, left);
  if (limit >= advisedLimit) return { connectionsMax, warning: undefined };
  const warning =
    `the process may open only ${limit} files and connections, so it accepts at most ` +
    `${connectionsMax} connections; ${advice}`;
  return { connectionsMax, warning };
}

/**
 * Why a command cannot work with what this process may open, and what to do; undefined if it can.
 * Without this, each file and connection would fail in words of its own.
 */
export function descriptorTrouble(
  limit: number | undefined,
): { readonly what: string; readonly next: string } | undefined {
  if (limit === undefined || limit >= commandDescriptorsMin) return undefined;
  const needed = `at least ${commandDescriptorsMin} are needed`;
  return {
    what: `the process may open only ${limit} files and connections; ${needed}`,
    next: advice,
  };
}

/** The limit of this process; Node.js raises it to the hard one when it starts. */
export function descriptorLimit(): number | undefined {
  if (process.platform !== "linux") return reportedLimit(process.report.getReport());
  try {
    return limitOf(readFileSync("/proc/self/limits", "utf8"));
  } catch {
    // Perhaps because no descriptor is left, which is what the caller has to know. A report takes
    // longer, and opens nothing.
    return reportedLimit(process.report.getReport());
  }
}

/** The limit in the text of /proc/self/limits. */
export function limitOf(limits: string): number | undefined {
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? undefined : Number(soft);
}

function reportedLimit(report: unknown): number | undefined {
  const limits = report instanceof Object ? Reflect.get(report, "userLimits") : undefined;
  const files: unknown = limits instanceof Object ? Reflect.get(limits, "open_files") : undefined;
  const soft: unknown = files instanceof Object ? Reflect.get(files, "soft") : undefined;
  return typeof soft === "number" ? soft : undefined;
}

/** Files of a store; none where there is no store yet. */
async function filesIn(directory: string): Promise<number> {
  return (await readdir(directory).catch(() => [])).length;
}
