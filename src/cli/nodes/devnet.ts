/**
 * `bss devnet`: every node of a directory as its own process on this machine, with a table of what
 * each of them holds. It watches and repairs nothing: a node that ends stays down, and the command
 * exits with 1.
 */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { joinHostPort } from "../../base/host-port.js";
import { descriptorPlanOf } from "../../config/descriptors.js";
import { loadNodeConfig, type NodeConfig } from "../../config/node-config.js";
import { ListenError, listenFailure } from "../../rpc/server/listen-check.js";
import { lockOrRefuse, type ProcessLock } from "../process-lock.js";
import { CliError } from "../text/cli-error.js";
import { type Output, outputOf, whenOutputEnds } from "../text/output.js";
import { areConnected, type NodeRow, StatusDisplay } from "./devnet-display.js";
import {
  describeExit,
  findConfigFiles,
  type NodeProcess,
  type NodeProcesses,
  type StoppedNode,
  startNodes,
} from "./node-processes.js";
import type { StatusSource } from "./node-status.js";

const refreshMs = 1000;
/** How many busy addresses one message names. */
const busyNamedMax = 4;
/** SIGHUP comes when the terminal is closed. */
const stopSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

type Options = { readonly dir: string; readonly for?: number };

export function register(program: Command): void {
  program
    .command("devnet")
    .summary("run all nodes of a directory on this machine")
    .description(
      "Runs every node of a directory that 'bss init' made, each as a process of its own, and shows " +
        "what each of them holds. Ctrl-C, or closing the terminal, stops all of them cleanly. Their " +
        "logs are in <directory>/logs.",
    )
    .requiredOption("-d, --dir <directory>", "the directory that 'bss init' made")
    .option("--for <seconds>", "stop after this time instead of waiting for Ctrl-C", seconds)
    .action((options: Options, command: Command) => runDevnet(options, outputOf(command)));
}

async function runDevnet({ dir, for: forSeconds }: Options, output: Output): Promise<void> {
  const stopRequest = new AbortController();
  const requestStop = () => stopRequest.abort();
  for (const signal of stopSignals) process.on(signal, requestStop);
  whenOutputEnds(requestStop);
  const troubles: string[] = [];
  let processes: NodeProcesses | undefined;
  const files = findConfigFiles(dir);
  // Loaded here, because the other commands need no connections.
  const { openStatusSource } = await import("./node-status.js");
  const source = openStatusSource(dir);
  const lock = await lockDevnet(dir);
  const display = new StatusDisplay(output, process.stdout);
  try {
    const configs = files.map(loadNodeConfig);
    // Each node has this process's limit, and would say it in a log.
    for (const config of configs) await descriptorPlanOf(config);
    await refuseBusyPorts(configs);
    output.note(`starting the nodes of ${dir}; Ctrl-C stops them`);
    processes = await startNodes(dir, {
      signal: stopRequest.signal,
      onExit: (node, exit) => {
        const what = `${node.id} ended by itself (${describeExit(exit)})`;
        troubles.push(what);
        display.note(`${what}; to start it again: bss start --config ${node.config.file}`);
        if (processes?.nodes.every(({ running }) => !running)) requestStop();
      },
    });
    if (forSeconds !== undefined) setTimeout(requestStop, forSeconds * 1000).unref();
    await watch(processes, source, display, { dir, stop: stopRequest.signal });
    output.note("stopping the nodes");
  } finally {
    source.close();
    troubles.push(...troublesOfStopping((await processes?.stop()) ?? [], troubles));
    for (const signal of stopSignals) process.off(signal, requestStop);
    lock.release();
  }
  if (troubles.length > 0) throw new CliError(troubles.join(", "), `see the logs in ${dir}/logs`);
}

/**
 * Only one `bss devnet` may run for a directory. A second one would find ports and stores taken,
 * node by node, and could not say by whom. Throws `CliError`, naming the process that runs.
 */
export function lockDevnet(directory: string): Promise<ProcessLock> {
  return lockOrRefuse(join(resolve(directory), "devnet"), {
    what: `another 'bss devnet' runs the nodes of ${resolve(directory)}`,
    next: "stop it there with Ctrl-C, or make another consortium with 'bss init --base-port'",
  });
}

/** What went wrong while stopping, without the nodes whose end has been reported before. */
function troublesOfStopping(
  stopped: readonly StoppedNode[],
  told: readonly string[],
): readonly string[] {
  return stopped.flatMap(({ id, exit, killed }) => {
    if (killed) return [`${id} did not stop in time and was killed`];
    if (exit.code === 0 || told.some((text) => text.startsWith(`${id} `))) return [];
    return [`${id} stopped with ${describeExit(exit)}`];
  });
}

/** Refreshes the display until `stop`, and says once that the consortium can be used. */
async function watch(
  { nodes }: NodeProcesses,
  source: StatusSource,
  display: StatusDisplay,
  { dir, stop }: { readonly dir: string; readonly stop: AbortSignal },
): Promise<void> {
  let isReady = false;
  while (!stop.aborted) {
    const rows = await Promise.all(nodes.map((node) => rowOf(node, source)));
    display.update(rows);
    if (!isReady && areConnected(rows)) {
      isReady = true;
      display.note(`all ${rows.length} nodes are connected${submitHint(dir)}`);
    }
    await pause(refreshMs, stop);
  }
  display.end();
}

/** With which profile to submit; empty for a consortium without participants. */
function submitHint(directory: string): string {
  const profile = join(directory, "participants", "participant-1", "profile.yaml");
  return existsSync(profile) ? `; submit with --profile ${profile}` : "";
}

async function rowOf(node: NodeProcess, source: StatusSource): Promise<NodeRow> {
  const { id, role, pid } = node;
  const status = node.running ? await source.statusOf(node.config) : undefined;
  const state = node.running ? (status === undefined ? "silent" : "running") : "ended";
  return { id, role, pid, state, ...(status === undefined ? {} : { status }) };
}

function pause(durationMs: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      stop.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, durationMs);
    stop.addEventListener("abort", done, { once: true });
  });
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 2_000_000)) {
    throw new InvalidArgumentError("Use a number of seconds above 0.");
  }
  return value;
}

/**
 * Throws `CliError` before the first node is started when one could not listen: another process, or
 * another of the nodes, has its address.
 */
async function refuseBusyPorts(configs: readonly NodeConfig[]): Promise<void> {
  const taken: string[] = [];
  const seen = new Set<string>();
  for (const { id, listen, metrics } of configs) {
    for (const address of metrics === undefined ? [listen] : [listen, metrics]) {
      const text = joinHostPort(address);
      const failure = await listenFailure(address);
      if (failure === undefined && !seen.has(text)) seen.add(text);
      else taken.push(refusalOf(id, text, failure));
    }
  }
  if (taken.length === 0) return;
  const more = taken.length > busyNamedMax ? ` and ${taken.length - busyNamedMax} more` : "";
  throw new CliError(
    `some nodes cannot listen: ${taken.slice(0, busyNamedMax).join(", ")}${more}`,
    "stop the processes that listen there (perhaps another devnet), or make a consortium on other " +
      "ports with 'bss init --base-port'",
  );
}

function refusalOf(id: string, address: string, failure: Error | undefined): string {
  if (failure === undefined) return `${id} on ${address}, where another of these nodes listens`;
  return `${id} (${new ListenError(address, failure).message})`;
}
