/**
 * Proves that the corpus can fail: leaves out one check after the other in a copy of each verifier,
 * and runs the corpus, which has to notice. `make forged-weakenings`; LANGUAGES=Go,Python and
 * ONLY=<part of what is lacking> choose. The exit status is 1 when one goes unnoticed.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { mutate } from "../../support/mutant.js";
import { repositoryRoot } from "../../support/tree.js";
import { type Verifier, verifiers } from "./catalogue.js";

const root = repositoryRoot();
/** Below the repository, so that packages are found. */
const scratch = join(root, ".build", "weakened");
/** Builds of their own, and what is in nobody's way. */
const leftOut = ["/target", "/mutants", "/bundle", "/__pycache__"];

const wanted = (process.env.LANGUAGES || verifiers.map(({ language }) => language).join(",")).split(
  ",",
);
const only = process.env.ONLY ?? "";
let missed = 0;
for (const verifier of verifiers) {
  if (wanted.includes(verifier.language)) missed += tryOut(verifier);
}
rmSync(scratch, { recursive: true, force: true });
console.log(missed === 0 ? "all found" : `${missed} not found`);
process.exitCode = missed === 0 ? 0 : 1;

/** How many weakenings of a verifier the corpus takes for right. */
function tryOut({ language, directory, command, weakenings }: Verifier): number {
  const [original, copy] = [join(root, directory), join(scratch, directory)];
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(dirname(copy), { recursive: true });
  for (const name of ["package.json", "proto", "test", "docs"]) {
    symlinkSync(join(root, name), join(scratch, name));
  }
  const filter = (path: string) => !leftOut.some((end) => path.endsWith(end));
  cpSync(original, copy, { recursive: true, filter });
  const holds = () => {
    const [program, ...args] = command;
    return spawnSync(program, args, { cwd: copy, stdio: "ignore" }).status === 0;
  };
  if (!holds()) throw new Error(`${language}: the corpus fails before anything is left out`);
  let taken = 0;
  for (const { lacks, ...change } of weakenings.filter((each) => each.lacks.includes(only))) {
    mutate(copy, [change]);
    const found = !holds();
    if (!found) taken += 1;
    console.log(`${language.padEnd(12)} ${lacks.padEnd(56)} ${found ? "found" : "NOT FOUND"}`);
    cpSync(join(original, change.file), join(copy, change.file));
  }
  return taken;
}
