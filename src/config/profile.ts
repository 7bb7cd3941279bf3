/**
 * profile.yaml: who is calling, for the commands and programs that talk to a consortium
 * (`--profile`). As in config.yaml, paths are relative to the file and secrets stand in files of
 * their own.
 */
import { resolve } from "node:path";
import type { z } from "zod";
import * as field from "./fields.js";
import { pathsRelativeTo, type TlsPaths, tlsPaths, tlsSchema } from "./node-config.js";
import { readYamlFile } from "./yaml-file.js";

const profileRoles = ["participant", "auditor", "operator", "manager", "storage"] as const;
export type ProfileRole = (typeof profileRoles)[number];

export type Profile = {
  /** Absolute path of the profile file. */
  readonly file: string;
  readonly id: string;
  readonly role: ProfileRole;
  readonly genesisFile: string;
  /** host:port of managers, in the order in which to try them; at least one. */
  readonly addresses: readonly string[];
  readonly tls: TlsPaths;
  readonly signingKeyFile: string;
};

const profileSchema = field.mapping({
  id: field.id(),
  role: field.oneOf(profileRoles),
  consortium: field.path(),
  addresses: field.listOf(field.hostAndPort(), "managers' host:port").min(1, {
    error: "a list of managers' host:port, at least one",
  }),
  tls: tlsSchema,
  signing_key: field.path(),
});

/** Loads and checks a profile.yaml. Throws `ConfigError` with every mistake that the file has. */
export function loadProfile(file: string): Profile {
  const whenMissing =
    "give the path of a profile.yaml with --profile; 'bss init' writes one for each participant, " +
    "operator and auditor";
  const raw: z.output<typeof profileSchema> = readYamlFile(file, profileSchema, {
    whenMissing,
    unaltered: true,
    mistaken: {
      key: "data_directory",
      what: "this is a node's config.yaml, not a profile",
      next: whenMissing,
    },
  });
  const at = pathsRelativeTo(file);
  return {
    file: resolve(file),
    id: raw.id,
    role: raw.role,
    genesisFile: at(raw.consortium),
    addresses: raw.addresses,
    tls: tlsPaths(raw.tls, at),
    signingKeyFile: at(raw.signing_key),
  };
}
