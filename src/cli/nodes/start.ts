import type { Command } from "commander";
import { loadNodeConfig, type NodeConfig } from "../../config/node-config.js";
import { errorMessage } from "../text/error-message.js";
import { sourceStack } from "../text/source-stack.js";
import { type RunningNode, runNode } from "./run-node.js";

/** `bss start`: one node in this process. */
export function register(program: Command): void {
  program
    .command("start")
    .summary("run one node")
    .description(
      "Runs one node in the foreground. SIGTERM or Ctrl-C stops it cleanly; SIGHUP has it read its " +
        "certificates from disk again.",
    )
    .requiredOption("-c, --config <file>", "the node's config.yaml")
    .option(
      "--new-signer-state",
      "managers only: start without the record of what the signing key has signed before",
    )
    .action((options: StartOptions, command: Command) =>
      runConfig(options.config, command, options.newSignerState === true),
    );
}

/** Runs the node of a config file in this process until it is asked to stop. */
export async function runConfig(
  file: string,
  command: Command,
  newSignerAccepted = false,
): Promise<never> {
  const debug = command.optsWithGlobals<{ debug?: boolean }>().debug === true;
  const config = loadNodeConfig(file);
  const start = () => startNode(config, newSignerAccepted).catch(logFailure(config));
  return runNode(config.id, start, { debug });
}

/** Writes the failure into the log too: whoever collects its JSON lines sees no other text. */
function logFailure({ role, id, log: { level } }: NodeConfig): (error: unknown) => Promise<never> {
  return async (error) => {
    // A bundle has only the default export of a package in CommonJS.
    const { pino } = (await import("pino")).default;
    const reason = errorMessage(error, false).replaceAll(/^bss: /gm, "");
    pino({ level, base: { role, id } }).fatal({ reason }, "the node cannot start");
    throw error;
  };
}

type StartOptions = { readonly config: string; readonly newSignerState?: boolean };

async function startNode(config: NodeConfig, newSignerAccepted: boolean): Promise<RunningNode> {
  // Only the code of the node's own role is loaded.
  if (config.role === "manager") {
    const { startManager } = await import("../../manager/manager-node.js");
    return startManager(config, { newSignerAccepted, stackOf: sourceStack });
  }
  const { startStorageNode } = await import("../../storage-node/storage-node.js");
  return startStorageNode(config, { stackOf: sourceStack });
}
