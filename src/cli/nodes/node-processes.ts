/**
 * The nodes of a consortium on this machine, each as a process of its own: `bss devnet`, the demo
 * and the tests that kill nodes share this. It starts and stops; it restarts nothing by itself.
 *
 * A node is ready when it says so over the channel that it inherits. The same channel stops the
 * nodes when this process has ended, however it ended.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { defined } from "../../base/assert.js";
import { loadNodeConfig, type NodeConfig } from "../../config/node-config.js";
import { CliError, exitCodes } from "../text/cli-error.js";
import { findMainFile } from "./main-file.js";
import type { ReadyMessage } from "./run-node.js";

export type NodeExit = {
  /** Null when a signal ended the process. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
};

export type NodeProcess = {
  readonly id: string;
  readonly role: NodeConfig["role"];
  readonly config: NodeConfig;
  /** Standard output and error of the process, appended to at each start. */
  readonly logFile: string;
  /** Process id of the process that runs, or ran last. */
  readonly pid: number;
  readonly running: boolean;
  /** The end of the process that runs, or ran last. */
  readonly exited: Promise<NodeExit>;
  /** False when the process is gone already. */
  kill(signal: NodeJS.Signals): boolean;
  /**
   * Starts the node again once its process has ended; resolves when it is ready. Throws `CliError`.
   */
  restart(): Promise<void>;
};

export type NodeProcesses = {
  readonly nodes: readonly NodeProcess[];
  /** Throws `CliError` for an id that is not among them. */
  node(id: string): NodeProcess;
  /**
   * Stops all: SIGTERM, and SIGKILL for those that have not ended in time. Resolves when no process
   * is left.
   */
  stop(): Promise<readonly StoppedNode[]>;
};

export type StoppedNode = {
  readonly id: string;
  readonly exit: NodeExit;
  readonly killed: boolean;
};

export type NodeProcessOptions = {
  /** Ids of the nodes to start; all when absent. */
  readonly only?: readonly string[];
  /** Script that understands `start --config FILE`; by default `bss`. */
  readonly mainFile?: string;
  /** Options of node itself, such as `--cpu-prof`. */
  readonly execArgv?: readonly string[];
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly readyTimeoutMs?: number;
  readonly stopTimeoutMs?: number;
  /** Called at each end of a process that was ready and that nobody asked for by `stop`. */
  readonly onExit?: (node: NodeProcess, exit: NodeExit) => void;
  /** Gives up starting: `startNodes` stops what it has started and throws. */
  readonly signal?: AbortSignal;
};

/**
 * As in deploy/. Otherwise glibc keeps memory that was freed for each of 16 threads, and V8 lets
 * new objects fill 32 MiB before it looks which are still needed.
 */
const memoryEnv = { MALLOC_ARENA_MAX: "2", NODE_OPTIONS: "--max-semi-space-size=8" };

type Settings = Required<Omit<NodeProcessOptions, "only" | "signal">>;

const defaults: Omit<Settings, "mainFile"> = {
  execArgv: [],
  env: {},
  readyTimeoutMs: 180_000,
  // Longer than a node gives itself to stop in order.
  stopTimeoutMs: 70_000,
  onExit: () => {},
};

/**
 * The config files of a directory that `bss init` made: managers first, each role in the order of
 * the numbers in its ids.
 */
export function findConfigFiles(directory: string): readonly string[] {
  const files = ["managers", "storage"].flatMap((parent) => {
    const path = join(resolve(directory), parent);
    if (!existsSync(path)) return [];
    const ids = readdirSync(path).toSorted((a, b) => a.localeCompare(b, "en", { numeric: true }));
    return ids.map((id) => join(path, id, "config.yaml")).filter((file) => existsSync(file));
  });
  if (files.length > 0) return files;
  throw new CliError(
    `${resolve(directory)} holds no nodes`,
    "give a directory that 'bss init' made",
  );
}

/**
 * Starts nodes of a consortium's directory and waits until all are ready. Throws `CliError` after
 * stopping them again.
 */
export async function startNodes(
  directory: string,
  options: NodeProcessOptions = {},
): Promise<NodeProcesses> {
  const { only, signal, ...given } = options;
  const { mainFile = findMainFile() } = given;
  const settings: Settings = { ...defaults, ...given, mainFile };
  const configs = findConfigFiles(directory).map(loadNodeConfig);
  const chosen = only === undefined ? configs : only.map((id) => configOf(configs, id));
  const logs = join(resolve(directory), "logs");
  mkdirSync(logs, { recursive: true, mode: 0o700 });
  const supervised = chosen.map((config) => {
    return new SupervisedNode(config, join(logs, `${config.id}.log`), settings);
  });
  const stop = () => Promise.all(supervised.map((node) => node.stop()));
  try {
    const ready = Promise.all(supervised.map((node) => node.start()));
    await (signal === undefined ? ready : Promise.race([ready, untilAborted(signal)]));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    nodes: supervised,
    node: (id) => supervised.find((node) => node.id === id) ?? refuseUnknown(configs, id),
    stop,
  };
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = () => {
      const exitCode = exitCodes.interrupted;
      reject(new CliError("stopped before all nodes were ready", "run it again", { exitCode }));
    };
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}

