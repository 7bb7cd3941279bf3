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
  await Promise.all(chosen.map((language) => build(language, out)));
  process.exitCode = (await interop(chosen, out)) ? 0 : 1;
} catch (error) {
  process.stderr.write(`interop: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}
