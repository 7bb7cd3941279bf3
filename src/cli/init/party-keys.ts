/** The keys of everybody in a plan. Secrets live in memory only until their files are written. */
import { defined } from "../../base/assert.js";
import { ed25519KeyPairFromSeed } from "../../crypto/ed25519.js";
import { generateHpkeKeyPair } from "../../crypto/hpke.js";
import { randomBytes } from "../../crypto/random.js";
import { vrfKeyPairFromSeed } from "../../crypto/vrf.js";
import {
  type CertificateAuthority,
  createCertificateAuthority,
  type IssuedCertificate,
  issueCertificate,
} from "../../pki/certificate-authority.js";
import type { Role } from "../../rpc/tls/tls-identity.js";
import type { ClientPlan, ConsortiumPlan, NodePlan } from "./plan.js";

type KeyPair = { readonly publicKey: Uint8Array; readonly secretKey: Uint8Array };

/** Somebody with a certificate and a signing key. */
export type Party<Plan> = {
  readonly plan: Plan;
  readonly tls: IssuedCertificate;
  /** Ed25519; the secret is the seed. */
  readonly signing: KeyPair;
};

export type ManagerParty = Party<NodePlan> & {
  readonly authority: CertificateAuthority;
  readonly vrf: KeyPair;
  readonly hpke: KeyPair;
};

export type Parties = {
  readonly managers: readonly ManagerParty[];
  readonly storage: readonly Party<NodePlan>[];
  readonly participants: readonly Party<ConsortiumPlan["participants"][number]>[];
  readonly operators: readonly Party<ClientPlan>[];
  readonly auditors: readonly Party<ClientPlan>[];
};

type AnyPlan = {
  readonly role: Role;
  readonly id: string;
  readonly issuerId: string;
  readonly certificateHosts?: readonly string[];
};

/** Makes an authority per manager, and keys and a certificate for every party of the plan. */
export async function createParties(plan: ConsortiumPlan, nowMs: number): Promise<Parties> {
  const authorities = new Map<string, CertificateAuthority>();
  for (const { id, certificateHosts: hosts } of plan.managers) {
    const named = { consortiumName: plan.name, managerId: id, hosts, nowMs };
    authorities.set(id, await createCertificateAuthority(named));
  }
  const party = async <Plan extends AnyPlan>(partyPlan: Plan): Promise<Party<Plan>> => {
    const { role, id, issuerId, certificateHosts = [] } = partyPlan;
    const authority = authorityOf(authorities, issuerId);
    const tls = await issueCertificate(authority, { role, id, hosts: certificateHosts, nowMs });
    return { plan: partyPlan, tls, signing: ed25519KeyPairFromSeed(randomBytes(32)) };
  };
  return {
    managers: await each(plan.managers, async (manager) => ({
      ...(await party(manager)),
      authority: authorityOf(authorities, manager.id),
      vrf: vrfKeyPairFromSeed(randomBytes(32)),
      hpke: await generateHpkeKeyPair(),
    })),
    storage: await each(plan.storage, party),
    participants: await each(plan.participants, party),
    operators: await each(plan.operators, party),
    auditors: await each(plan.auditors, party),
  };
}

/**
 * One after another: all at once would hold every promise of a large community for no gain on the
 * same cores.
 */
async function each<T, U>(items: readonly T[], make: (item: T) => Promise<U>): Promise<U[]> {
  const made: U[] = [];
  for (const item of items) made.push(await make(item));
  return made;
}

function authorityOf(
  authorities: ReadonlyMap<string, CertificateAuthority>,
  id: string,
): CertificateAuthority {
  return defined(authorities.get(id), "every issuer is a manager with an authority");
}
