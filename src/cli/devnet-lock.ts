/**
 * One `bss devnet` for a directory: a second one would find ports and stores taken, node by node,
 * and could not say by whom. The file holds the process id of the one that runs; what a crash left
 * behind is taken over.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { CliError } from "./cli-error.js";

export type DevnetLock = { release(): void };

/** Throws `CliError`, naming the process that runs the directory's nodes. */
export function lockDevnet(directory: string): DevnetLock {
  const file = join(resolve(directory), "devnet.pid");
  for (;;) {
    try {
      writeFileSync(file, `${process.pid}\n`, { flag: "wx", mode: 0o600 });
      return { release: () => rmSync(file, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const pid = Number(readFileSync(file, "utf8"));
    if (isDevnet(pid)) {
      throw new CliError(
        `another 'bss devnet' runs the nodes of ${resolve(directory)} (process ${pid})`,
        "stop it there with Ctrl-C, or make another consortium with 'bss init --base-port'",
      );
    }
    rmSync(file, { force: true });
  }
}

/** Whether the process runs and, where that can be told, is what wrote the file. */
function isDevnet(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid < 1 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("devnet");
  } catch {
    return true;
  }
}
