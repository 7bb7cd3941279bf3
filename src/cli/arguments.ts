/**
 * Arguments and options that several commands take. The parsers throw `InvalidArgumentError`, whose
 * text commander puts behind the name of the option.
 */
import { statSync } from "node:fs";
import { InvalidArgumentError } from "commander";
import { fromHex } from "../base/bytes.js";
import { CliError } from "./text/cli-error.js";
import { readTime } from "./text/time-text.js";

/** A record hash or a block id. */
export function parseHash(text: string): Uint8Array {
  const hash = fromHex(text);
  if (hash?.length === 32) return hash;
  throw new InvalidArgumentError("A hash has 64 hex digits.");
}

/** A number that counts from 1. */
export function parseCount(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Use a whole number, 1 or more.");
}

/** A time, as Unix ms. A date means its midnight in UTC, because all times are shown in UTC. */
export function parseTime(text: string): number {
  const isDate = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const read = readTime(isDate ? `${text}T00:00Z` : text, { nowMs: Date.now() });
  if (read.ok) return read.value.ms;
  const allowed = "Use Unix seconds, 2024-07-01 (UTC), or 2024-07-01T12:00:00Z";
  throw new InvalidArgumentError(`${allowed}: ${read.error}.`);
}

/** Throws `CliError` for a directory: reading it would fail without naming it. */
export function refuseDirectory(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  throw new CliError(`${path} is a directory`, "give the path of a file");
}
