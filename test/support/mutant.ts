/** A copy of the compiled code with mistakes in it, for tests that have to notice them. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

export type Change = {
  /** Below the root of the compiled tree. */
  readonly file: string;
  /** Must occur exactly once. */
  readonly from: string;
  readonly to: string;
};

/** The compiled tree that this file is in. */
export const compiled = join(import.meta.dirname, "..", "..");

/**
 * Copies parts of the compiled tree to `directory`, which is below the tree so that packages are
 * found. What was in the directory is gone.
 */
export function copyCompiled(directory: string, parts: readonly string[]): void {
  rmSync(directory, { recursive: true, force: true });
  for (const part of parts) {
    mkdirSync(dirname(join(directory, part)), { recursive: true });
    cpSync(join(compiled, part), join(directory, part), { recursive: true });
  }
}

/** Makes the changes in a copy. */
export function mutate(directory: string, changes: readonly Change[]): void {
  for (const { file, from, to } of changes) {
    const path = join(directory, file);
    const source = readFileSync(path, "utf8");
    const count = source.split(from).length - 1;
    if (count !== 1) throw new Error(`found ${count} times in ${file}, not once: ${from}`);
    writeFileSync(
      path,
      source.replace(from, () => to),
    );
  }
}

/** Takes the changes back. */
export function restore(directory: string, changes: readonly Change[]): void {
  for (const { file } of changes) cpSync(join(compiled, file), join(directory, file));
}
