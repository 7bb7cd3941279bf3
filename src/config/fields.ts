/**
 * The field types of every YAML file. Each carries one text that says what is expected; whatever is
 * wrong with a value, that text is what the reader is told (yaml-file.ts adds place and remedy).
 */
import { isIP } from "node:net";
import * as z from "zod";
import { fromHex } from "../base/bytes.js";
import type { HostPort } from "../base/host-port.js";
import { deviceIdForm, isDeviceId, isId } from "../ledger/ids.js";
import { nearestName } from "./nearest-name.js";

/** One part of a host name (RFC 1123 §2.1). */
const hostLabel = /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/**
 * A mapping with exactly these keys; an unknown one is an error that names the nearest known one.
 */
export function mapping<Shape extends z.ZodRawShape>(shape: Shape) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? unknownKeysMessage(issue.keys as readonly string[], known)
        : `a mapping with the keys ${known.join(", ")}`,
  });
}

/** One line per unknown key, in the order of the issue's keys. */
function unknownKeysMessage(keys: readonly string[], known: readonly string[]): string {
  return keys
    .map((key) => {
      const nearest = nearestName(key, known);
      return nearest === undefined
        ? `remove it or use one of ${known.join(", ")}`
        : `did you mean \`${nearest}\`?`;
    })
    .join("\n");
}

export function listOf<Item extends z.ZodType>(item: Item, what: string) {
  return z.array(item, { error: `a list of ${what}` });
}

export function integer(min: number, max: number, unit = "") {
  const error = `a whole number from ${min} to ${max}${unit === "" ? "" : ` ${unit}`}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

/** Fractions too. */
export function number(min: number, max: number, unit: string) {
  const error = `a number from ${min} to ${max} ${unit}`;
  return z.number({ error }).min(min, { error }).max(max, { error });
}

export function oneOf<const Names extends readonly [string, ...string[]]>(names: Names) {
  return z.enum(names, { error: `one of ${names.join(", ")}` });
}

export function id() {
  return idBy(isId, "an id: 1 to 63 characters out of a-z, 0-9 and -");
}

/** The id of a meter or of a charging station. */
export function deviceId() {
  return idBy(isDeviceId, `an id of ${deviceIdForm}`);
}

/**
 * Digits without quotes are a number to YAML, which drops leading zeros and rounds what is long. So
 * an id that is not text is refused, with the remedy.
 */
function idBy(isRight: (text: string) => boolean, error: string) {
  return z
    .string({
      error: ({ input }) =>
        typeof input === "number" || typeof input === "boolean"
          ? `quotes around it: without them YAML reads a ${typeof input}, not an id`
          : error,
    })
    .refine(isRight, { error });
}

/**
 * The path of a file or directory; a key that was pasted in its place is refused before anything
 * prints it.
 */
export function path() {
  const error = "the path of a file, relative to this one";
  return z
    .string({ error })
    .min(1, { error })
    .max(4096, { error })
    .refine((text) => !looksSecret(text) && !text.includes("\0"), { error });
}

/** 64 hex digits, as 32 bytes. */
export function hash() {
  const error = "64 hex digits";
  return z.string({ error }).transform((text, context) => {
    const bytes = fromHex(text);
    if (bytes?.length === 32) return bytes;
    context.addIssue({ code: "custom", message: error });
    return z.NEVER;
  });
}

export function host() {
  const error = "a host name or an IP address";
  return z.string({ error }).refine((text) => isHost(text), { error });
}

export function port() {
  const error = "a port number, 1 to 65535";
  return z.int({ error }).min(1, { error }).max(65_535, { error });
}

export function hostAndPort() {
  const error = "host:port, such as grid-a.example.org:7401 or [::1]:7401";
  return z.string({ error }).refine((text) => splitHostPort(text) !== undefined, { error });
}

/** The inverse of `joinHostPort`; undefined for what is neither a name nor an address. */
export function splitHostPort(text: string): HostPort | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const [, inBrackets, plain, digits] = match;
  const port = Number(digits);
  if (port < 1 || port > 65_535) return undefined;
  if (inBrackets !== undefined) {
    return isIP(inBrackets) === 6 ? { host: inBrackets, port } : undefined;
  }
  return plain !== undefined && isHost(plain) ? { host: plain, port } : undefined;
}

export function isHost(text: string): boolean {
  if (isIP(text) !== 0) return true;
  // What is only digits and dots is a mistyped IPv4 address, not a name.
  if (text.length > 253 || /^[\d.]+$/.test(text)) return false;
  return text.split(".").every((label) => hostLabel.test(label));
}

/** Whether a text may be key material, so that no message repeats it. */
export function looksSecret(text: string): boolean {
  return /[0-9a-fA-F]{32}/.test(text) || text.includes("PRIVATE KEY");
}
