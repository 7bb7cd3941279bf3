import { printable, printableLines } from "../../base/printable.js";
import { ConfigError } from "../../config/config-error.js";
import { StoreError } from "../../store/store-error.js";
import { CliError, exitCodes } from "./cli-error.js";
import { tinted, tintedMessage } from "./colours.js";
import { sourceStack } from "./source-stack.js";

/** Enough for an error that names many nodes and what each of them said. */
const errorCharsMax = 8_000;

/** What a person can do about an error of the operating system, by its code. */
const systemErrors: Readonly<Record<string, string>> = {
  EACCES: "check the permissions, or run as the user that owns it",
  EADDRINUSE: "stop the process that listens there, or change the port in the config file",
  EADDRNOTAVAIL: "use an address of this machine in listen.host",
  ECONNREFUSED: "check that the node runs and the address is right",
  EDQUOT: "free some space",
  EFBIG: "raise the limit of the size of files (ulimit -f)",
  EIO: "check the disk",
  EISDIR: "give the path of a file",
  EMFILE: "raise the limit of open files (LimitNOFILE in the service's unit, or ulimit -n)",
  ELOOP: "check where the links in the path lead",
  ENAMETOOLONG: "use a shorter path",
  ENFILE: "raise the machine's limit of open files (sysctl fs.file-max)",
  ENOENT: "check the path",
  ENOSPC: "free some space",
  ENOTDIR: "check the path",
  EPERM: "run as the user that owns it",
  EROFS: "choose a place that can be written",
};

/**
 * An error as the lines that a person reads, each "bss: <what>; <what to do next>". Only `debug`
 * adds the stack.
 */
export function errorMessage(error: unknown, debug: boolean): string {
  const lines = describe(error).map((line) => `bss: ${line}`);
  if (debug) lines.push(printableLines(sourceStack(stackOf(error))));
  return lines.join("\n");
}

/** The message with marks for colours: advice is dim. */
export function tintedError(error: unknown, message: string): string {
  const next = error instanceof CliError ? `; ${oneLine(error.next)}` : "";
  const lines = message.split("\n").map((line) => {
    if (next === "" || !line.endsWith(next)) return tintedMessage(line, "bad");
    return `${tintedMessage(line.slice(0, -next.length), "bad")}; ${tinted("dim", next.slice(2))}`;
  });
  return lines.join("\n");
}

/**
 * The same for programs, which `--json` asks for: the message, the exit code and, of an error that
 * a node sent, its reason and field (docs/errors.md).
 */
export function errorJson(error: unknown, debug: boolean): object {
  const sent = [error, error instanceof Error ? error.cause : undefined].find(isSent);
  return {
    error: {
      message: describe(error).join("\n"),
      exit_code: exitCodeOf(error),
      reason: sent?.reason ?? null,
      field: sent?.field ?? null,
      stack: debug ? printableLines(sourceStack(stackOf(error))) : undefined,
    },
  };
}

type Sent = { readonly reason: string; readonly field: string | undefined };

function isSent(error: unknown): error is Sent {
  return error instanceof Error && "reason" in error && typeof error.reason === "string";
}

export function exitCodeOf(error: unknown): number {
  return error instanceof CliError ? error.exitCode : exitCodes.failure;
}

function describe(error: unknown): readonly string[] {
  if (error instanceof ConfigError) return error.message.split("\n").map(oneLine);
  // The message of the latter has its advice within.
  if (error instanceof CliError || error instanceof StoreError) return [oneLine(error.message)];
  if (hasAdvice(error)) return [`${oneLine(error.message)}; ${oneLine(error.next)}`];
  const next = adviceOnSystem(error);
  if (next !== undefined)
    return [`${oneLine(systemMessage(error as NodeJS.ErrnoException))}; ${next}`];
  const message = oneLine(error instanceof Error ? error.message : String(error));
  return [`${message || "unknown error"}; run it again with --debug to see where this comes from`];
}

/** Leaves out Node's own words, as in "ENOENT: no such file or directory, stat 'a.csv'". */
function systemMessage({ message, path, code }: NodeJS.ErrnoException): string {
  const what = /^[A-Z]+: (.+?), \w+ '/.exec(message)?.[1];
  return path === undefined || what === undefined ? message : `${path}: ${what} (${code})`;
}

/** What helps when the operating system refused something; undefined for any other error. */
export function adviceOnSystem(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return systemErrors[String(error.code)];
}

/** Errors of other parts may bring their own advice in a field `next`. */
function hasAdvice(error: unknown): error is Error & { readonly next: string } {
  return error instanceof Error && "next" in error && typeof error.next === "string";
}

function oneLine(text: string): string {
  return printable(text.replaceAll(/\s+/g, " ").trim(), errorCharsMax);
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\ncaused by ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
