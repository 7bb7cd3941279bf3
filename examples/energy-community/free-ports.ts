/** Room for a consortium's ports on this machine, beside whatever else is listening there. */
import { createServer } from "node:net";
import { CliError } from "../../src/cli/cli-error.js";
import { defaultBasePort, portOffsets } from "../../src/cli/consortium/defaults.js";

const host = "127.0.0.1";
const step = 20;
/** Stays below 32768, where systems begin to give out ports by themselves. */
const basePortMax = 30_000;

export type NodeCounts = { readonly managers: number; readonly storage: number };

/** The first base port from the usual one on under which all ports are free. Throws `CliError`. */
export async function freeBasePort(counts: NodeCounts): Promise<number> {
  for (let basePort = defaultBasePort; basePort <= basePortMax; basePort += step) {
    if (await allFree(portsOf(basePort, counts))) return basePort;
  }
  const what = `no free ports from ${defaultBasePort} to ${basePortMax}`;
  throw new CliError(what, "stop what is listening there");
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

async function allFree(ports: readonly number[]): Promise<boolean> {
  for (const port of ports) if (!(await isFree(port))) return false;
  return true;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
