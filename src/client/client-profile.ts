/** The profile of the caller with all files read, as `connect` needs it. */

import { equalBytes } from "../base/bytes.js";
import { type ConfigError, fileError } from "../config/config-error.js";
import { readGenesis } from "../config/genesis-file.js";
import { readSeedFile, readTlsFiles } from "../config/key-files.js";
import { loadProfile, type Profile, type ProfileRole } from "../config/profile.js";
import { ed25519KeyPairFromSeed } from "../crypto/ed25519.js";
import type { GenesisState } from "../ledger/genesis.js";
import { certificateFault, type OwnTls, partyMismatch } from "../rpc/tls/own-certificate.js";
import type { TlsCredentials } from "../rpc/tls/tls.js";

export type ClientProfile = {
  readonly id: string;
  readonly role: ProfileRole;
  /** host:port of managers, in the order in which to try them; at least one. */
  readonly addresses: readonly string[];
  readonly tls: TlsCredentials;
  /**
   * What the consortium started from. The client trusts the keys of the managers in it.
   */
  readonly genesis: GenesisState;
  /** 32 bytes: the caller's Ed25519 seed, for submissions. Secret. */
  readonly signingSeed: Uint8Array;
};

/** Reads a profile.yaml and the files that it names. Throws `ConfigError`. */
export function readProfile(file: string): ClientProfile {
  return clientProfile(loadProfile(file));
}

/**
 * Reads the files that a profile names. Throws `ConfigError` if they are not all one party's, or if
 * the certificate is not valid now.
 */
export function clientProfile(profile: Profile): ClientProfile {
  const read = filesOf(profile);
  refuseUseless(profile, read.tls);
  const { id, role, addresses } = profile;
  return { id, role, addresses, ...read };
}

/** The id and key of a party that signs beside the caller. Throws `ConfigError`. */
export function cosigner(profile: Profile): Pick<ClientProfile, "id" | "signingSeed"> {
  return { id: profile.id, signingSeed: filesOf(profile).signingSeed };
}

/**
 * The TLS files of a profile. Throws `ConfigError` if nobody would accept its certificate; a call
 * would only report that no manager can be reached.
 */
export function readOwnTls(profile: Pick<Profile, "tls">): OwnTls {
  const tls = readTlsFiles(profile.tls);
  refuseUseless(profile, tls);
  return tls;
}

function filesOf(profile: Profile) {
  const tls = readTlsFiles(profile.tls);
  const genesis = readGenesis(profile.genesisFile);
  const signingSeed = readSeedFile(profile.signingKeyFile);
  const mismatch = profileMismatch(profile, { certPem: tls.certPem, genesis, signingSeed });
  if (mismatch !== undefined) throw mismatch;
  return { tls, genesis, signingSeed };
}

function refuseUseless({ tls: { certificate } }: Pick<Profile, "tls">, tls: OwnTls): void {
  const fault = certificateFault(tls, Date.now());
  if (fault !== undefined) throw fileError(certificate, fault.what, fault.next);
}

/** What the files of a profile hold. */
type Material = {
  /** The own certificate first. */
  readonly certPem: string;
  readonly genesis: GenesisState;
  /** 32 bytes. */
  readonly signingSeed: Uint8Array;
};

/**
 * Why a profile, its certificate and its signing key are not one party's; undefined if they are.
 * Files of two parties in one profile would otherwise fail later, with an error about something
 * else.
 */
function profileMismatch(profile: Profile, material: Material): ConfigError | undefined {
  return certificateMismatch(profile, material) ?? signingKeyMismatch(profile, material);
}

function certificateMismatch(
  { file, id, role, tls }: Profile,
  { certPem, genesis }: Material,
): ConfigError | undefined {
  const party = { consortiumName: genesis.name, identity: { role, id } };
  const mismatch = partyMismatch(certPem, party);
  if (mismatch === undefined) return undefined;
  const next = "name the certificate, key and id of one party in the profile";
  return fileError(file, `the certificate ${tls.certificate} ${mismatch}`, next);
}

/** A key that is not in genesis is not checked: only the ledger knows the keys of later members. */
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
