/**
 * Who is at the other end of a connection. A certificate carries exactly one URI SAN,
 * `bss://<consortium name>/<role>/<id>`. The channel says who is calling; only signatures by
 * registered keys are evidence.
 */

/** The roles whose keys the ledger registers. */
export const memberRoles = ["manager", "storage", "participant", "auditor", "operator"] as const;

/** An "invited" caller holds an invitation, and is registered nowhere. */
export const roles = [...memberRoles, "invited"] as const;

export type MemberRole = (typeof memberRoles)[number];
export type Role = (typeof roles)[number];

export type Identity = { readonly role: Role; readonly id: string };

/** Whom a certificate names. */
export type Party = { readonly consortiumName: string; readonly identity: Identity };

/** Ids and names are at most 64 characters that need no escape in a URI. */
const uriPattern = new RegExp(
  `^bss://([A-Za-z0-9._-]{1,64})/(${roles.join("|")})/([A-Za-z0-9._-]{1,64})$`,
);

export function identityUri(consortiumName: string, identity: Identity): string {
  return `bss://${consortiumName}/${identity.role}/${identity.id}`;
}

/** Undefined for anything that is not exactly such a URI. */
export function parseIdentityUri(uri: string): Party | undefined {
  const match = uriPattern.exec(uri);
  if (match === null) return undefined;
  const [, consortiumName = "", role = "", id = ""] = match;
  return { consortiumName, identity: { role: role as Role, id } };
}

/**
 * The name under which limits count what an identity causes: its role and id. All holders of
 * invitations count as one, as any manager's authority can certify them under any names.
 */
export function causerOf({ role, id }: Identity): string {
  return role === "invited" ? role : `${role}/${id}`;
}

/** "manager manager-1", for messages and logs. */
export function describeIdentity(identity: Identity): string {
  return `${identity.role} ${identity.id}`;
}
