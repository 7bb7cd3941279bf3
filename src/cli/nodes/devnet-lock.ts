/**
 * One `bss devnet` for a directory: a second one would find ports and stores taken, node by node,
 * and could not say by whom.
 */
import { join, resolve } from "node:path";
import { unseenHolderError } from "../members/unseen-holder.js";
import { acquireLock, type ProcessLock } from "../process-lock.js";
import { CliError } from "../text/cli-error.js";

/** Throws `CliError`, naming the process that runs the directory's nodes. */
export async function lockDevnet(directory: string): Promise<ProcessLock> {
  const acquired = await acquireLock(join(resolve(directory), "devnet"));
  if (acquired.ok) return acquired.value;
  const { pid, isSeen } = acquired.error;
  const what = `another 'bss devnet' runs the nodes of ${resolve(directory)}`;
  if (!isSeen) throw unseenHolderError(what, acquired.error);
  throw new CliError(
    `${what} (process ${pid})`,
    "stop it there with Ctrl-C, or make another consortium with 'bss init --base-port'",
  );
}
