/** Runs the project's linter over made-up files. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { repositoryRoot } from "../support/tree.js";

/**
 * What the linter finds in these files, as "path category", with each pair once. It runs on the
 * configuration of this repository, in `directory`, which is empty.
 */
export function lint(directory: string, files: ReadonlyMap<string, string>): ReadonlySet<string> {
  const root = repositoryRoot();
  for (const path of ["biome.json", "test/tidy/pure.grit"]) {
    cpSync(join(root, path), join(directory, path));
  }
  for (const [path, source] of files) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), source);
  }
  const found = new Set<string>();
  for (const { category, location } of diagnosticsOf(root, directory)) {
    found.add(`${location.path} ${category.split("/").at(-1)}`);
  }
  return found;
}

type Diagnostic = { readonly category: string; readonly location: { readonly path: string } };

function diagnosticsOf(root: string, directory: string): readonly Diagnostic[] {
  const biome = join(root, "node_modules/.bin/biome");
  const args = ["lint", "--vcs-enabled=false", "--reporter=json", "--max-diagnostics=none"];
  try {
    execFileSync(biome, args, { cwd: directory, stdio: "pipe" });
    return [];
  } catch (error) {
    const { stdout } = error as { readonly stdout?: Buffer };
    if (stdout === undefined) throw error;
    return (JSON.parse(stdout.toString()) as { diagnostics: readonly Diagnostic[] }).diagnostics;
  }
}
