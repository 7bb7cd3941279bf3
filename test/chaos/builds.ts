/**
 * Copies of the compiled nodes, so that a node can be started from one build while others run
 * another, and so that compiling meanwhile changes nothing.
 */
import { cpSync, existsSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";

/** Copies the build that this file belongs to; returns the directory that holds the copy's src/. */
export function copyBuild(to: string): string {
  const from = dirname(dirname(import.meta.dirname));
  const build = join(to, "dist");
  mkdirSync(build, { recursive: true });
  cpSync(join(from, "src"), join(build, "src"), { recursive: true });
  const root = rootOf(from);
  cpSync(join(root, "package.json"), join(to, "package.json"));
  symlinkSync(join(root, "node_modules"), join(to, "node_modules"));
  return build;
}

/** The nearest directory above the build that has the dependencies. */
function rootOf(build: string): string {
  for (let directory = build; ; directory = dirname(directory)) {
    if (existsSync(join(directory, "node_modules"))) return directory;
    if (directory === dirname(directory)) throw new Error("run 'make install' first");
  }
}
