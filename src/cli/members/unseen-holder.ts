import type { LockHolder } from "../process-lock.js";
import { CliError } from "../text/cli-error.js";
import { formatTime } from "../text/output.js";

/**
 * A lock whose holder is on another machine or in another container, or that cannot be read: only a
 * person can tell whether it is still needed.
 */
export function unseenHolderError(
  what: string,
  { pid, host, sinceMs, claimFile }: LockHolder,
): CliError {
  const since = sinceMs > 0 ? `, since ${formatTime(sinceMs)}` : "";
  return new CliError(
    `${what} (process ${pid} of ${host}${since}, which cannot be seen from here)`,
    `if that process has ended, remove ${claimFile}`,
  );
}
