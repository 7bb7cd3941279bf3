/**
 * The script that a node's process runs: the bundle, which starts in less than half the time, if it
 * was made of what is compiled now. What tsc has compiled since then is run as it is.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** `directory` is that of this file: of the bundle itself, or `src/cli/nodes` of what tsc made. */
export function findMainFile(directory = import.meta.dirname): string {
  const ownBundle = join(directory, "bss.js");
  if (existsSync(ownBundle)) return ownBundle;
  const dist = join(directory, "../../..");
  const bundle = join(dist, "bundle");
  return isMadeOf(bundle, dist) ? join(bundle, "bss.js") : join(directory, "../main.js");
}

/** The bundle names the state of tsc's that it was made of: `.tsbuildinfo`, by its SHA-256. */
function isMadeOf(bundle: string, dist: string): boolean {
  try {
    const compiled = readFileSync(join(dist, ".tsbuildinfo"));
    const hash = createHash("sha256").update(compiled).digest("hex");
    return readFileSync(join(bundle, "compiled.sha256"), "utf8") === hash;
  } catch {
    return false;
  }
}
