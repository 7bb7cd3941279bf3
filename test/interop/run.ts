/** Tries the clients: `make interop`; LANGUAGES=Go,TypeScript chooses some of them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, interop } from "./interop.js";
import { languages } from "./languages.js";

const wanted = process.env.LANGUAGES || languages.map(({ name }) => name).join(",");
const chosen = languages.filter(({ name }) => wanted.split(",").includes(name));
const out = mkdtempSync(join(tmpdir(), "bss-interop-"));
try {
  // Each to its end: what still builds would write below what is removed.
  const built = await Promise.allSettled(chosen.map((language) => build(language, out)));
  for (const each of built) if (each.status === "rejected") throw each.reason;
  process.exitCode = (await interop(chosen, out)) ? 0 : 1;
} catch (error) {
  process.stderr.write(`interop: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}
