import { statSync } from "node:fs";
import { CliError } from "./text/cli-error.js";

/** Throws `CliError` for a directory, which reading would name by an error code only. */
export function refuseDirectory(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  throw new CliError(`${path} is a directory`, "give the path of a file");
}
