/**
 * Whether a profile, its certificate and its signing key are one party's: files of two parties in
 * one profile would otherwise fail far away, with an error about something else.
 */
import { equalBytes } from "../../base/bytes.js";
import { type ConfigError, fileError } from "../../config/config-error.js";
import type { Profile } from "../../config/profile.js";
import { ed25519KeyPairFromSeed } from "../../crypto/ed25519.js";
import type { GenesisState } from "../../ledger/genesis.js";
import { readCertificate } from "../../rpc/tls/certificate.js";
import { describeIdentity, parseIdentityUri } from "../../rpc/tls/tls-identity.js";

type Material = {
  /** The own certificate first. */
  readonly certPem: string;
  readonly genesis: GenesisState;
  /** 32 bytes. */
  readonly signingSeed: Uint8Array;
};

/** What does not belong together, naming both; undefined when all of it does. */
export function profileMismatch(profile: Profile, material: Material): ConfigError | undefined {
  return certificateMismatch(profile, material) ?? signingKeyMismatch(profile, material);
}

function certificateMismatch(
  { file, id, role, tls }: Profile,
  { certPem, genesis }: Material,
): ConfigError | undefined {
  const [uri = ""] = readCertificate(certPem)?.uris ?? [];
  const named = parseIdentityUri(uri);
  const refuse = (what: string) =>
    fileError(file, what, "name the certificate, key and id of one party in the profile");
  const certificate = `the certificate ${tls.certificate}`;
  if (named === undefined) return refuse(`${certificate} names no party of a consortium`);
  const { consortiumName, identity } = named;
  if (consortiumName !== genesis.name) {
    return refuse(`${certificate} is of consortium ${consortiumName}, genesis of ${genesis.name}`);
  }
  if (identity.id === id && identity.role === role) return undefined;
  const own = describeIdentity({ id, role });
  return refuse(`${certificate} is that of ${describeIdentity(identity)}, the profile of ${own}`);
}

/** Who joined after genesis has a key that only the ledger knows. */
function signingKeyMismatch(
  { signingKeyFile, id }: Profile,
  { genesis, signingSeed }: Material,
): ConfigError | undefined {
  const { publicKey } = ed25519KeyPairFromSeed(signingSeed);
  const keys = registeredKeys(genesis);
  const own = keys.get(id);
  if (own === undefined || equalBytes(own, publicKey)) return undefined;
  const [other] = [...keys].find(([, key]) => equalBytes(key, publicKey)) ?? [];
  const whose = other === undefined ? "not the one that is registered for" : `${other}'s, not`;
  const what = other === undefined ? `${whose} ${id}` : `${whose} ${id}'s`;
  return fileError(signingKeyFile, `the signing key is ${what}`, `give that of ${id}`);
}

function registeredKeys({ members, genesis }: GenesisState): ReadonlyMap<string, Uint8Array> {
  const keys = new Map<string, Uint8Array>();
  for (const { managerId, signingKey } of members.managers) keys.set(managerId, signingKey);
  for (const { nodeId, signingKey } of members.storageNodes) keys.set(nodeId, signingKey);
  for (const { officerId, signingKey } of members.officers) keys.set(officerId, signingKey);
  for (const { operation } of genesis.operations) {
    if (operation.case !== "registerParticipant") continue;
    keys.set(operation.value.participantId, operation.value.signingKey);
  }
  return keys;
}
