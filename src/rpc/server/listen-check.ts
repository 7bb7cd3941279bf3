/**
 * Whether a node will be able to listen where it is told to, found out before it opens its store or
 * a party spends what cannot be had twice. The address is taken for a moment and let go: another
 * process may take it meanwhile, so whoever listens in earnest still has to look at its error.
 */
import { createServer } from "node:net";
import { ListenError, type ListenSetting } from "./listen-error.js";

export type Address = { readonly host: string; readonly port: number };

/** Where a node listens, as its config.yaml has it. */
type ListenAddresses = { readonly [K in ListenSetting]?: Address | undefined };

/** Undefined when a server can listen there, and otherwise what the system says. */
export function listenFailure({ host, port }: Address): Promise<Error | undefined> {
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
    if (address && failure) throw new ListenError(addressText(address), failure, setting);
  }
  if (listen === undefined || metrics === undefined || listen.port === 0) return;
  if (listen.host !== metrics.host || listen.port !== metrics.port) return;
  throw new ListenError(addressText(metrics), new Error("`listen` is the same"), "metrics");
}

export function addressText({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
