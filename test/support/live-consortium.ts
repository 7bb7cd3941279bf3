/**
 * A consortium of real processes on this machine, as `bss init` and `bss devnet` make it, that
 * tests kill and start again. Timeouts of its rounds are short, and it makes no block that nobody
 * asked for, so that tests know which heights there are.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { toHex } from "../../src/base/bytes.js";
import { initConsortium } from "../../src/cli/init/init-consortium.js";
import {
  findConfigFiles,
  type NodeExit,
  type NodeProcess,
  type NodeProcesses,
  startNodes,
} from "../../src/cli/nodes/node-processes.js";
import {
  type NodeStatus,
  openStatusSource,
  type StatusSource,
} from "../../src/cli/nodes/node-status.js";
import { type BssClient, connect } from "../../src/client/bss-client.js";
import { type ClientProfile, readProfile } from "../../src/client/client-profile.js";
import { readGenesis } from "../../src/config/genesis-file.js";
import { readTlsFiles } from "../../src/config/key-files.js";
import { loadNodeConfig, type NodeConfig } from "../../src/config/node-config.js";
import type { GenesisState } from "../../src/ledger/genesis.js";
import { createChannel, type RpcChannel } from "../../src/rpc/channels/channel.js";
import type { TlsCredentials } from "../../src/rpc/tls/tls.js";
import { freeBasePort } from "./free-ports.js";

export type Sizes = {
  readonly managers: number;
  readonly storage: number;
  readonly participants: number;
};

export type LiveOptions = {
  /** The policy file's text. */
  readonly policy?: string;
  /** Starts the nodes; `bss` when left out. */
  readonly mainFile?: string;
  /** Makes the directory; that of this build when left out. */
  readonly init?: typeof initConsortium;
  /** The lowest port minus one; any that are free when left out. */
  readonly basePort?: number;
  /** Added to the nodes' environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Told of every end of a node that nobody asked for by `close`. */
  readonly onExit?: (node: NodeProcess, exit: NodeExit) => void;
  /** Called once the directory is there and before a node starts, with each node's config. */
  readonly prepare?: (configs: readonly NodeConfig[]) => Promise<void>;
};

/** A policy file's text, without what becomes of absent managers. */
export const quickPolicy = `verdict_wait_ms: 300
heartbeat_ms: 0
min_storage: 1
timeouts:
  propose_ms: 1000
  approve_ms: 500
  verify_ms: 500
  commit_ms: 300
  step_ms: 100
  max_ms: 5000
`;

/** The ring waits for who is absent, so that nobody's pace changes the chain. */
const strictPolicy = `${quickPolicy}suspension: never\n`;

/** What tests of a consortium wait for comes within this time on a busy machine. */
const patienceMs = 180_000;
const pollMs = 50;
/** For a suite as a whole. Shorter than what the runner gives a file, so that hooks still run. */
export const suiteTimeoutMs = 25 * 60_000;

export class LiveConsortium {
  readonly directory: string;
  readonly genesis: GenesisState;
  readonly #processes: NodeProcesses;
  readonly #statuses: StatusSource;
  readonly #open: { close(): void }[] = [];

  private constructor(directory: string, processes: NodeProcesses) {
    this.directory = directory;
    this.genesis = readGenesis(join(directory, "genesis.json"));
    this.#processes = processes;
    this.#statuses = openStatusSource(directory);
  }

  /** Makes `directory`, which does not exist yet, and starts every node. */
  static async start(
    directory: string,
    sizes: Sizes,
    options: LiveOptions = {},
  ): Promise<LiveConsortium> {
    const { policy = strictPolicy, init = initConsortium, prepare } = options;
    const { mainFile, onExit, env } = options;
    const policyFile = `${directory}-policy.yaml`;
    writeFileSync(policyFile, policy);
    const basePort =
      options.basePort ?? (await freeBasePort(Math.max(sizes.managers, sizes.storage)));
    await init(directory, { name: "live", basePort, policyFile, ...sizes });
    for (const file of findConfigFiles(directory)) {
      const text = readFileSync(file, "utf8");
      writeFileSync(file, text.replace("level: info", "level: warn"));
    }
    await prepare?.(findConfigFiles(directory).map(loadNodeConfig));
    leaveWithoutTeardown();
    const processes = await startNodes(directory, {
      ...(mainFile !== undefined && { mainFile }),
      ...(onExit !== undefined && { onExit }),
      ...(env !== undefined && { env }),
    });
    return new LiveConsortium(directory, processes);
  }

  get nodes(): readonly NodeProcess[] {
    return this.#processes.nodes;
  }

  node(id: string): NodeProcess {
    return this.#processes.node(id);
  }

  /** "host:port" of a node's gRPC server. */
  addressOf(id: string): string {
    const { host, port } = this.node(id).config.listen;
    return `${host}:${port}`;
  }

