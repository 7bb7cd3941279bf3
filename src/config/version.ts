import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The version of this software, from the package.json above the compiled code. */
export function softwareVersion(): string {
  let directory = import.meta.dirname;
  while (!existsSync(join(directory, "package.json"))) {
    if (dirname(directory) === directory) return "unknown";
    directory = dirname(directory);
  }
  const manifest: unknown = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
  const { version } = manifest as { readonly version?: unknown };
  return typeof version === "string" ? version : "unknown";
}
