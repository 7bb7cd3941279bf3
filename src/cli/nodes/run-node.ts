/**
 * A node's life in its process: from its start until SIGTERM, SIGINT or a fatal error.
 *
 * SIGHUP has the node read its certificates from disk again, as daemons do. A terminal that is
 * closed sends it too; then it stops the node.
 *
 * When another process of ours started it (devnet, demo, tests), there is a channel between them:
 * the node tells over it that it is ready, and it stops when the other end is gone, so that no
 * orphans stay behind.
 */
import { closeSync, openSync } from "node:fs";
import { isatty } from "node:tty";
import { setFlagsFromString } from "node:v8";
import { printable, printableLines } from "../../base/printable.js";
import { StoreError, type StoreErrorCode } from "../../store/store-error.js";
import { adviceOnSystem } from "../text/error-message.js";
import { whenOutputEnds } from "../text/output.js";
import { sourceStack } from "../text/source-stack.js";

/** What a node gives back once it is listening. */
export type RunningNode = {
  /** Reads its certificates from disk again. */
  reload(): void;
  close(): Promise<void>;
};

/** Sent to the parent process when the node listens. */
export type ReadyMessage = { readonly bss: "ready"; readonly id: string };

/**
 * V8 looks for old objects that nobody needs when there are so many percent more of them than were
 * needed the last time. By itself it waits for up to four times as many, which cost a manager under
 * load 90 MiB and saved no processor time that could be measured.
 */
const heapGrowingPercent = 60;
/** A node that has not closed after this time is not going to. */
const closeTimeoutMs = 60_000;

/**
 * Starts a node, and when it was asked to stop closes it and ends the process: with exit code 0, or
 * 1 when closing takes too long or the node met a bug. What `start` throws is thrown on.
 */
export async function runNode(
  id: string,
  start: () => Promise<RunningNode>,
  options: { readonly debug: boolean },
): Promise<never> {
  const signals = new NodeSignals();
  setFlagsFromString(`--heap-growing-percent=${heapGrowingPercent}`);
  const node = await start().catch((error: unknown) => {
    // The channel would keep a process alive that has nothing to do any more.
    if (process.connected) process.disconnect();
    throw error;
  });
  process.on("uncaughtException", (error) => exitAfterError(error, options.debug));
  const ready: ReadyMessage = { bss: "ready", id };
  // The other end may be gone by now; then the stop has been requested.
  if (process.connected) process.send?.(ready, () => {});
  signals.onReload(() => node.reload());
  await signals.stopRequested;
  setTimeout(() => process.exit(1), closeTimeoutMs).unref();
  await node.close();
  return exit(signals);
}

class NodeSignals {
  /** Resolves at the first request to stop; later ones change nothing. */
  readonly stopRequested: Promise<void>;
  readonly #isOnTerminal = isatty(0) || isatty(1) || isatty(2);
  #reload: (() => void) | undefined;

  constructor() {
    this.stopRequested = new Promise((resolve) => {
      const stop = () => resolve();
      process.on("SIGTERM", stop).on("SIGINT", stop);
      if (process.send !== undefined) process.on("disconnect", stop);
      // A node that is still starting reads its files anyway.
      process.on("SIGHUP", () => (this.hasLostTerminal ? stop() : this.#reload?.()));
    });
    // A node goes on when nobody reads its log any more.
    whenOutputEnds(() => {});
  }

  /** Whether the terminal on which the process was started has been closed. */
  get hasLostTerminal(): boolean {
    if (!this.#isOnTerminal) return false;
    try {
      closeSync(openSync("/dev/tty", "r+"));
      return false;
    } catch {
      return true;
    }
  }

  onReload(reload: () => void): void {
    this.#reload = reload;
  }
}

/** Ends the process; without its terminal, Node.js cannot put that in order and would abort. */
function exit(signals: NodeSignals): never {
  if (signals.hasLostTerminal) {
    process.removeAllListeners("SIGHUP");
    process.kill(process.pid, "SIGHUP");
  }
  process.exit(0);
}

/**
 * Ends the process with one line: what to do where disk or limits failed, and otherwise the place
 * of the bug, which is what its operator can report.
 */
function exitAfterError(error: unknown, debug: boolean): never {
  const surroundings = surroundingsAdvice(error);
  const stack = error instanceof Error ? sourceStack(error.stack ?? "") : "";
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const place = surroundings === undefined ? (/\n\s+(at .+)/.exec(stack)?.[1] ?? "") : "";
  const bug = "this is a bug: keep the log and report it, then start the node again";
  const next = surroundings ?? bug;
  const line = `${what} ${place}`.replaceAll(/\s+/g, " ").trim();
  process.stderr.write(`bss: ${printable(line)}; ${next}\n`);
  if (debug) process.stderr.write(`${printableLines(stack)}\n`);
  process.exit(1);
}

/** What helps against an error that is no bug, wherever in its causes it stands. */
function surroundingsAdvice(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const mended = cause instanceof StoreError && mendable.has(cause.code);
    if (mended) return "this is no bug of the node: mend that, then start the node again";
    const advice = adviceOnSystem(cause);
    if (advice !== undefined) return `${advice}, then start the node again`;
  }
  return undefined;
}

/** What a node's operator can mend; the message says how. */
const mendable: ReadonlySet<StoreErrorCode> = new Set(["DISK_FULL", "TOO_MANY_FILES", "IO"]);
