/**
 * Proves that the simulation can fail: makes one mistake after the other in a copy of the compiled
 * code, and runs seeds until a checker finds it. `make mutations`; SEEDS bounds the seeds for each,
 * ONLY=<part of a name> chooses. The exit status is 1 when one goes unnoticed.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Change, type Mutation, mutations } from "./catalogue.js";

const seedsMax = process.env.SEEDS ?? "400";
const only = process.env.ONLY ?? "";
/** The compiled tree that this file is in. */
const compiled = join(import.meta.dirname, "..", "..", "..");
/** Below it, so that packages are found. */
const scratch = join(compiled, "mutants");
const simulation = join("test", "simulation");

const chosen = mutations.filter(({ name }) => name.includes(only));
let missed = 0;
for (const mutation of chosen) {
  const found = tryOut(mutation);
  if (found === undefined) missed += 1;
  const text =
    found === undefined ? `not found in ${seedsMax} seeds` : `${found.checker}, seed ${found.seed}`;
  console.log(`${mutation.name.padEnd(84)} ${text}`);
}
rmSync(scratch, { recursive: true, force: true });
console.log(`${chosen.length - missed} of ${chosen.length} found`);
process.exitCode = missed === 0 ? 0 : 1;

function tryOut(
  mutation: Mutation,
): { readonly checker: string; readonly seed: string } | undefined {
  rmSync(scratch, { recursive: true, force: true });
  for (const part of ["src", simulation]) {
    mkdirSync(dirname(join(scratch, part)), { recursive: true });
    cpSync(join(compiled, part), join(scratch, part), { recursive: true });
  }
  for (const change of mutation.changes) apply(change);
  const { stdout } = spawnSync(process.execPath, [join(scratch, simulation, "run.js")], {
    encoding: "utf8",
    env: { ...process.env, SEEDS: seedsMax, STOP: "1", ...mutation.environment },
  });
  const found = /^seed (\d+) breaks (\S+)/m.exec(stdout);
  if (found === null) return undefined;
  const [, seed = "", checker = ""] = found;
  return { seed, checker };
}

function apply({ file, from, to }: Change): void {
  const path = join(scratch, file);
  const source = readFileSync(path, "utf8");
  const count = source.split(from).length - 1;
  if (count !== 1) throw new Error(`found ${count} times in ${file}, not once: ${from}`);
  writeFileSync(
    path,
    source.replace(from, () => to),
  );
}
