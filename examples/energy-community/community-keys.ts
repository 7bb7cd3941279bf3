/** The homes' and the head-end's own keys, in a directory that `bss init` made. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readSeedFile } from "../../src/config/key-files.js";
import { loadProfile } from "../../src/config/profile.js";
import { sha256 } from "../../src/crypto/hash.js";
import type { CommunityKeys } from "./records.js";

export function profileFileOf(directory: string, participantId: string): string {
  return join(directory, "participants", participantId, "profile.yaml");
}

/** Keys are read when they are first asked for. Throws `ConfigError`, then or later. */
export function communityKeys(directory: string): CommunityKeys {
  const seeds = new Map<string, Uint8Array>();
  return {
    consortiumId: sha256(readFileSync(join(directory, "genesis.json"))),
    seedOf(id) {
      const known = seeds.get(id);
      if (known !== undefined) return known;
      const seed = readSeedFile(loadProfile(profileFileOf(directory, id)).signingKeyFile);
      seeds.set(id, seed);
      return seed;
    },
  };
}
