/** Who is calling: what `connect` needs, with all files read. */

import { fileError } from "../config/config-error.js";
import {
  readGenesisFile,
  readSeedFile,
  readTlsFiles,
  type TlsMaterial,
} from "../config/key-files.js";
import { loadProfile, type Profile, type ProfileRole } from "../config/profile.js";
import { type GenesisState, parseGenesis } from "../ledger/genesis.js";
import { certificateFault } from "../rpc/tls/own-certificate.js";
import type { TlsCredentials } from "../rpc/tls/tls.js";
import { profileMismatch } from "./verify/profile-check.js";

export type ClientProfile = {
  readonly id: string;
  readonly role: ProfileRole;
  /** host:port of managers, in the order in which to try them; at least one. */
  readonly addresses: readonly string[];
  readonly tls: TlsCredentials;
  /**
   * What the consortium started from; the managers' keys in it are those that the client believes.
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
 * Reads the files that a profile names, which are one party's, and of which the certificate serves
 * now. Throws `ConfigError`.
 */
export function clientProfile(profile: Profile): ClientProfile {
  const read = filesOf(profile);
  refuseUseless(profile, read.tls);
  const { id, role, addresses } = profile;
  return { id, role, addresses, ...read };
}

/** Who signs beside the caller, without a connection of its own. Throws `ConfigError`. */
export function cosigner(profile: Profile): Pick<ClientProfile, "id" | "signingSeed"> {
  return { id: profile.id, signingSeed: filesOf(profile).signingSeed };
}

/**
 * The TLS files of a profile. Throws `ConfigError` when nobody would accept its certificate: from
 * outside, that looks like managers that are away.
 */
export function readOwnTls(profile: Pick<Profile, "tls">): TlsMaterial {
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

function refuseUseless({ tls: { certificate } }: Pick<Profile, "tls">, tls: TlsMaterial): void {
  const fault = certificateFault(tls, Date.now());
  if (fault !== undefined) throw fileError(certificate, fault.what, fault.next);
}

/** Reads and checks a genesis file. Throws `ConfigError`. */
export function readGenesis(file: string): GenesisState {
  const parsed = parseGenesis(readGenesisFile(file));
  if (parsed.ok) return parsed.value;
  const { message, field } = parsed.error;
  const what = `not a genesis file: ${field === undefined ? "" : `${field}: `}${message}`;
  throw fileError(file, what, "take the genesis file that the consortium's managers gave you");
}
