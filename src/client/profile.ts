/** Who is calling: what `connect` needs, with all files read. */

import { fileError } from "../config/config-error.js";
import { readGenesisFile, readSeedFile, readTlsFiles } from "../config/key-files.js";
import { loadProfile, type Profile, type ProfileRole } from "../config/profile.js";
import { type GenesisState, parseGenesis } from "../ledger/genesis.js";
import type { TlsFiles } from "../rpc/tls.js";
import { profileMismatch } from "./profile-check.js";

export type ClientProfile = {
  readonly id: string;
  readonly role: ProfileRole;
  /** host:port of managers, in the order in which to try them; at least one. */
  readonly addresses: readonly string[];
  readonly tls: TlsFiles;
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

/** Reads the files that a profile names, which are one party's. Throws `ConfigError`. */
export function clientProfile(profile: Profile): ClientProfile {
  const tls = readTlsFiles(profile.tls);
  const genesis = readGenesis(profile.genesisFile);
  const signingSeed = readSeedFile(profile.signingKeyFile);
  const mismatch = profileMismatch(profile, { certPem: tls.certPem, genesis, signingSeed });
  if (mismatch !== undefined) throw mismatch;
  const { id, role, addresses } = profile;
  return { id, role, addresses, tls, genesis, signingSeed };
}

/** Reads and checks a genesis file. Throws `ConfigError`. */
export function readGenesis(file: string): GenesisState {
  const parsed = parseGenesis(readGenesisFile(file));
  if (parsed.ok) return parsed.value;
  const { message, field } = parsed.error;
  const what = `not a genesis file: ${field === undefined ? "" : `${field}: `}${message}`;
  throw fileError(file, what, "take the genesis file that the consortium's managers gave you");
}
