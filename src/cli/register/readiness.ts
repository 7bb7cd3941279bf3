/**
 * What must be in order on this machine before somebody joins. All of it is checked before the
 * invitation is used, because an invitation that has served does not come back.
 */
import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { HostPort } from "../../base/host-port.js";
import type { InvitationFile } from "../../config/invitation-file.js";
import { checkListen, ListenError, listenFailure } from "../../rpc/server/listen-check.js";
import { readTerms } from "../../rpc/tls/certificate.js";
import { defaultBasePort, portOffsets } from "../init/defaults.js";
import { CliError } from "../text/cli-error.js";
import { formatTime } from "../text/output.js";

/** Where a storage node is going to listen. */
export type Listening = { readonly listen: HostPort; readonly metrics?: HostPort | undefined };

/** What the command line says; what it leaves out is chosen here. */
export type WantedListening = {
  readonly listen?: HostPort | undefined;
  readonly metrics?: HostPort | undefined;
};

/**
 * The port of the first storage node of `bss init`. Other nodes of that consortium may run on this
 * machine, so the ports above it are tried as well.
 */
export const firstPort = defaultBasePort + portOffsets.storage + 1;
const portsTriedMax = 500;
const loopback = "127.0.0.1";

/** An empty store and its log take this much; a chain soon takes more. */
const spaceBytesMin = 100 * 1024 * 1024;

/**
 * Throws `CliError` when the invitation in the file called `name` does not serve by this machine's
 * clock, or the clock cannot be right. The certificate in the file expires as the invitation does,
 * so no manager would answer why.
 */
export function refuseOutOfTime(
  name: string,
  { invitation, tls }: Pick<InvitationFile, "invitation" | "tls">,
  nowMs = Date.now(),
): void {
  const now = `this machine's clock says ${formatTime(nowMs)}`;
  const untilMs = Number(invitation.expiresAtUnixMs);
  if (untilMs <= nowMs) {
    const what = `${name} expired at ${formatTime(untilMs)} [INVITATION_EXPIRED]; ${now}`;
    throw new CliError(what, "ask the operator for another invitation");
  }
  const fromMs = readTerms(tls.certPem)?.fromMs ?? 0;
  if (fromMs <= nowMs) return;
  const what = `${now}, but ${name} was made after ${formatTime(fromMs)}`;
  throw new CliError(what, "set the clock and run this again");
}

/**
 * Throws when a node's directory, which may not exist yet, has no room or cannot be written;
 * `spaceMin` in bytes.
 */
export function refuseNoRoom(directory: string, spaceMin = spaceBytesMin): void {
  const existing = nearestExisting(directory);
  const data = join(directory, "data");
  for (const path of existsSync(data) ? [existing, data] : [existing]) {
    accessSync(path, constants.W_OK | constants.X_OK);
  }
  const { bavail, bsize } = statfsSync(existing);
  const free = bavail * bsize;
  if (free >= spaceMin) return;
  const [freeMib, minMib] = [free, spaceMin].map((bytes) => Math.floor(bytes / 1024 ** 2));
  const what = `the disk of ${existing} has ${freeMib} MiB left, and a node needs ${minMib} MiB to begin`;
  throw new CliError(what, "free some space, or give a directory on another disk with --dir");
}

function nearestExisting(path: string): string {
  return existsSync(path) ? path : nearestExisting(dirname(path));
}

/** The wanted addresses; the first free port if no address is wanted. Throws `CliError`. */
export async function chooseListening({ listen, metrics }: WantedListening): Promise<Listening> {
  if (listen !== undefined) return { listen, metrics };
  for (let port = firstPort; port < firstPort + portsTriedMax; port++) {
    if (port === metrics?.port || (await listenFailure({ host: loopback, port })) !== undefined)
      continue;
    return { listen: { host: loopback, port }, metrics };
  }
  const what = `no port from ${firstPort} to ${firstPort + portsTriedMax - 1} is free on ${loopback}`;
  throw new CliError(what, "free one, or give another address with --listen HOST:PORT");
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
