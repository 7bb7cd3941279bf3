/** What the commands that talk to a consortium have in common. */
import { type Command, InvalidArgumentError } from "commander";
import { fromHex } from "../base/bytes.js";
import { type BssClient, connect } from "../client/client.js";
import { clientProfile } from "../client/profile.js";
import { type Output, outputOf } from "./output.js";
import { profileOf } from "./profile.js";
import { cliErrorOf } from "./rpc-advice.js";

/**
 * Runs a command's work with the client of its profile, which is closed afterwards. Throws
 * `CliError`.
 */
export async function withClient(
  command: Command,
  work: (client: BssClient, output: Output) => Promise<void>,
): Promise<void> {
  const client = await connect(clientProfile(profileOf(command)));
  try {
    await work(client, outputOf(command));
  } catch (error) {
    throw cliErrorOf(error);
  } finally {
    client.close();
  }
}

/** For arguments that are record hashes or block ids: 64 hex digits. */
export function parseHash(text: string): Uint8Array {
  const hash = fromHex(text);
  if (hash?.length === 32) return hash;
  throw new InvalidArgumentError("Use a hash of 64 hex digits.");
}

/** For options that count from 1. */
export function parseCount(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Use a whole number, 1 or more.");
}

const datePattern = "(\\d{4})-(\\d{2})-(\\d{2})";
const clockPattern = "\\d{2}:\\d{2}(?::\\d{2}(?:\\.\\d{1,3})?)?(?:Z|[+-]\\d{2}:\\d{2})";
const timePattern = new RegExp(`^${datePattern}(?:[T ]${clockPattern})?$`);

/**
 * For options that are times: Unix seconds, a date (UTC), or ISO 8601 with a time zone. A time
 * without a zone would mean another moment on another machine, so it is refused. Unix ms, or
 * undefined.
 */
export function timeMsOf(text: string): number | undefined {
  if (/^\d{1,11}$/.test(text)) return Number(text) * 1000;
  const match = timePattern.exec(text);
  if (match === null) return undefined;
  const ms = Date.parse(text.replace(" ", "T"));
  if (Number.isNaN(ms)) return undefined;
  // Date.parse turns February 30 into March 1.
  const [, year, month, day] = match;
  const midnight = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  return midnight.getUTCDate() === Number(day) ? ms : undefined;
}

export function parseTime(text: string): number {
  const ms = timeMsOf(text);
  if (ms !== undefined) return ms;
  throw new InvalidArgumentError("Use Unix seconds, 2024-07-01, or 2024-07-01T12:00:00Z.");
}
