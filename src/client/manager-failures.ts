/** The errors with which the managers of a profile failed: their kinds, and one message for all. */
import { RpcError } from "../rpc/rpc-error.js";
import { isTlsRefusal } from "../rpc/status-details.js";

/** No connection could be made, or it broke; not if the manager was left for a better one. */
export function isUnreachable(error: RpcError | undefined): boolean {
  return error?.reason === "NODE_UNREACHABLE" && error.metadata.going_on_at === undefined;
}

/** TLS refused the connection, and would refuse it again. */
export function isTlsFailure(error: RpcError | undefined): boolean {
  return error !== undefined && isUnreachable(error) && isTlsRefusal(error.message);
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
  // What a node answered says more than that another one did not answer.
  const telling =
    [...failures.values()].find(({ reason }) => reason !== "NODE_UNREACHABLE") ?? last;
  const who = failures.size === 1 ? "the manager cannot be reached" : "no manager could answer";
  return new RpcError("NODE_UNREACHABLE", `${who}: ${said.join("; ")}`, {
    retryAfterMs: telling.retryAfterMs,
    metadata: telling.metadata,
    received: { status: telling.status, reason: telling.reason },
    cause: telling,
  });
}

/** What a node said or failed with, without its address, which stands beside it. */
export function plainMessage(error: RpcError, address: string): string {
  return error.message
    .replace(` ${address}`, "")
    .replace(
      /^Deadline exceeded after ([\d.]+)s.*$/s,
      (_, s) => `no answer for ${Math.round(s)} s`,
    );
}
