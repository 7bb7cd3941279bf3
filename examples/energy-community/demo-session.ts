/** What a running demo is made of. */
import { join } from "node:path";
import type { NodeProcesses } from "../../src/cli/nodes/node-processes.js";
import { type BssClient, connect, type GenesisState, readGenesis } from "../../src/client/index.js";
import { readSeedFile, readTlsFiles } from "../../src/config/key-files.js";
import { loadProfile } from "../../src/config/profile.js";
import { profileFileOf } from "./community-keys.js";
import type { DemoPlan } from "./demo-plan.js";
import type { DemoReport } from "./demo-report.js";
import type { HourRecords } from "./records.js";

export type DemoSession = {
  readonly plan: DemoPlan;
  /** The consortium's. */
  readonly directory: string;
  readonly processes: NodeProcesses;
  readonly records: HourRecords;
  readonly clients: Clients;
  readonly report: DemoReport;
  readonly signal: AbortSignal;
};

/** The participants' own connections. */
export class Clients {
  readonly #directory: string;
  /** Read once: with many participants it is large. */
  readonly #genesis: GenesisState;
  readonly #open = new Map<string, Promise<BssClient>>();

  /** `directory` is the consortium's. Throws `ConfigError`. */
  constructor(directory: string) {
    this.#directory = directory;
    this.#genesis = readGenesis(join(directory, "genesis.json"));
  }

  /** A participant's connection, which stays open. Throws `ConfigError`. */
  of(id: string): Promise<BssClient> {
    const open = this.#open.get(id) ?? this.#connect(id);
    this.#open.set(id, open);
    return open;
  }

  /** Runs `work` on a connection of its own. */
  async with<T>(id: string, work: (client: BssClient) => Promise<T>): Promise<T> {
    const client = await this.#connect(id);
    try {
      return await work(client);
    } finally {
      client.close();
    }
  }

  close(): void {
    for (const open of this.#open.values()) void open.then((client) => client.close());
    this.#open.clear();
  }

  async #connect(participantId: string): Promise<BssClient> {
    const profile = loadProfile(profileFileOf(this.#directory, participantId));
    return connect({
      id: profile.id,
      role: profile.role,
      addresses: profile.addresses,
      tls: readTlsFiles(profile.tls),
      genesis: this.#genesis,
      signingSeed: readSeedFile(profile.signingKeyFile),
    });
  }
}
