import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const directories: string[] = [];

/**
 * A new directory that is removed when this process ends. Not by a hook: hooks run in the order in
 * which they were registered, so one that stops what writes there would often come later.
 */
export function temporaryDirectory(): string {
  if (directories.length === 0) process.prependListener("exit", removeAll);
  const directory = mkdtempSync(join(tmpdir(), "bss-test-"));
  directories.push(directory);
  return directory;
}

function removeAll(): void {
  for (const directory of directories) {
    rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
  }
}
