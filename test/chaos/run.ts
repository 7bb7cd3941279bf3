/**
 * `make chaos MINUTES=3 SEED=1`: one run, its table on the screen, and all of it in a JSON file.
 * Exit code 1 for a violation. KINDS narrows the faults, MANAGERS and STORAGE say how many nodes,
 * PACE_MS is what each participant waits between two submissions; KEEP=1 keeps the nodes'
 * directories, which are also kept when something was wrong.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { runChaos } from "./chaos.js";
import { Journal } from "./journal.js";
import { type FaultKind, faultKinds } from "./plan.js";
import { renderOutcome } from "./report.js";

const { env } = process;
/** What starting, healing and checking may take beyond the faults and as long again. */
const graceMs = 15 * 60_000;

const seed = numberFrom("SEED", 1 + Math.floor(Math.random() * 1_000_000_000));
const faultsMs = numberFrom("MINUTES", 3) * 60_000;
const kinds = kindsFrom(env.KINDS);
const outFile = resolve(env.OUT ?? "chaos.json");
const directory = mkdtempSync(join(tmpdir(), "bss-chaos-"));
const journal = new Journal((line) => console.log(line));

const watchdogMs = 2 * faultsMs + graceMs;
const watchdog = setTimeout(() => {
  console.error(`not done after ${watchdogMs / 60_000} minutes; see ${directory}`);
  process.exit(1);
}, watchdogMs);

console.log(`replay with: make chaos SEED=${seed} MINUTES=${faultsMs / 60_000}`);
const outcome = await runChaos({
  seed,
  faultsMs,
  directory,
  journal,
  managers: numberFrom("MANAGERS", 4),
  storage: numberFrom("STORAGE", 7),
  paceMs: numberFrom("PACE_MS", 60),
  ...(kinds !== undefined && { kinds }),
});
clearTimeout(watchdog);
const { ledger, ...rest } = outcome;
const { id, head, history } = ledger;
writeFileSync(outFile, `${JSON.stringify({ ...rest, ledger: { id, head, history } }, null, 1)}\n`);
console.log(`\n${renderOutcome(outcome)}\n\nall of it: ${outFile}`);

const failed = outcome.violations.length > 0;
if (failed || env.KEEP === "1") console.log(`the nodes' files: ${directory}`);
else rmSync(directory, { recursive: true, force: true });
process.exit(failed ? 1 : 0);

function numberFrom(name: string, otherwise: number): number {
  const text = env[name];
  if (text === undefined || text === "") return otherwise;
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new Error(`${name}=${text} is no number above 0`);
}

function kindsFrom(text: string | undefined): readonly FaultKind[] | undefined {
  if (text === undefined || text === "") return undefined;
  const names = text.split(",");
  const unknown = names.filter((name) => !faultKinds.some((kind) => kind === name));
  if (unknown.length > 0) throw new Error(`KINDS: no ${unknown.join(", ")} in ${faultKinds}`);
  return faultKinds.filter((kind) => names.includes(kind));
}
