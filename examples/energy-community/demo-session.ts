/** What a running demo is made of. */
import type { NodeProcesses } from "../../src/cli/node-processes.js";
import { type BssClient, connect, readProfile } from "../../src/client/index.js";
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

/** Connections by participant. */
export class Clients {
  readonly #directory: string;
  readonly #open = new Map<string, Promise<BssClient>>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  of(id: string): Promise<BssClient> {
    const open = this.#open.get(id) ?? connect(readProfile(profileFileOf(this.#directory, id)));
    this.#open.set(id, open);
    return open;
  }

  close(): void {
    for (const open of this.#open.values()) void open.then((client) => client.close());
    this.#open.clear();
  }
}
