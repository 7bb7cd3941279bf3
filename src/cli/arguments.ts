/**
 * Arguments and options that several commands take. The parsers throw `InvalidArgumentError`, whose
 * text commander puts behind the name of the option.
 */
import { statSync } from "node:fs";
import { InvalidArgumentError } from "commander";
import { fromHex } from "../base/bytes.js";
import { CliError } from "./text/cli-error.js";
import { readTime } from "./text/time-text.js";

/**
 * A whole hash, in hex as commands print it or in base64 as protobuf JSON has it (both alphabets,
 * with or without padding); undefined for anything else.
 */
export function parseHashBytes(text: string): Uint8Array | undefined {
  const hash = fromHex(text);
  if (hash?.length === hashBytes) return hash;
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(text) || /^[0-9a-fA-F]+$/.test(text)) return undefined;
  const bytes = Buffer.from(text, "base64url");
  // Bits beyond the last byte would make two texts of one hash.
  const canonical = bytes.toString("base64url");
  const given = text.replaceAll("+", "-").replaceAll("/", "_").replace("=", "");
  return canonical === given ? new Uint8Array(bytes) : undefined;
}

const hashBytes = 32;

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
