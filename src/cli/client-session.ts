/** What all commands that talk to managers share: the option `--profile`, and a client for it. */
import type { Command } from "commander";
import { type BssClient, connect } from "../client/bss-client.js";
import { clientProfile } from "../client/client-profile.js";
import { loadProfile, type Profile } from "../config/profile.js";
import { CliError } from "./text/cli-error.js";
import { type Output, outputOf } from "./text/output.js";
import { cliErrorOf } from "./text/rpc-advice.js";

const environmentVariable = "BSS_PROFILE";

/** Adds `--profile FILE` to a command; without it the environment variable BSS_PROFILE counts. */
export function addProfileOption(command: Command): Command {
  const help = `the profile.yaml of the party to act as (or set ${environmentVariable})`;
  return command.option("-p, --profile <file>", help);
}

/** The profile that the command was given. Throws `CliError` or `ConfigError`. */
export function profileOf(command: Command): Profile {
  const { profile } = command.opts<{ profile?: string }>();
  const file = profile ?? process.env[environmentVariable];
  if (file !== undefined && file !== "") return loadProfile(file);
  throw new CliError(
    "this command needs a profile, which says as whom it acts",
    `give --profile FILE or set ${environmentVariable}; 'bss init' writes a profile.yaml for ` +
      "each participant, operator and auditor",
  );
}

/**
 * Runs a command's work with a client for its profile, and closes the client afterwards. Throws
 * `CliError`.
 */
export async function withClient(
  command: Command,
  work: (client: BssClient, output: Output, profile: Profile) => Promise<void>,
): Promise<void> {
  const profile = profileOf(command);
  const client = await connect(clientProfile(profile));
  try {
    await work(client, outputOf(command), profile);
  } catch (error) {
    throw cliErrorOf(error);
  } finally {
    client.close();
  }
}

/** The participant as whom a command acts. Throws `CliError` for other roles. */
export function participantOf(
  { profile }: Pick<BssClient, "profile">,
  does: string,
  next = "use the profile of a participant",
): string {
  if (profile.role === "participant") return profile.id;
  throw new CliError(
    `only participants can ${does}, and ${profile.id} has the role ${profile.role}`,
    next,
  );
}
