/** The consortium of a benchmark: one that runs already, or one of its own for the time. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { initConsortium } from "../src/cli/init/init-consortium.js";
import { findConfigFiles, type NodeProcess, startNodes } from "../src/cli/nodes/node-processes.js";
import { type BssClient, connect, readProfile } from "../src/client/index.js";
import { loadNodeConfig, type NodeConfig } from "../src/config/node-config.js";
import { createChannel, type RpcChannel } from "../src/rpc/channels/channel.js";
import { freeBasePort } from "../test/support/free-ports.js";
import { quarterMeterIds } from "./loads/readings.js";

const consortiumName = "bench";

export type OwnConsortiumOptions = {
  readonly sizes: {
    readonly managers: number;
    readonly storage: number;
    readonly participants: number;
    /** Of each participant, besides its hourly one: quarter-hour meters for load profiles. */
    readonly profileMeters?: number;
  };
  readonly basePort?: number | undefined;
  /** The `bss` of another build, for its nodes. */
  readonly mainFile?: string | undefined;
  /** Changes config files before the nodes start. */
  readonly prepare?: ((configs: readonly NodeConfig[]) => Promise<void>) | undefined;
};

export type OwnConsortium = {
  readonly directory: string;
  readonly configs: readonly NodeConfig[];
  /** None of a consortium that somebody else started. */
  readonly nodes: readonly NodeProcess[];
  /** One for each participant, in the order of their numbers. */
  readonly clients: readonly BssClient[];
};

/** Runs `work` with a consortium whose nodes are up: that of `running`, or one of its own. */
export async function withConsortium(
  running: string | undefined,
  options: OwnConsortiumOptions,
  work: (consortium: OwnConsortium) => Promise<void>,
): Promise<void> {
  if (running === undefined) return withOwnConsortium(options, work);
  const configs = findConfigFiles(running).map(loadNodeConfig);
  const clients = await clientsOf(running, options.sizes.participants);
  try {
    await work({ directory: running, configs, nodes: [], clients });
  } finally {
    for (const client of clients) client.close();
  }
}

/** Runs `work` with a consortium that is there for it alone, and removes it afterwards. */
export async function withOwnConsortium(
  { sizes, basePort, mainFile, prepare }: OwnConsortiumOptions,
  work: (consortium: OwnConsortium) => Promise<void>,
): Promise<void> {
  const parent = mkdtempSync(join(tmpdir(), "bss-bench-"));
  try {
    const directory = join(parent, "consortium");
    const ports = basePort ?? (await freeBasePort(Math.max(sizes.managers, sizes.storage)));
    const communityFile = join(parent, "community.yaml");
    writeFileSync(communityFile, communityOf(sizes));
    const { managers, storage, participants } = sizes;
    const counts = { managers, storage, participants };
    await initConsortium(directory, {
      name: consortiumName,
      basePort: ports,
      communityFile,
      ...counts,
    });
    const files = findConfigFiles(directory);
    for (const file of files) {
      writeFileSync(file, readFileSync(file, "utf8").replace("level: info", "level: warn"));
    }
    const configs = files.map(loadNodeConfig);
    await prepare?.(configs);
    const { nodes, stop } = await startNodes(directory, { ...(mainFile && { mainFile }) });
    let clients: readonly BssClient[] = [];
    try {
      clients = await clientsOf(directory, sizes.participants);
      await work({ directory, configs, nodes, clients });
    } finally {
      for (const client of clients) client.close();
      await stop();
    }
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
}

/** A channel to each manager of a consortium of its own, with the participant's certificate. */
export function channelsToManagers(
  configs: readonly NodeConfig[],
  { tls }: BssClient["profile"],
): readonly RpcChannel[] {
  return configs
    .filter(({ role }) => role === "manager")
    .map(({ id, listen }) =>
      createChannel({
        address: `${listen.host}:${listen.port}`,
        tls,
        expected: { role: "manager", id, consortiumName },
      }),
    );
}

/** Participants with the meters whose records readings.ts makes. */
function communityOf({ participants, profileMeters = 0 }: OwnConsortiumOptions["sizes"]): string {
  const meter = (id: string, intervalS: number) =>
    `      - {id: ${id}, rated_power_w: 25000, interval_s: ${intervalS}}`;
  const each = Array.from({ length: participants }, (_, i) => {
    const id = `participant-${i + 1}`;
    const quarters = quarterMeterIds(id, profileMeters).map((meterId) => meter(meterId, 900));
    return [`  - id: ${id}`, "    meters:", meter(`meter-${i + 1}`, 3_600), ...quarters];
  });
  return `${["participants:", ...each.flat()].join("\n")}\n`;
}

/** Of the first participants, as many as there are and at most so many. */
async function clientsOf(directory: string, count: number): Promise<readonly BssClient[]> {
  const files = Array.from({ length: count }, (_, i) =>
    join(directory, "participants", `participant-${i + 1}`, "profile.yaml"),
  );
  return Promise.all(files.filter(existsSync).map((file) => connect(readProfile(file))));
}
