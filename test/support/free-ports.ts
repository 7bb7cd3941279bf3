/** Ports for consortiums of real processes: others on this machine may hold any of them. */
import { createServer } from "node:net";
import { portOffsets } from "../../src/cli/init/defaults.js";

/** Below the range from which systems take the ports of outgoing connections. */
const basePorts = { from: 10_000, to: 29_000 };
const attemptsMax = 50;
/** Ports of ranges that were given out; who got one may not listen yet. */
const taken = new Set<number>();

/**
 * A base port of which all ports that `count` managers and storage nodes would take are free, and
 * are not given out again in this process.
 */
export async function freeBasePort(count: number): Promise<number> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const base = basePorts.from + Math.floor(Math.random() * (basePorts.to - basePorts.from));
    const ports = Object.values(portOffsets).flatMap((offset) =>
      Array.from({ length: count }, (_, index) => base + offset + index + 1),
    );
    if (ports.some((port) => taken.has(port))) continue;
    const free = await Promise.all(ports.map(isFree));
    if (!free.every(Boolean)) continue;
    for (const port of ports) taken.add(port);
    return base;
  }
  throw new Error("no free range of ports");
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host: "127.0.0.1", port }, () => server.close(() => resolve(true)));
  });
}
