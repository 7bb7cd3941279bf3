/** What the nodes take while something goes on: read from the system, not from the nodes. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { NodeProcess } from "../../src/cli/nodes/node-processes.js";
import type { Tally } from "./attack.js";
import type { HonestFigures } from "./honest.js";

const intervalMs = 250;

export type NodeFigures = {
  readonly id: string;
  readonly role: NodeProcess["role"];
  /** The most that was resident at one time. */
  readonly residentBytes: number;
  /** The most that were open at one time. */
  readonly descriptors: number;
  readonly logBytes: number;
};

export type PhaseFigures = {
  readonly name: string;
  readonly seconds: number;
  readonly nodes: readonly NodeFigures[];
  readonly blocks: number;
  readonly emptyBlocks: number;
  /** Managers that are honest and were suspended. */
  readonly suspended: readonly string[];
  readonly exits: readonly { readonly id: string; readonly how: string }[];
  readonly honest: HonestFigures;
  /** How long it took until the honest participant was served again; undefined if it was not. */
  readonly recoveryMs?: number;
  readonly tallies: Readonly<Record<string, Tally>>;
  readonly violations: readonly string[];
};

type Highest = { residentBytes: number; descriptors: number; logBytesBefore: number };

export class Watch {
  readonly #nodes: readonly NodeProcess[];
  readonly #highest = new Map<string, Highest>();
  readonly #running: Promise<void>;
  #over = false;

  constructor(nodes: readonly NodeProcess[]) {
    this.#nodes = nodes;
    for (const { id, logFile } of nodes) {
      const logBytesBefore = statSync(logFile).size;
      this.#highest.set(id, { residentBytes: 0, descriptors: 0, logBytesBefore });
    }
    this.#running = this.#run();
  }

  async stop(): Promise<readonly NodeFigures[]> {
    this.#over = true;
    await this.#running;
    return this.#nodes.map(({ id, role, logFile }) => {
      const {
        residentBytes = 0,
        descriptors = 0,
        logBytesBefore = 0,
      } = this.#highest.get(id) ?? {};
      const logBytes = statSync(logFile).size - logBytesBefore;
      return { id, role, residentBytes, descriptors, logBytes };
    });
  }

  async #run(): Promise<void> {
    while (!this.#over) {
      for (const node of this.#nodes) if (node.running) this.#read(node);
      await sleep(intervalMs);
    }
  }

  #read({ id, pid }: NodeProcess): void {
    const highest = this.#highest.get(id);
    if (highest === undefined) return;
    try {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      const kibibytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
      highest.residentBytes = Math.max(highest.residentBytes, kibibytes * 1024);
      const open = readdirSync(`/proc/${pid}/fd`).length;
      highest.descriptors = Math.max(highest.descriptors, open);
    } catch {
      // The process has just ended, which its exit tells.
    }
  }
}
