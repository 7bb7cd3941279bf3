/** Ports for consortiums of real processes: others on this machine may hold any of them. */
import { createServer, type Server } from "node:net";
import { assert } from "../../src/base/assert.js";
import { portOffsets } from "../../src/cli/init/defaults.js";

/** Below the range from which systems take the ports of outgoing connections. */
const ports = { from: 10_000, to: 30_000 };
const { storage, managerMetrics } = portOffsets;

/** None takes a port of another one: each has 200 ports, and 200 more for metrics. */
const basePorts: readonly number[] = Array.from(
  { length: (ports.to - ports.from) / (2 * storage) },
  (_, index) => ports.from + 2 * storage * index,
).filter((port) => Math.floor((port - ports.from) / managerMetrics) % 2 === 0);

/**
 * A base port of which all ports that `count` managers and storage nodes would take are free. No
 * other process that asks here gets it while this one lives: who listens on a base port, which no
 * node does, has its range. Nodes may not listen yet, or may be away.
 */
export async function freeBasePort(count: number): Promise<number> {
  assert(count < storage, "managers and storage nodes have ports of their own");
  const start = Math.floor(Math.random() * basePorts.length);
  for (const base of [...basePorts.slice(start), ...basePorts.slice(0, start)]) {
    const claim = await listen(base);
    if (claim === undefined) continue;
    const needed = Object.values(portOffsets).flatMap((offset) =>
      Array.from({ length: count }, (_, index) => base + offset + index + 1),
    );
    const free = await Promise.all(needed.map(isFree));
    if (free.every(Boolean)) return base;
    claim.close();
  }
  throw new Error("no free range of ports");
}

async function isFree(port: number): Promise<boolean> {
  const server = await listen(port);
  if (server === undefined) return false;
  await new Promise((resolve) => server.close(resolve));
  return true;
}

/** Does not keep the process alive. */
function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer().unref();
    server.once("error", () => resolve(undefined));
    server.listen({ host: "127.0.0.1", port }, () => resolve(server));
  });
}
