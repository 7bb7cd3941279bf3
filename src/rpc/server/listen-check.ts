/**
 * Whether a node will be able to listen at its configured addresses. This is found out before the
 * node opens its store, and before a new member uses up its invitation. The address is taken for a
 * moment and let go again. Another process may take it after that, so `listen` can still fail.
 */
import { createServer } from "node:net";
import { type HostPort, joinHostPort } from "../../base/host-port.js";

/** The keys of a config.yaml that say where a node listens. */
type ListenSetting = "listen" | "metrics";

/** A server cannot listen at its configured address. */
export class ListenError extends Error {
  override readonly name = "ListenError";
  /** What the node's operator can do about it. */
  readonly next: string;
  /** Which key of the config.yaml names the address. */
  readonly setting: ListenSetting;
  /** Whether another process has the address. */
  readonly isTaken: boolean;

  constructor(target: string, cause: Error, setting: ListenSetting = "listen") {
    const isTaken = cause.message.includes("EADDRINUSE");
    super(isTaken ? `another process listens on ${target}` : `cannot listen on ${target}`, {
      cause,
    });
    this.setting = setting;
    this.isTaken = isTaken;
    this.next = isTaken
      ? `stop that process (this node, if it runs already), or change \`${setting}\` in config.yaml`
      : `check \`${setting}\` in the node's config.yaml (${cause.message})`;
  }
}

/** Where a node listens, as its config.yaml has it. */
type ListenAddresses = { readonly [K in ListenSetting]?: HostPort | undefined };

/** Undefined when a server can listen there, and otherwise what the system says. */
export function listenFailure({ host, port }: HostPort): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", resolve);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/** Rejects with a `ListenError` when a node with these addresses could not start. */
export async function checkListen({ listen, metrics }: ListenAddresses): Promise<void> {
  const wanted = [
    ["listen", listen],
    ["metrics", metrics],
  ] as const;
  for (const [setting, address] of wanted) {
    const failure = address && (await listenFailure(address));
    if (address && failure) throw new ListenError(joinHostPort(address), failure, setting);
  }
  if (listen === undefined || metrics === undefined || listen.port === 0) return;
  if (listen.host !== metrics.host || listen.port !== metrics.port) return;
  throw new ListenError(joinHostPort(metrics), new Error("`listen` is the same"), "metrics");
}
