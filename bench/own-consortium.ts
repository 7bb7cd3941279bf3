/** The consortium of a benchmark: one that runs already, or one of its own for the time. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { initConsortium } from "../src/cli/init/init-consortium.js";
import { findConfigFiles, type NodeProcess, startNodes } from "../src/cli/nodes/node-processes.js";
import { type BssClient, connect, readProfile } from "../src/client/index.js";
import { loadNodeConfig, type NodeConfig } from "../src/config/node-config.js";
import { freeBasePort } from "../test/support/free-ports.js";

export type OwnConsortiumOptions = {
  readonly sizes: {
    readonly managers: number;
    readonly storage: number;
    readonly participants: number;
  };
  readonly basePort?: number | undefined;
  /** The `bss` of another build, for its nodes. */
  readonly mainFile?: string | undefined;
};

export type OwnConsortium = {
  readonly directory: string;
  readonly configs: readonly NodeConfig[];
  readonly nodes: readonly NodeProcess[];
  /** One for each participant, in the order of their numbers. */
  readonly clients: readonly BssClient[];
};

/** Runs `work` with the directory of a consortium whose nodes are up. */
export async function withConsortium(
  running: string | undefined,
  work: (directory: string) => Promise<void>,
): Promise<void> {
  if (running !== undefined) return work(running);
  const sizes = { managers: 4, storage: 7, participants: 1 };
  await withOwnConsortium({ sizes }, ({ directory }) => work(directory));
}

/** Runs `work` with a consortium that is there for it alone, and removes it afterwards. */
export async function withOwnConsortium(
  { sizes, basePort, mainFile }: OwnConsortiumOptions,
  work: (consortium: OwnConsortium) => Promise<void>,
): Promise<void> {
  const parent = mkdtempSync(join(tmpdir(), "bss-bench-"));
  try {
    const directory = join(parent, "consortium");
    const ports = basePort ?? (await freeBasePort(Math.max(sizes.managers, sizes.storage)));
    await initConsortium(directory, { name: "bench", basePort: ports, ...sizes });
    const files = findConfigFiles(directory);
    for (const file of files) {
      writeFileSync(file, readFileSync(file, "utf8").replace("level: info", "level: warn"));
    }
    const { nodes, stop } = await startNodes(directory, { ...(mainFile && { mainFile }) });
    const clients: BssClient[] = [];
    try {
      for (let i = 1; i <= sizes.participants; i++) {
        const file = join(directory, "participants", `participant-${i}`, "profile.yaml");
        clients.push(await connect(readProfile(file)));
      }
      await work({ directory, configs: files.map(loadNodeConfig), nodes, clients });
    } finally {
      for (const client of clients) client.close();
      await stop();
    }
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
}
