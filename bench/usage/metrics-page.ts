/** What nodes say about themselves under /metrics, in Prometheus' text format. */
import type { NodeConfig } from "../../src/config/node-config.js";

/** The sum of all series of a metric, by its name. */
export type MetricsPage = ReadonlyMap<string, number>;

const timeoutMs = 10_000;

/** Undefined when the node serves no metrics, or does not answer. */
export async function readMetrics({ metrics }: NodeConfig): Promise<MetricsPage | undefined> {
  if (metrics === undefined) return undefined;
  try {
    const url = `http://${metrics.host}:${metrics.port}/metrics`;
    const answer = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    return answer.ok ? parseMetrics(await answer.text()) : undefined;
  } catch {
    return undefined;
  }
}

export function parseMetrics(text: string): MetricsPage {
  const sums = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, name, value] = /^([a-zA-Z_:][\w:]*)(?:\{.*\})? (\S+)/.exec(line) ?? [];
    if (name === undefined) continue;
    sums.set(name, (sums.get(name) ?? 0) + Number(value));
  }
  return sums;
}
