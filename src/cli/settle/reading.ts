/** What the commands about settlements have in common: who reads, at which tariff, which period. */
import { type Command, Option } from "commander";
import { toHex } from "../../base/bytes.js";
import { type BssClient, connect, type SettlementQuery } from "../../client/bss-client.js";
import { clientProfile } from "../../client/client-profile.js";
import { tariffOf } from "../../client/settlement.js";
import { loadProfile } from "../../config/profile.js";
import { timeZoneOf } from "../../energy-files/time-zone.js";
import { periodProblem } from "../../settlement/statement.js";
import type { Tariff } from "../../settlement/tariff.js";
import { participantOf } from "../client-session.js";
import { type HashArgument, wholeHash } from "../records/hash-argument.js";
import { CliError, exitCodes } from "../text/cli-error.js";
import { readTime } from "../text/time-text.js";

export function readerOption(): Option {
  return new Option(
    "--reader <file>",
    "profile that reads the participant's records, if --profile may not: its own, or a manager's",
  );
}

/** Runs `work` with the client that reads: the profile's own one, or that of `--reader`. */
export async function withReader(
  file: string | undefined,
  client: BssClient,
  work: (reader: BssClient) => Promise<void>,
): Promise<void> {
  if (file === undefined) return work(client);
  const reader = await connect(clientProfile(loadProfile(file)));
  try {
    if (toHex(reader.consortiumId) !== toHex(client.consortiumId)) {
      throw new CliError("--reader is a profile of another consortium", "give one of this one");
    }
    await work(reader);
  } finally {
    reader.close();
  }
}

/** The tariff that an argument names. */
export async function namedTariff(
  reader: BssClient,
  argument: HashArgument,
): Promise<{ readonly hash: Uint8Array; readonly tariff: Tariff }> {
  const hash = await wholeHash(reader, argument);
  return { hash, tariff: (await tariffOf(reader, hash)).tariff };
}

/** A period as it was given; a date is its midnight in the tariff's zone. Throws `CliError`. */
export function periodOf(
  given: { readonly from: string; readonly to: string },
  tariff: Tariff,
  client: BssClient,
): Pick<SettlementQuery, "fromS" | "toS"> {
  const zone = timeZoneOf(tariff.zone);
  const secondsOf = (option: string, text: string) => {
    const time = readTime(text, { zone, nowMs: Date.now() });
    if (time.ok && time.value.ms % 1000 === 0) return time.value.ms / 1000;
    const why = time.ok ? "it is no whole second" : time.error;
    throw usageError(`--${option} ${text}: ${why}`, "give a date, or ISO 8601 with a time zone");
  };
  const period = { fromS: secondsOf("from", given.from), toS: secondsOf("to", given.to) };
  const problem = periodProblem(period, client.genesis.policy);
  if (problem === undefined) return period;
  throw usageError(`--${problem.at}: ${problem.why}`, `give another --${problem.at}`);
}

export function usageError(what: string, next: string): CliError {
  return new CliError(what, next, { exitCode: exitCodes.usage });
}

/** The participant that a command records as. Throws `CliError` for other roles. */
export function recorderOf(client: BssClient, command: Command): string {
  const next = `use the profile of a participant, and this one with --reader (see 'bss ${command.name()} --help')`;
  return participantOf(client, "record", next);
}
