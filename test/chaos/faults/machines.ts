/** What befalls machines: a disk that takes no more, a clock that is set. */
import { execFileSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { NodeProcess } from "../../../src/cli/nodes/node-processes.js";
import type { Fault } from "./fault.js";

/** Room that is left beyond the longest file, bytes. */
const roomBytesMax = 32 * 1024;
/** What a node may still write to its own log, bytes. */
const logRoomBytes = 32 * 1024;

const clockStepsMs = [-600_000, -90_000, -5_000, 5_000, 40_000, 90_000, 600_000];

/**
 * No file of the process may grow beyond a size that its write-ahead log soon has: the system
 * refuses the write, as it does on a full disk. The node is expected to stop by itself; it is
 * started again, with the limit gone, when the phase is over.
 */
export const fillDisk: Fault = async (world, { targets, strength }) => {
  const nodes = targets.map((id) => world.consortium.node(id));
  for (const node of nodes) {
    world.doomed.add(node.id);
    limitFiles(node, Math.round(strength * roomBytesMax));
  }
  return async () => {
    for (const node of nodes) {
      const ended = node.running ? "goes on and is killed" : "has stopped by itself";
      world.journal.log(`  ${node.id} ${ended}`);
      node.kill("SIGKILL");
      await node.exited;
    }
    await world.revive(targets);
  };
};

/** Another time of day for the targets, while they run. */
export const moveClock: Fault = async (world, { targets, strength }) => {
  const offsetMs = clockStepsMs[Math.floor(strength * clockStepsMs.length)] ?? 0;
  world.journal.log(`  by ${offsetMs / 1000} s`);
  for (const id of targets) world.setClock(id, offsetMs);
  return async () => {
    for (const id of targets) world.setClock(id, 0);
  };
};

function limitFiles(node: NodeProcess, roomBytes: number): void {
  const { dataDirectory } = node.config;
  const logs = readdirSync(dataDirectory, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".log"))
    .map((name) => statSync(join(dataDirectory, name)).size);
  const ownLog = statSync(node.logFile).size + logRoomBytes;
  const limit = Math.max(ownLog, ...logs) + roomBytes;
  execFileSync("prlimit", [`--pid=${node.pid}`, `--fsize=${limit}:`]);
}
