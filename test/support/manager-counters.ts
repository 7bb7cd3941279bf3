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
  return (await readMetrics(configs)).map(({ id, text }) => {
    const objections = sumOfSeries(text, "bss_objections_total");
    return { id, objections, suspensions: sumOfSeries(text, "bss_suspensions_total") };
  });
}

/** A metric of every manager among the nodes, summed over its labels. */
export async function sumOfMetric(
  configs: readonly NodeConfig[],
  metric: string,
): Promise<readonly number[]> {
  return (await readMetrics(configs)).map(({ text }) => sumOfSeries(text, metric));
}

async function readMetrics(configs: readonly NodeConfig[]) {
  const read: { readonly id: string; readonly text: string }[] = [];
  for (const { id, role, metrics } of configs) {
    if (role !== "manager" || metrics === undefined) continue;
    // The server closes a connection that nothing comes on, which a kept one would run into.
    const headers = { connection: "close" };
    const answer = await fetch(`http://${metrics.host}:${metrics.port}/metrics`, { headers });
    read.push({ id, text: await answer.text() });
  }
  return read;
}

function sumOfSeries(text: string, metric: string): number {
  return text
    .split("\n")
    .filter((line) => line.startsWith(`${metric}{`) || line.startsWith(`${metric} `))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}
