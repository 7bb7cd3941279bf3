/**
 * The consortium under test and all that can be done to it: its processes, the network between
 * them, the build that each runs and the clock that each sees.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { defined } from "../../src/base/assert.js";
import type { NodeExit, NodeProcess } from "../../src/cli/nodes/node-processes.js";
import { type BssClient, RpcError } from "../../src/client/index.js";
import type { NodeConfig } from "../../src/config/node-config.js";
import { LiveConsortium, type Sizes } from "../support/live-consortium.js";
import { copyBuild } from "./builds.js";
import type { Journal } from "./journal.js";
import { Mesh } from "./mesh.js";
import { type NodeSettings, nodeSettingsFile, writeNodeSettings } from "./node-settings.js";

const readTimeoutMs = 2_000;

export type UnaskedExit = {
  readonly atMs: number;
  readonly id: string;
  readonly exit: NodeExit;
};

export class World {
  readonly consortium: LiveConsortium;
  readonly mesh: Mesh;
  readonly journal: Journal;
  /** Ends of processes that no fault accounts for. */
  readonly unaskedExits: UnaskedExit[] = [];
  /** Nodes whose end is expected at present. */
  readonly doomed = new Set<string>();
  /** One of each manager. */
  readonly #readers: readonly BssClient[];
  readonly #builds: readonly [string, string];
  readonly #settings = new Map<string, NodeSettings>();

  private constructor(parts: {
    readonly consortium: LiveConsortium;
    readonly mesh: Mesh;
    readonly journal: Journal;
    readonly readers: readonly BssClient[];
    readonly builds: readonly [string, string];
  }) {
    this.#readers = parts.readers;
    this.consortium = parts.consortium;
    this.mesh = parts.mesh;
    this.journal = parts.journal;
    this.#builds = parts.builds;
    for (const { id } of this.consortium.nodes) {
      this.#settings.set(id, { build: parts.builds[0], clockOffsetMs: 0 });
    }
  }

  /** Makes a consortium in `directory`, which exists, and starts it. */
  static async start(directory: string, sizes: Sizes, journal: Journal): Promise<World> {
    const builds = [copyBuild(join(directory, "build-a")), copyBuild(join(directory, "build-b"))];
    const [build, other] = [defined(builds[0], "copied"), defined(builds[1], "copied")];
    let mesh: Mesh | undefined;
    const prepare = async (configs: readonly NodeConfig[]) => {
      mesh = await openMesh(configs);
      for (const { id, file } of configs) {
        redirect(file, mesh.addressesFor(id));
        writeNodeSettings(nodeSettingsFile(file), { build, clockOffsetMs: 0 });
      }
    };
    const exits: [NodeProcess, NodeExit][] = [];
    let onExit = (node: NodeProcess, exit: NodeExit): void => void exits.push([node, exit]);
    const consortium = await LiveConsortium.start(join(directory, "consortium"), sizes, {
      policy,
      prepare,
      mainFile: join(import.meta.dirname, "start-node.js"),
      onExit: (node, exit) => onExit(node, exit),
    });
    const open = defined(mesh, "the network is there once the nodes are");
    const managers = consortium.nodes.filter(({ role }) => role === "manager");
    const readers = await Promise.all(
      managers.map(({ id }) => consortium.client("auditor-1", [id])),
    );
    const world = new World({ consortium, mesh: open, journal, readers, builds: [build, other] });
    onExit = (node, exit) => world.#ended(node, exit);
    // Nodes end with this process, but one that is paused would not notice.
    process.on("exit", world.#wake);
    for (const [node, exit] of exits) onExit(node, exit);
    return world;
  }

  get managers(): readonly string[] {
    return this.#idsOf("manager");
  }

  get storage(): readonly string[] {
    return this.#idsOf("storage");
  }

  get ids(): readonly string[] {
    return this.consortium.nodes.map(({ id }) => id);
  }

  /** Of the nodes that answer. */
  async heights(ids: readonly string[] = this.ids): Promise<ReadonlyMap<string, number>> {
    const statuses = await Promise.all(ids.map((id) => this.consortium.statusOf(id)));
    const heights = new Map<string, number>();
    for (const [index, status] of statuses.entries()) {
      const id = ids[index];
      if (id !== undefined && status !== undefined) heights.set(id, status.height);
    }
    return heights;
  }

  /** Managers that are suspended, as far as any manager knows; undefined when one is silent. */
  async suspended(): Promise<readonly string[] | undefined> {
    const options = { timeoutMs: readTimeoutMs };
    try {
      const views = this.#readers.map((reader) => reader.getConsortium(options));
      const members = (await Promise.all(views)).flatMap(({ managers }) => managers);
      return members.flatMap(({ member, active }) => (active ? [] : [member?.managerId ?? ""]));
    } catch (error) {
      if (error instanceof RpcError) return undefined;
      throw error;
    }
  }

  /** kill -9, all at once. */
  async kill(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.doomed.add(id);
    await this.consortium.kill(ids);
  }

  /** Asks a node to stop, and waits until it has. */
  async stop(id: string): Promise<NodeExit> {
    this.doomed.add(id);
    const node = this.consortium.node(id);
    node.kill("SIGTERM");
    return node.exited;
  }

  /** Starts those of the nodes that do not run. */
  async revive(ids: readonly string[] = this.ids): Promise<void> {
    const down = ids.filter((id) => !this.consortium.node(id).running);
    await this.consortium.restart(down);
    for (const id of ids) this.doomed.delete(id);
  }

  /** Empties the data directory of a node that does not run. */
  wipe(id: string): void {
    const { dataDirectory } = this.consortium.node(id).config;
    rmSync(dataDirectory, { recursive: true });
    mkdirSync(dataDirectory, { mode: 0o700 });
  }

  /** Moves a node's time of day, while it runs. */
  setClock(id: string, clockOffsetMs: number): void {
    this.#change(id, { clockOffsetMs });
  }

  /** From its next start on the node runs the other build. */
  switchBuild(id: string): void {
    const { build } = this.#settingsOf(id);
    this.#change(id, { build: build === this.#builds[0] ? this.#builds[1] : this.#builds[0] });
  }

  /** Stops all; rejects when a node did not end cleanly. */
  async close(): Promise<void> {
    try {
      await this.consortium.close();
    } finally {
      this.mesh.close();
      process.off("exit", this.#wake);
    }
  }

  readonly #wake = (): void => {
    for (const node of this.consortium.nodes) node.kill("SIGCONT");
  };

  #idsOf(role: NodeConfig["role"]): readonly string[] {
    return this.consortium.nodes.filter((node) => node.role === role).map(({ id }) => id);
  }

  #settingsOf(id: string): NodeSettings {
    return defined(this.#settings.get(id), "every node has settings");
  }

  #change(id: string, change: Partial<NodeSettings>): void {
    const settings = { ...this.#settingsOf(id), ...change };
    this.#settings.set(id, settings);
    writeNodeSettings(nodeSettingsFile(this.consortium.node(id).config.file), settings);
  }

  #ended(node: NodeProcess, exit: NodeExit): void {
    if (this.doomed.has(node.id)) return;
    this.journal.log(`${node.id} ended by itself: ${exit.signal ?? `exit code ${exit.code}`}`);
    this.unaskedExits.push({ atMs: this.journal.nowMs, id: node.id, exit });
  }
}

/**
 * As `bss init` has it, with timeouts for one machine, and silent when there is nothing to do. Who
 * was away may come back soon, because faults strike more often than in a year of operation.
 */
const policy = `verdict_wait_ms: 200
heartbeat_ms: 0
timeouts:
  propose_ms: 1500
  approve_ms: 1000
  verify_ms: 1000
  commit_ms: 500
  step_ms: 500
  max_ms: 8000
suspension: floor
suspend_after_ms: 5000
resume_wait_ms: 2000
resume_wait_max_ms: 10000
`;

function openMesh(configs: readonly NodeConfig[]): Promise<Mesh> {
  const managers = configs
    .filter(({ role }) => role === "manager")
    .map(({ id, listen }) => ({ id, host: listen.host, port: listen.port }));
  return Mesh.open(
    configs.map(({ id }) => id),
    managers,
  );
}

/** Makes a node dial other addresses than those that genesis names. */
function redirect(configFile: string, addresses: ReadonlyMap<string, string>): void {
  const config = parse(readFileSync(configFile, "utf8"));
  const managers = [...addresses].map(([id, address]) => ({ id, address }));
  writeFileSync(configFile, stringify({ ...config, managers }));
}
