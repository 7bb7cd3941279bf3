/**
 * Where a storage node that joins is going to listen: decided and tried before anything is spent,
 * as an invitation that has served does not come back.
 */
import type { HostPort } from "../../config/fields.js";
import { checkListen, listenFailure } from "../../rpc/server/listen-check.js";
import { ListenError } from "../../rpc/server/listen-error.js";
import { defaultBasePort, portOffsets } from "../init/defaults.js";
import { CliError } from "../text/cli-error.js";

export type Listening = { readonly listen: HostPort; readonly metrics?: HostPort | undefined };

/** What the command line says of it. */
export type WantedListening = {
  readonly listen?: HostPort | undefined;
  readonly metrics?: HostPort | undefined;
};

const host = "127.0.0.1";
/** That of the first storage node of `bss init`, which may run on this machine with others. */
export const firstPort = defaultBasePort + portOffsets.storage + 1;
const portsTriedMax = 500;

/** What is wanted; without an address to listen on the first free one. Throws `CliError`. */
export async function chooseListening({ listen, metrics }: WantedListening): Promise<Listening> {
  if (listen !== undefined) return { listen, metrics };
  for (let port = firstPort; port < firstPort + portsTriedMax; port++) {
    if (port === metrics?.port || (await listenFailure({ host, port })) !== undefined) continue;
    return { listen: { host, port }, metrics };
  }
  const what = `no port from ${firstPort} to ${firstPort + portsTriedMax - 1} is free on ${host}`;
  throw new CliError(what, "say with --listen where others may ask the node");
}

/** Throws `CliError` when the node could not listen there now. */
export async function demandFree(listening: Listening): Promise<void> {
  try {
    await checkListen(listening);
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    const { message, setting, isTaken, cause } = error;
    const next = isTaken
      ? `stop that process (this node, if it runs already), or give another --${setting}`
      : `give another --${setting} (${cause instanceof Error ? cause.message : "unknown"})`;
    throw new CliError(message, next, { cause: error });
  }
}