  /** A party's profile; with `managers` it knows the addresses of these only. */
  profile(id: string, managers?: readonly string[]): ClientProfile {
    const parent = id.startsWith("auditor") ? "auditors" : "participants";
    const profile = readProfile(join(this.directory, parent, id, "profile.yaml"));
    if (managers === undefined) return profile;
    return { ...profile, addresses: managers.map((manager) => this.addressOf(manager)) };
  }

  async client(id: string, managers?: readonly string[]): Promise<BssClient> {
    const client = await connect(this.profile(id, managers));
    this.#open.push(client);
    return client;
  }

  /** The TLS files of a party, for instance "storage/storage-1". */
  tlsOf(party: string): TlsCredentials {
    const at = (name: string) => join(this.directory, party, name);
    const ca = join(this.directory, "ca-bundle.pem");
    return readTlsFiles({ certificate: at("tls.crt"), key: at("tls.key"), ca });
  }

  /** A connection to a node under any certificate. */
  channel(tls: TlsCredentials, id = "manager-1"): RpcChannel {
    const { role } = this.node(id).config;
    const expected = { consortiumName: this.genesis.name, role, id } as const;
    const channel = createChannel({ address: this.addressOf(id), tls, expected });
    this.#open.push(channel);
    return channel;
  }

  statusOf(id: string): Promise<NodeStatus | undefined> {
    return this.#statuses.statusOf(this.node(id).config);
  }

  /** Waits until these nodes, or all, hold the same ledger of at least this height. */
  async agreeOn(
    height: number,
    ids: readonly string[] = this.nodes.map(({ id }) => id),
  ): Promise<NodeStatus> {
    let last: readonly (NodeStatus | undefined)[] = [];
    const agreed = async () => {
      last = await Promise.all(ids.map((id) => this.statusOf(id)));
      const [first] = last;
      if (first === undefined || first.height < height) return undefined;
      const same = last.every((each) => each !== undefined && samePlace(each, first));
      return same ? first : undefined;
    };
    return poll(agreed, () => {
      const heights = last.map((status, i) => `${ids[i]} ${status?.height ?? "silent"}`);
      return `all nodes at height ${height}: ${heights.join(", ")}`;
    });
  }

  /** kill -9, all at once. */
  async kill(ids: readonly string[] = this.nodes.map(({ id }) => id)): Promise<void> {
    const nodes = ids.map((id) => this.node(id));
    for (const node of nodes) node.kill("SIGKILL");
    await Promise.all(nodes.map(({ exited }) => exited));
  }

  /** Starts nodes again that have ended: these, or all that do not run. */
  async restart(ids?: readonly string[]): Promise<void> {
    const nodes = ids?.map((id) => this.node(id)) ?? this.nodes.filter(({ running }) => !running);
    await Promise.all(nodes.map((node) => node.restart()));
  }

  /** Everything that the nodes have written to their logs. */
  logs(): string {
    return this.nodes.map(({ logFile }) => readFileSync(logFile, "utf8")).join("");
  }

  /** Stops all; rejects when a node did not end cleanly. */
  async close(): Promise<void> {
    for (const each of this.#open.splice(0)) each.close();
    this.#statuses.close();
    const running = new Set(this.nodes.filter((node) => node.running).map(({ id }) => id));
    const stopped = await this.#processes.stop();
    const unclean = stopped.filter(
      ({ id, exit, killed }) => running.has(id) && (killed || exit.code !== 0),
    );
    if (unclean.length > 0)
      throw new Error(`not clean: ${JSON.stringify(unclean)}\n${this.logs()}`);
  }
}

function samePlace(a: NodeStatus, b: NodeStatus): boolean {
  return a.height === b.height && a.treeSize === b.treeSize && toHex(a.root) === toHex(b.root);
}

/** The first value that `read` gives; fails with what was waited for when none comes. */
export async function poll<T>(
  read: () => Promise<T | undefined>,
  what: string | (() => string),
  timeoutMs = patienceMs,
): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const value = await read();
    if (value !== undefined) return value;
    if (performance.now() > deadlineMs) {
      throw new Error(`in vain: ${typeof what === "string" ? what : what()}`);
    }
    await sleep(pollMs);
  }
}

let leaving = false;

/**
 * Ends this process as soon as its exit is decided. A connection that was in the middle of its TLS
 * handshake when its peer was killed can keep Node 20's teardown of the environment turning for
 * ever, long after the last test has passed.
 */
function leaveWithoutTeardown(): void {
  if (leaving) return;
  leaving = true;
  // Node prints an error that nobody catches after its "exit", so it would be lost.
  process.on("uncaughtExceptionMonitor", (error) => process.stderr.write(`${error.stack}\n`));
  process.on("exit", (code) => process.exit(code));
}
