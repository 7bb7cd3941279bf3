import type { Command } from "commander";
import { loadNodeConfig, type NodeConfig } from "../config/node-config.js";
import { type RunningNode, runNode } from "./run-node.js";

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
    const { startManager } = await import("../manager/manager-node.js");
    return startManager(config);
  }
  const { startStorageNode } = await import("../storage-node/storage-node.js");
  return startStorageNode(config);
}
