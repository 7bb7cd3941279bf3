/** Who may call this node: the keys registered on the chain, as its public part tells. */
import type { Members } from "../ledger/members/members.js";
import type { IdentityRegistry } from "../rpc/server/authorizer.js";

type IdentitiesPorts = {
  readonly members: () => Members;
  /** SHA-256 of the SPKI registered for a participant. */
  readonly participantSpki: (participantId: string) => Promise<Uint8Array | undefined>;
};

export function identities({ members, participantSpki }: IdentitiesPorts): IdentityRegistry {
  return {
    async spkiOf(role, id) {
      switch (role) {
        case "manager":
          return members().manager(id)?.tlsSpkiSha256;
        case "storage":
          return members().storageNode(id)?.tlsSpkiSha256;
        case "participant":
          return participantSpki(id);
        case "operator":
        case "auditor": {
          const officer = members().officer(id);
          return officer?.role === role ? officer.tlsSpkiSha256 : undefined;
        }
      }
    },
  };
}
