import { basename, resolve } from "node:path";
import { CliError, exitCodes } from "../text/cli-error.js";
import type { InputPlace } from "./input.js";

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
  const path = out ?? `${basename(file)}.receipts.jsonl`;
  if (resolve(path) !== resolve(file)) return path;
  throw new CliError(
    "--out names the file that is to be read",
    "give another file for the receipts",
  );
}

/** Nothing is said of a file that holds no receipt. */
export function receiptsText(
  { received, doneBefore }: { readonly received: number; readonly doneBefore: number },
  out: string,
): string {
  return received + doneBefore === 0 ? "" : `; receipts in ${out}`;
}
