/**
 * Proves that the simulation can fail: makes one mistake after the other in a copy of the compiled
 * code, and runs seeds until a checker finds it. `make mutations`; SEEDS bounds the seeds for each,
 * ONLY=<part of a name> chooses. The exit status is 1 when one goes unnoticed.
 */
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { compiled, copyCompiled, mutate } from "../../support/mutant.js";
import { type Mutation, mutations } from "./catalogue.js";

const seedsMax = process.env.SEEDS ?? "400";
const only = process.env.ONLY ?? "";
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
  copyCompiled(scratch, ["src", simulation, join("test", "support")]);
  mutate(scratch, mutation.changes);
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [join(scratch, simulation, "run.js")],
    {
      encoding: "utf8",
      env: { ...process.env, SEEDS: seedsMax, STOP: "1", ...mutation.environment },
    },
  );
  const found = /^seed (\d+) breaks (\S+)/m.exec(stdout);
  if (found === null) {
    // A run that cannot even start finds nothing, and says nothing about the checkers.
    if (status !== 0) throw new Error(`the simulation does not run: ${stderr}`);
    return undefined;
  }
  const [, seed = "", checker = ""] = found;
  return { seed, checker };
}
