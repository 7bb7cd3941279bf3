/** The consortium of a benchmark: one that runs already, or one of its own for the time. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { initConsortium } from "../src/cli/consortium/init-consortium.js";
import { findConfigFiles, startNodes } from "../src/cli/nodes/node-processes.js";
import { freeBasePort } from "../test/support/free-ports.js";

const sizes = { managers: 4, storage: 7, participants: 1 };

/** Runs `work` with the directory of a consortium whose nodes are up. */
export async function withConsortium(
  running: string | undefined,
  work: (directory: string) => Promise<void>,
): Promise<void> {
  if (running !== undefined) return work(running);
  const parent = mkdtempSync(join(tmpdir(), "bss-bench-"));
  try {
    const directory = join(parent, "consortium");
    const basePort = await freeBasePort(Math.max(sizes.managers, sizes.storage));
    await initConsortium(directory, { name: "bench", basePort, ...sizes });
    for (const file of findConfigFiles(directory)) {
      const text = readFileSync(file, "utf8");
      writeFileSync(file, text.replace("level: info", "level: warn"));
    }
    const { stop } = await startNodes(directory);
    try {
      await work(directory);
    } finally {
      await stop();
    }
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
}
