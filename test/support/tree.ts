import { existsSync, readdirSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { assert } from "../../src/base/assert.js";

/** The directory that holds package.json, wherever this file was compiled to. */
export function repositoryRoot(): string {
  let directory = import.meta.dirname;
  while (!existsSync(join(directory, "package.json"))) {
    assert(dirname(directory) !== directory, "no package.json above the tests");
    directory = dirname(directory);
  }
  return directory;
}

/**
 * Every file below `directory` as a path relative to `root`, with forward slashes, sorted.
 * A directory that does not exist has no files. Hidden entries and node_modules are left out.
 */
export function listFiles(root: string, directory: string): string[] {
  const start = join(root, directory);
  if (!existsSync(start)) return [];
  return readdirSync(start, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter(
      (path) => !path.split("/").some((part) => part.startsWith(".") || part === "node_modules"),
    )
    .sort();
}
