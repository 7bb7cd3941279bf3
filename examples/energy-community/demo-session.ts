/** What a running demo works with: its plan, the nodes, and the keys and clients of the homes. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { NodeProcesses } from "../../src/cli/nodes/node-processes.js";
import { CliError } from "../../src/cli/text/cli-error.js";
import { type BssClient, connect, type GenesisState, readGenesis } from "../../src/client/index.js";
import { readSeedFile, readTlsFiles } from "../../src/config/key-files.js";
import { loadProfile } from "../../src/config/profile.js";
import { sha256 } from "../../src/crypto/hash.js";
import { meterIntervalS } from "./community/community.js";
import { type CommunityDay, daysOf } from "./community/community-days.js";
import { Community, type CommunityHour } from "./community/community-hours.js";
import type { DataProblems } from "./community/data-problems.js";
import { CommunitySums } from "./community/energy-sums.js";
import type { DemoReport } from "./demo-report.js";
import type { DemoSettings } from "./demo-settings.js";
import type { CommunityKeys, DayRecords } from "./records.js";
import { TariffPrices } from "./settlement/tariff.js";

export type DemoSession = {
  readonly plan: DemoPlan;
  /** The consortium's. */
  readonly directory: string;
  readonly processes: NodeProcesses;
  readonly records: DayRecords;
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

export function profileFileOf(directory: string, participantId: string): string {
  return join(directory, "participants", participantId, "profile.yaml");
}

/**
 * The keys of the homes and of the head-end, in a directory that `bss init` made. A key is read
 * when it is first asked for. Throws `ConfigError`, now or then.
 */
export function communityKeys(directory: string): CommunityKeys {
  const seeds = new Map<string, Uint8Array>();
  return {
    consortiumId: sha256(readFileSync(join(directory, "genesis.json"))),
    seedOf(id) {
      const known = seeds.get(id);
      if (known !== undefined) return known;
      const seed = readSeedFile(loadProfile(profileFileOf(directory, id)).signingKeyFile);
      seeds.set(id, seed);
      return seed;
    },
  };
}

/** What is going to be recorded, known before any of it is recorded. */
export type DemoPlan = {
  readonly community: Community;
  /** The days of this run; each call reads the data anew. */
  readonly days: (problems: DataProblems) => AsyncIterable<CommunityDay>;
  /** Of all days. */
  readonly tariff: TariffPrices;
  /** What the ledger has to hold at the end. */
  readonly sums: CommunitySums;
  readonly firstDay: CommunityDay;
  /** The first hour with a trade, if there is one. */
  readonly tradeHour?: CommunityHour;
  /** Unix s. */
  readonly startS: number;
  /** Unix s. */
  readonly endS: number;
};

/** Reads the data for the first time. Throws `CliError` if there is nothing to record. */
export async function planDemo(
  { dataDirectory, daysMax }: DemoSettings,
  problems: DataProblems,
  signal: AbortSignal,
): Promise<DemoPlan> {
  const community = await Community.open(dataDirectory, problems);
  const sums = new CommunitySums(community.homes.map(({ id }) => id));
  const tariff = new TariffPrices();
  const days = (found: DataProblems) => daysOf(community.hours(found), daysMax);
  let firstDay: CommunityDay | undefined;
  let tradeHour: CommunityHour | undefined;
  let lastHour: CommunityHour | undefined;
  for await (const day of days(problems)) {
    signal.throwIfAborted();
    sums.add(day);
    tariff.add(day);
    firstDay ??= day;
    tradeHour ??= day.hours.find(({ trades }) => trades.length > 0);
    lastHour = day.hours.at(-1);
  }
  const firstHour = firstDay?.hours[0];
  if (firstDay === undefined || firstHour === undefined || lastHour === undefined) {
    const what = [`no hour of ${dataDirectory} can be read`, ...problems.lines()].join("; ");
    throw new CliError(what, "mend the files, or leave DEMO_DATA out");
  }
  return {
    community,
    days,
    tariff,
    sums,
    firstDay,
    ...(tradeHour === undefined ? {} : { tradeHour }),
    startS: firstHour.startS,
    endS: lastHour.startS + meterIntervalS,
  };
}
