/** What the nodes take while something goes on: read from the system, not from the nodes. */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { cpuMsOf } from "../../bench/storage-nodes/usage.js";
import { defined } from "../../src/base/assert.js";
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
  readonly processorMs: number;
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
  /** What the attackers' own process took, which shares the cores with the nodes. */
  readonly attackersMs: number;
  /** What this process took, in which the honest participant runs. */
  readonly honestMs: number;
  /** What everything on the machine took, others' programs included. */
  readonly machineMs: number;
  readonly tallies: Readonly<Record<string, Tally>>;
  readonly violations: readonly string[];
};

type Readings = {
  residentBytes: number;
  descriptors: number;
  readonly logBytesBefore: number;
  readonly processorMsBefore: number;
};

export class Watch {
  readonly #nodes: readonly NodeProcess[];
  readonly #readings = new Map<string, Readings>();
  readonly #running: Promise<void>;
  #over = false;

  constructor(nodes: readonly NodeProcess[]) {
    this.#nodes = nodes;
    for (const { id, pid, logFile } of nodes) {
      this.#readings.set(id, {
        residentBytes: 0,
        descriptors: 0,
        logBytesBefore: statSync(logFile).size,
        processorMsBefore: processorMsOf(pid),
      });
    }
    this.#running = this.#run();
  }

  async stop(): Promise<readonly NodeFigures[]> {
    this.#over = true;
    await this.#running;
    return this.#nodes.map(({ id, role, pid, logFile }) => {
      const readings = defined(this.#readings.get(id), "a node that was there at the start");
      const { residentBytes, descriptors, logBytesBefore, processorMsBefore } = readings;
      const logBytes = statSync(logFile).size - logBytesBefore;
      // Of a process that was started again, what it took since.
      const taken = processorMsOf(pid);
      const processorMs = taken >= processorMsBefore ? taken - processorMsBefore : taken;
      return { id, role, residentBytes, descriptors, logBytes, processorMs };
    });
  }

  async #run(): Promise<void> {
    while (!this.#over) {
      for (const node of this.#nodes) if (node.running) this.#read(node);
      await sleep(intervalMs);
    }
  }

  #read({ id, pid }: NodeProcess): void {
    const readings = this.#readings.get(id);
    if (readings === undefined) return;
    try {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      const kibibytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
      readings.residentBytes = Math.max(readings.residentBytes, kibibytes * 1024);
      const open = readdirSync(`/proc/${pid}/fd`).length;
      readings.descriptors = Math.max(readings.descriptors, open);
    } catch {
      // The process has just ended, which its exit tells.
    }
  }
}

/** What all processors have spent on something since the machine started, ms. */
export function machineMs(): number {
  const times = cpus().map(({ times: { user, nice, sys, irq } }) => user + nice + sys + irq);
  return times.reduce((sum, ms) => sum + ms, 0);
}

/** User and system time of a process since it began; 0 when it is gone. */
export function processorMsOf(pid: number): number {
  try {
    return cpuMsOf(pid);
  } catch {
    return 0;
  }
}
