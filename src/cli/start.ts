/**
 * `bss start`: one node in this process, until SIGTERM, SIGINT or a fatal error.
 *
 * When another process of ours started it (devnet, demo, tests), there is a channel between them:
 * the node tells over it that it is ready, and it stops when the other end is gone, so that no
 * orphans stay behind.
 */
import type { Command } from "commander";
import {
  loadNodeConfig,
  type ManagerConfig,
  type NodeConfig,
  type StorageNodeConfig,
} from "../config/node-config.js";
import { errorMessage } from "./error-message.js";

type ManagerModule = { startManager(config: ManagerConfig): Promise<RunningNode> };
type StorageModule = { startStorageNode(config: StorageNodeConfig): Promise<RunningNode> };

/** What a node gives back once it is listening. */
export type RunningNode = { close(): Promise<void> };

/** Sent to the parent process when the node listens. */
export type ReadyMessage = { readonly bss: "ready"; readonly id: string };

/** A node that has not closed after this time is not going to. */
const closeTimeoutMs = 60_000;

export function register(program: Command): void {
  program
    .command("start")
    .summary("run one node")
    .description("Runs one node in the foreground. SIGTERM or Ctrl-C stops it cleanly.")
    .requiredOption("-c, --config <file>", "the node's config.yaml")
    .action(async (options: { readonly config: string }, command: Command) => {
      const debug = command.optsWithGlobals<{ debug?: boolean }>().debug === true;
      const stopRequested = stopRequest();
      const config = loadNodeConfig(options.config);
      const node = await startNode(config);
      process.on("uncaughtException", (error) => exitAfter(error, debug));
      const ready: ReadyMessage = { bss: "ready", id: config.id };
      process.send?.(ready);
      await stopRequested;
      setTimeout(() => process.exit(1), closeTimeoutMs).unref();
      await node.close();
      process.exit(0);
    });
}

async function startNode(config: NodeConfig): Promise<RunningNode> {
  // Only the code of the node's own role is loaded.
  if (config.role === "manager") {
    const { startManager }: ManagerModule = await import(entryPoint("manager/manager-node.js"));
    return startManager(config);
  }
  const { startStorageNode }: StorageModule = await import(
    entryPoint("storage-node/storage-node.js")
  );
  return startStorageNode(config);
}

function entryPoint(path: string): string {
  return new URL(`../${path}`, import.meta.url).href;
}

/**
 * Resolves at the first request to stop; later ones change nothing, the timeout above sees to the
 * end.
 */
function stopRequest(): Promise<void> {
  return new Promise((resolve) => {
    const request = () => resolve();
    process.on("SIGTERM", request).on("SIGINT", request);
    if (process.send !== undefined) process.on("disconnect", request);
  });
}

/**
 * A node that met one of its own bugs stops; the place of the bug is what its operator can report.
 */
function exitAfter(error: unknown, debug: boolean): never {
  const place = error instanceof Error ? /\n\s+(at .+)/.exec(error.stack ?? "")?.[1] : undefined;
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const next = "this is a bug: keep the log and report it, then start the node again";
  const message = `bss: ${what}${place === undefined ? "" : ` ${place}`}; ${next}`;
  process.stderr.write(`${message.replaceAll(/\s+/g, " ")}\n`);
  if (debug) process.stderr.write(`${errorMessage(error, true)}\n`);
  process.exit(1);
}
