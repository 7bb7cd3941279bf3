import type { Command } from "commander";
import {
  loadNodeConfig,
  type ManagerConfig,
  type NodeConfig,
  type StorageNodeConfig,
} from "../config/node-config.js";
import { type RunningNode, runNode } from "./run-node.js";

type ManagerModule = { startManager(config: ManagerConfig): Promise<RunningNode> };
type StorageModule = { startStorageNode(config: StorageNodeConfig): Promise<RunningNode> };

/** `bss start`: one node in this process. */
export function register(program: Command): void {
  program
    .command("start")
    .summary("run one node")
    .description("Runs one node in the foreground. SIGTERM or Ctrl-C stops it cleanly.")
    .requiredOption("-c, --config <file>", "the node's config.yaml")
    .action(async (options: { readonly config: string }, command: Command) => {
      const debug = command.optsWithGlobals<{ debug?: boolean }>().debug === true;
      const config = loadNodeConfig(options.config);
      await runNode(config.id, () => startNode(config), { debug });
    });
}

async function startNode(config: NodeConfig): Promise<RunningNode> {
  // Only the code of the node's own role is loaded.
  if (config.role === "manager") {
    const { startManager }: ManagerModule = await import(entryPoint("manager/manager-node.js"));
    return startManager(config);
  }
  const module: StorageModule = await import(entryPoint("storage-node/storage-node.js"));
  return module.startStorageNode(config);
}

function entryPoint(path: string): string {
  return new URL(`../${path}`, import.meta.url).href;
}