class SupervisedNode implements NodeProcess {
  readonly config: NodeConfig;
  readonly logFile: string;
  readonly #settings: Settings;
  #child: ChildProcess | undefined;
  #exited: Promise<NodeExit> | undefined;
  #stopping = false;

  constructor(config: NodeConfig, logFile: string, settings: Settings) {
    this.config = config;
    this.logFile = logFile;
    this.#settings = settings;
  }

  get id(): string {
    return this.config.id;
  }

  get role(): NodeConfig["role"] {
    return this.config.role;
  }

  get pid(): number {
    return defined(this.#child?.pid, "a node has a process once it was started");
  }

  get running(): boolean {
    const child = this.#child;
    return child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
  }

  get exited(): Promise<NodeExit> {
    return defined(this.#exited, "a node has an end once it was started");
  }

  kill(signal: NodeJS.Signals): boolean {
    return this.running && (this.#child?.kill(signal) ?? false);
  }

  restart(): Promise<void> {
    if (this.running) {
      throw new CliError(
        `${this.id} is still running`,
        "wait for its end before starting it again",
      );
    }
    return this.start();
  }

  async start(): Promise<void> {
    const child = this.#spawn();
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      child.once("exit", (code, signal) => resolve({ code, signal }));
      // A process that cannot be started has no exit event.
      child.on("error", () => child.pid ?? resolve({ code: 127, signal: null }));
    });
    this.#stopping = false;
    await this.#untilReady(child, this.#exited);
    this.#exited.then((exit) => this.#stopping || this.#settings.onExit(this, exit));
  }

  async stop(): Promise<StoppedNode> {
    this.#stopping = true;
    if (this.#exited === undefined) {
      return { id: this.id, exit: { code: 0, signal: null }, killed: false };
    }
    this.kill("SIGTERM");
    // A process that was paused would otherwise never see it.
    this.kill("SIGCONT");
    let killed = false;
    const timer = setTimeout(() => {
      killed = this.kill("SIGKILL");
    }, this.#settings.stopTimeoutMs);
    const exit = await this.#exited;
    clearTimeout(timer);
    return { id: this.id, exit, killed };
  }

  #spawn(): ChildProcess {
    const { execArgv, mainFile, env } = this.#settings;
    const log = openSync(this.logFile, "a", 0o600);
    try {
      return spawn(
        process.execPath,
        [...execArgv, mainFile, "start", "--config", this.config.file],
        {
          // Its own process group: Ctrl-C in a terminal reaches this process only, which then stops
          // the nodes in order.
          detached: true,
          env: { ...memoryEnv, ...process.env, ...env },
          stdio: ["ignore", log, log, "ipc"],
        },
      );
    } finally {
      closeSync(log);
    }
  }

  async #untilReady(child: ChildProcess, exited: Promise<NodeExit>): Promise<void> {
    const { readyTimeoutMs } = this.#settings;
    let timer: NodeJS.Timeout | undefined;
    const outcome = await Promise.race([
      new Promise<"ready">((resolve) => {
        child.on("message", (message) => isReady(message) && resolve("ready"));
      }),
      exited,
      new Promise<"late">((resolve) => {
        timer = setTimeout(() => resolve("late"), readyTimeoutMs);
      }),
    ]);
    clearTimeout(timer);
    if (outcome === "ready") return;
    const what =
      outcome === "late"
        ? `${this.id} was not ready within ${readyTimeoutMs / 1000} s`
        : `${this.id} ended before it was ready (${describeExit(outcome)})`;
    const last = lastLine(this.logFile);
    throw new CliError(
      last === undefined ? what : `${what}: ${last}`,
      `its log is ${this.logFile}`,
    );
  }
}

/** "exit code 1", "SIGKILL". */
export function describeExit({ code, signal }: NodeExit): string {
  return signal ?? `exit code ${code}`;
}

function configOf(configs: readonly NodeConfig[], id: string): NodeConfig {
  return configs.find((config) => config.id === id) ?? refuseUnknown(configs, id);
}

function refuseUnknown(configs: readonly NodeConfig[], id: string): never {
  const ids = configs.map((config) => config.id).join(", ");
  throw new CliError(`there is no node \`${id}\``, `use one of ${ids}`);
}

function isReady(message: unknown): message is ReadyMessage {
  return (
    typeof message === "object" && message !== null && "bss" in message && message.bss === "ready"
  );
}

function lastLine(file: string): string | undefined {
  return readFileSync(file, "utf8")
    .split("\n")
    .findLast((line) => line.trim() !== "")
    ?.replace(/^bss: /, "")
    .slice(0, 500);
}
