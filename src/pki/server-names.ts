/**
 * The host names in certificates. A standard TLS client believes whoever shows a certificate for
 * the host that it dials, so host names follow from the role and from genesis, never from a
 * request: managers have the host of their registered address and loopback, storage nodes only
 * loopback, everybody else none. Only nodes may be servers.
 *
 * An authority names the hosts of its own manager and no others, and its certificate says so (name
 * constraints, name-constraints.ts): what it issued for another manager's host, a standard client
 * would refuse.
 */
import { splitHostPort } from "../config/fields.js";
import type { Role } from "../rpc/tls/tls-identity.js";

/** OIDs of RFC 5280 §4.2.1.12. */
const [serverAuth, clientAuth] = ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"] as const;

/** The extended key usages of a role's certificates: OIDs. */
export function usagesOf(role: Role): readonly string[] {
  return role === "manager" || role === "storage" ? [serverAuth, clientAuth] : [clientAuth];
}

/** A name of loopback only proves that a process on the caller's own machine answers. */
export const loopbackHosts: readonly string[] = ["localhost", "127.0.0.1", "::1"];

/** The hosts that a role's certificate names; `address` is a manager's registered "host:port". */
export function hostsOf(role: Role, address: string | undefined): readonly string[] {
  if (role === "storage") return loopbackHosts;
  if (role !== "manager") return [];
  const host = address === undefined ? undefined : splitHostPort(address)?.host;
  return [...new Set([...loopbackHosts, ...(host === undefined ? [] : [host])])];
}
