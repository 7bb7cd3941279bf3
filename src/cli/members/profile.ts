/** The shared option `--profile`, for every command that talks to a consortium. */
import type { Command } from "commander";
import { loadProfile, type Profile } from "../../config/profile.js";
import { CliError } from "../text/cli-error.js";

const environmentVariable = "BSS_PROFILE";

/** Adds `--profile FILE` to a command; without it the environment variable BSS_PROFILE counts. */
export function addProfileOption(command: Command): Command {
  const help = `who to act as: a profile.yaml (or set ${environmentVariable})`;
  return command.option("-p, --profile <file>", help);
}

/** The profile that the command was given. Throws `CliError` or `ConfigError`. */
export function profileOf(command: Command): Profile {
  const { profile } = command.opts<{ profile?: string }>();
  const file = profile ?? process.env[environmentVariable];
  if (file !== undefined && file !== "") return loadProfile(file);
  throw new CliError(
    "no profile",
    `give --profile FILE or set ${environmentVariable}; 'bss init' writes one per party`,
  );
}
