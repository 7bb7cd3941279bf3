/** Room for a consortium's ports on this machine, beside whatever else is listening there. */

import { defaultBasePort, portOffsets } from "../../src/cli/init/defaults.js";
import { CliError } from "../../src/cli/text/cli-error.js";
import { listenFailure } from "../../src/rpc/server/listen-check.js";

const host = "127.0.0.1";
const step = 20;
/** Stays below 32768, where systems begin to give out ports by themselves. */
const basePortMax = 30_000;

export type NodeCounts = { readonly managers: number; readonly storage: number };

/**
 * The base port that is wanted, or the first one from the usual one on, under which all ports are
 * free. Throws `CliError`.
 */
export async function freeBasePort(counts: NodeCounts, wanted?: number): Promise<number> {
  if (wanted !== undefined) {
    const taken = await takenPort(wanted, counts);
    if (taken === undefined) return wanted;
    const what = `DEMO_PORT=${wanted} does not do: port ${taken} is taken or not allowed`;
    throw new CliError(what, "give another one, or none: then free ports are looked for");
  }
  for (let basePort = defaultBasePort; basePort <= basePortMax; basePort += step) {
    if ((await takenPort(basePort, counts)) === undefined) return basePort;
  }
  const what = `no free ports from ${defaultBasePort} to ${basePortMax}`;
  throw new CliError(what, "stop what is listening there, or choose with DEMO_PORT");
}

/** The first port under a base port that nobody could listen on now. */
async function takenPort(basePort: number, counts: NodeCounts): Promise<number | undefined> {
  for (const port of portsOf(basePort, counts)) {
    if ((await listenFailure({ host, port })) !== undefined) return port;
  }
  return undefined;
}

function portsOf(basePort: number, { managers, storage }: NodeCounts): readonly number[] {
  const range = (offset: number, count: number) =>
    Array.from({ length: count }, (_, index) => basePort + offset + index + 1);
  return [
    ...range(portOffsets.manager, managers),
    ...range(portOffsets.managerMetrics, managers),
    ...range(portOffsets.storage, storage),
    ...range(portOffsets.storageMetrics, storage),
  ];
}
