/**
 * Four validators of CometBFT on loopback, in a directory of their own, as processes that end with
 * this one.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { networkSettings, type Settings, withSettings } from "./config.js";
import { CometRpc } from "./rpc.js";

const validators = 4;
const readyMsMax = 60_000;
const stopMsMax = 10_000;
/** Somebody may take a port between the moment when it was free and the node's start. */
const attempts = 3;

export type CometNetwork = {
  readonly pids: readonly number[];
  /** Ports of the nodes' RPC servers. */
  readonly rpcPorts: readonly number[];
  stop(): Promise<void>;
};

/** Resolves when all nodes are linked and have made a block. */
export async function startCometNetwork(
  program: string,
  directory: string,
  settings: Settings,
): Promise<CometNetwork> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(program, join(directory, `attempt-${attempt}`), settings);
    } catch (error) {
      if (attempt === attempts) throw error;
      console.log(`CometBFT did not start (${String(error)}); once more on other ports`);
    }
  }
}

async function startOnce(
  program: string,
  directory: string,
  settings: Settings,
): Promise<CometNetwork> {
  await promisify(execFile)(program, ["testnet", "--v", `${validators}`, "--o", directory]);
  const homes = Array.from({ length: validators }, (_, i) => join(directory, `node${i}`));
  const ids = await Promise.all(
    homes.map(async (home) => {
      const { stdout } = await promisify(execFile)(program, ["show-node-id", "--home", home]);
      return stdout.trim();
    }),
  );
  const ports = await freePorts(2 * validators);
  const portOf = (i: number) => ports[i] ?? 0;
  const addresses = ids.map((id, i) => `${id}@127.0.0.1:${portOf(i)}`);
  const rpcPorts = homes.map((_, i) => portOf(validators + i));
  for (const [i, home] of homes.entries()) {
    const file = join(home, "config", "config.toml");
    const persistentPeers = addresses.filter((_, other) => other !== i);
    const network = networkSettings({ p2p: portOf(i), rpc: rpcPorts[i] ?? 0, persistentPeers });
    const all = Object.assign({}, network, settings);
    writeFileSync(file, withSettings(readFileSync(file, "utf8"), all));
  }
  const children = new Children(homes.map((home) => spawnNode(program, home)));
  try {
    await untilReady(children, rpcPorts, homes);
  } catch (error) {
    await children.stop();
    throw error;
  }
  return { pids: children.pids, rpcPorts, stop: () => children.stop() };
}

function spawnNode(program: string, home: string): ChildProcess {
  const log = openSync(join(home, "log"), "a", 0o600);
  try {
    return spawn(program, ["start", "--home", home], { stdio: ["ignore", log, log] });
  } finally {
    closeSync(log);
  }
}

/** Processes of ours: they are stopped with this one, however it ends but by SIGKILL. */
class Children {
  readonly #children: readonly ChildProcess[];

  constructor(children: readonly ChildProcess[]) {
    this.#children = children;
    for (const child of children) child.on("error", () => {});
    process.on("exit", this.#killAll);
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, this.#endAll);
  }

  get pids(): readonly number[] {
    return this.#children.flatMap(({ pid }) => pid ?? []);
  }

  /** The place of one that has ended. */
  get ended(): number | undefined {
    const index = this.#children.findIndex((child) => !isRunning(child));
    return index < 0 ? undefined : index;
  }

  async stop(): Promise<void> {
    const running = this.#children.filter(isRunning);
    const ends = running.map((child) => new Promise((resolve) => child.once("exit", resolve)));
    for (const child of running) child.kill("SIGTERM");
    const timer = setTimeout(this.#killAll, stopMsMax);
    await Promise.all(ends);
    clearTimeout(timer);
    process.off("exit", this.#killAll);
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, this.#endAll);
  }

  readonly #killAll = (): void => {
    for (const child of this.#children) if (isRunning(child)) child.kill("SIGKILL");
  };

  readonly #endAll = (): void => process.exit(1);
}

function isRunning({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid !== undefined && exitCode === null && signalCode === null;
}

async function untilReady(
  children: Children,
  rpcPorts: readonly number[],
  homes: readonly string[],
): Promise<void> {
  const rpcs = rpcPorts.map((port) => new CometRpc(port, 1));
  const endMs = performance.now() + readyMsMax;
  try {
    for (;;) {
      const { ended } = children;
      if (ended !== undefined) throw new Error(lastLine(join(homes[ended] ?? "", "log")));
      const ready = await Promise.all(rpcs.map((rpc) => isReady(rpc)));
      if (ready.every(Boolean)) return;
      if (performance.now() > endMs) throw new Error("its nodes were not ready in time");
      await sleep(200);
    }
  } finally {
    for (const rpc of rpcs) rpc.close();
  }
}

async function isReady(rpc: CometRpc): Promise<boolean> {
  try {
    const [height, peers] = await Promise.all([rpc.height(), rpc.peers()]);
    return height >= 1 && peers === validators - 1;
  } catch {
    return false;
  }
}

/** All at once, so that they differ. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = servers.map(
    (server) =>
      new Promise<number>((resolve, reject) => {
        server.once("error", reject);
        server.listen({ host: "127.0.0.1", port: 0 }, () => {
          const address = server.address();
          resolve(typeof address === "object" && address !== null ? address.port : 0);
        });
      }),
  );
  try {
    return await Promise.all(ports);
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

function lastLine(file: string): string {
  const lines = readFileSync(file, "utf8").split("\n");
  const line = lines.findLast((each) => each.trim() !== "") ?? "it said nothing";
  return line.slice(0, 300);
}
