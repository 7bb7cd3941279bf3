/** What the managers' metrics say of objections and suspensions. */
import type { NodeConfig } from "../../src/config/node-config.js";

export type ManagerCounters = {
  readonly id: string;
  /** Signed by this manager. */
  readonly objections: number;
  /** Of managers, by the blocks that it has seen. */
  readonly suspensions: number;
};

/** Of every manager among the nodes. */
export async function readCounters(
  configs: readonly NodeConfig[],
): Promise<readonly ManagerCounters[]> {
  const counters: ManagerCounters[] = [];
  for (const { id, role, metrics } of configs) {
    if (role !== "manager" || metrics === undefined) continue;
    // The server closes a connection that nothing comes on, which a kept one would run into.
    const headers = { connection: "close" };
    const answer = await fetch(`http://${metrics.host}:${metrics.port}/metrics`, { headers });
    const text = await answer.text();
    const sumOf = (metric: string) => sumOfSeries(text, metric);
    const objections = sumOf("bss_objections_total");
    counters.push({ id, objections, suspensions: sumOf("bss_suspensions_total") });
  }
  return counters;
}

function sumOfSeries(text: string, metric: string): number {
  return text
    .split("\n")
    .filter((line) => line.startsWith(`${metric}{`) || line.startsWith(`${metric} `))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}
