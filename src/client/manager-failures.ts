/** What the managers of a profile failed with, told and told apart. */

import { RpcError } from "../rpc/rpc-error.js";
import { isTlsRefusal } from "../rpc/status-details.js";

/** No connection came about, or it broke. */
export function isUnreachable(error: RpcError | undefined): boolean {
  return error?.reason === "NODE_UNREACHABLE";
}

/** TLS refused, as it would refuse again. */
export function isTlsFailure(error: RpcError | undefined): boolean {
  return error?.reason === "NODE_UNREACHABLE" && isTlsRefusal(error.message);
}

/** One error for all managers: the last one's reason, and what each of them said. */
export function summary(failures: ReadonlyMap<string, RpcError>, last: RpcError): RpcError {
  if (failures.size <= 1 && last.reason !== "NODE_UNREACHABLE") return last;
  const addresses = new Map<string, string[]>();
  for (const [address, error] of failures) {
    const text = plainMessage(error, address);
    addresses.set(text, [...(addresses.get(text) ?? []), address]);
  }
  const said = [...addresses].map(([text, who]) => `${who.join(", ")}: ${text}`);
  // What a node said of the consortium tells more than that another one is not there.
  const telling =
    [...failures.values()].find(({ reason }) => reason !== "NODE_UNREACHABLE") ?? last;
  const who = failures.size === 1 ? "the manager" : "no manager";
  const what = failures.size === 1 ? "cannot be reached" : "could do it";
  return new RpcError("NODE_UNREACHABLE", `${who} ${what}: ${said.join("; ")}`, {
    retryAfterMs: telling.retryAfterMs,
    metadata: telling.metadata,
    received: { status: telling.status, reason: telling.reason },
    cause: telling,
  });
}

/** What a node at this address said or failed with; the address itself is told beside it. */
export function plainMessage(error: RpcError, address: string): string {
  return error.message
    .replace(` ${address}`, "")
    .replace(
      /^Deadline exceeded after ([\d.]+)s.*$/s,
      (_, s) => `no answer for ${Math.round(s)} s`,
    );
}
