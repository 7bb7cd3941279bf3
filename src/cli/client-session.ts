/** What the commands that talk to a consortium have in common. */
import { type Command, InvalidArgumentError } from "commander";
import { fromHex } from "../base/bytes.js";
import { type BssClient, connect } from "../client/client.js";
import { clientProfile } from "../client/profile.js";
import { profileOf } from "./members/profile.js";
import { type Output, outputOf } from "./text/output.js";
import { cliErrorOf } from "./text/rpc-advice.js";
import { readTime } from "./text/time-text.js";

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

/**
 * For options that are times. A date is its midnight in UTC, in which all times are shown. Unix ms.
 */
export function parseTime(text: string): number {
  const isDate = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const read = readTime(isDate ? `${text}T00:00Z` : text, { nowMs: Date.now() });
  if (read.ok) return read.value.ms;
  const allowed = "Use Unix seconds, 2024-07-01 (UTC), or 2024-07-01T12:00:00Z";
  throw new InvalidArgumentError(`${allowed}: ${read.error}.`);
}
