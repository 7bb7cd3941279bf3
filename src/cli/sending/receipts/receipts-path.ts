import { lstatSync, realpathSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { CliError, exitCodes } from "../../text/cli-error.js";
import type { InputPlace } from "../input.js";

/**
 * Where the receipts of a file go: `out`, or a file of its name in the current directory. A stream
 * has no name by which a later run could find them. Throws `CliError`.
 */
export function receiptsPath(
  file: string,
  { label, isStream }: InputPlace,
  out: string | undefined,
): string {
  if (out === undefined && isStream) {
    throw new CliError(
      `${label} is a stream, which has no name for its receipts`,
      "give a file with --out; a later run with the same file sends only rows that have no receipt",
      { exitCode: exitCodes.usage },
    );
  }
  const path = wholePath(out ?? `${basename(file)}.receipts.jsonl`);
  if (isStream || resolve(path) !== resolve(wholePath(file))) return path;
  throw new CliError("--out names the file that is to be read", otherFile);
}

const otherFile = "give another file for the receipts";

/**
 * The path without a link at its end: two names of one file would have two locks and two journals.
 * Throws `CliError` for what is no file, as a run reads its receipts again and adds to them.
 */
function wholePath(path: string): string {
  if (path === "" || path === "-") {
    throw new CliError(`--out '${path}' is no name of a file`, otherFile, {
      exitCode: exitCodes.usage,
    });
  }
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink();
  const stats = statSync(path, { throwIfNoEntry: false });
  if (isLink === true && stats === undefined) {
    throw new CliError(`${path} is a link that leads nowhere`, otherFile);
  }
  if (stats?.isFile() === false) throw new CliError(`${path} is no regular file`, otherFile);
  return isLink === true ? realpathSync(path) : path;
}
