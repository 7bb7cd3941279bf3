/**
 * One line for each refused caller and reason in a minute, however often it comes back: anybody who
 * reaches the port can cause these.
 */
import type { Logger } from "pino";

const windowMs = 60_000;
const linesPerWindowMax = 20;

export function refusalLog(
  log: Pick<Logger, "warn">,
  monotonicMs: () => number,
): (peerAddress: string, reason: string) => void {
  const told = new Set<string>();
  let windowStartMs = monotonicMs();
  let untold = 0;
  return (peerAddress, reason) => {
    if (monotonicMs() - windowStartMs >= windowMs) {
      windowStartMs = monotonicMs();
      told.clear();
    }
    const key = `${peerAddress} ${reason}`;
    if (told.has(key) || told.size >= linesPerWindowMax) {
      untold += 1;
      return;
    }
    told.add(key);
    log.warn({ peerAddress, reason, untold }, "refused a caller");
    untold = 0;
  };
}
