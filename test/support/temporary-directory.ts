import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

/** A new directory that is removed when the tests around the call have ended. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "bss-test-"));
  after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
