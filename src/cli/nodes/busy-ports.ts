/** Whether all nodes of a directory can listen on this machine, before the first is started. */
import type { NodeConfig } from "../../config/node-config.js";
import { addressText, ListenError, listenFailure } from "../../rpc/server/listen-check.js";
import { CliError } from "../text/cli-error.js";

/** Addresses that are named in one message. */
const namedMax = 4;

/** Throws `CliError` naming the addresses that other processes, or two of the nodes, have. */
export async function refuseBusyPorts(configs: readonly NodeConfig[]): Promise<void> {
  const taken: string[] = [];
  const seen = new Set<string>();
  for (const { id, listen, metrics } of configs) {
    for (const address of metrics === undefined ? [listen] : [listen, metrics]) {
      const text = addressText(address);
      const failure = await listenFailure(address);
      if (failure === undefined && !seen.has(text)) seen.add(text);
      else taken.push(refusalOf(id, text, failure));
    }
  }
  if (taken.length === 0) return;
  const more = taken.length > namedMax ? ` and ${taken.length - namedMax} more` : "";
  throw new CliError(
    `the nodes cannot listen: ${taken.slice(0, namedMax).join(", ")}${more}`,
    "stop what listens there, another devnet perhaps, or make the consortium with another " +
      "'bss init --base-port'",
  );
}

function refusalOf(id: string, address: string, failure: Error | undefined): string {
  if (failure === undefined) return `${id} on ${address}, where another node of them does`;
  return `${id} (${new ListenError(address, failure).message})`;
}
