/**
 * `make hostile`: one attack after the other for SECONDS_EACH, or with MINUTES all at once for so
 * long. ATTACKS=all or names with commas between them (LIST=1 shows all); ARCHIVE_MIB says how much
 * is on the ledger before; BASE_PORT where the nodes listen; NODE_DIST names another build of the
 * nodes, to measure the same there; ASSERT_LATENCY=1 makes the honest participant's latency a
 * bound; NICE=10 lowers the attackers' priority by so much, and the table says so; MARKDOWN=1 ends
 * with a short table in Markdown. OUT=file.json keeps all figures, KEEP=1 the nodes' files. Exit
 * code 1 when a bound is broken.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attacks, chooseAttacks } from "./catalogue.js";
import { runHostile } from "./hostile.js";
import { markdownTable, tableHead, tableRow } from "./report.js";

const { env } = process;
const minutes = numberFrom("MINUTES");
const seconds = minutes === undefined ? (numberFrom("SECONDS_EACH") ?? 20) : minutes * 60;
const chosen = chooseAttacks(env.ATTACKS ?? "all");
const nice = numberFrom("NICE") ?? 0;
const basePort = numberFrom("BASE_PORT");
const assertLatency = env.ASSERT_LATENCY === "1";
const isMarkdown = env.MARKDOWN === "1";
/** Enough for a few hundred records of the honest participant, with which its others compare. */
const quietSecondsMax = 60;
const parent = mkdtempSync(join(tmpdir(), "bss-hostile-"));
/** What starting, recovering and ending may take beyond the attacks. */
const graceMs = 10 * 60_000;

const watchdogMs = (chosen.length + 2) * Math.max(seconds, 60) * 1000 + graceMs;
setTimeout(() => {
  console.error(`not done after ${(watchdogMs / 60_000).toFixed(0)} minutes; see ${parent}`);
  process.exit(1);
}, watchdogMs).unref();

for (const { name, role, about } of attacks) {
  if (env.LIST === "1") console.log(`${name.padEnd(24)}${role.padEnd(13)}${about}`);
}
if (env.LIST === "1") process.exit(0);

if (nice > 0) console.log(`the attackers run with a priority that is lower by ${nice}`);
console.log(tableHead);
const outcome = await runHostile({
  directory: join(parent, "consortium"),
  attacks: chosen,
  seconds,
  together: minutes !== undefined,
  assertLatency,
  ...((assertLatency || isMarkdown) && { quietSecondsMax }),
  nice,
  archiveMiB: numberFrom("ARCHIVE_MIB") ?? 48,
  ...(basePort !== undefined && { basePort }),
  tell: (phase) => console.log(tableRow(phase)),
});
if (env.OUT !== undefined) writeFileSync(env.OUT, `${JSON.stringify(outcome, null, 1)}\n`);
if (isMarkdown) console.log(`\n${markdownTable([outcome.quiet, ...outcome.phases])}\n`);
for (const what of outcome.closing) console.log(`BROKEN at the end: ${what}`);
const broken = [...outcome.phases.flatMap((phase) => phase.broken), ...outcome.closing];
console.log(`\n${chosen.length} attacks, ${broken.length} bounds broken`);
if (env.KEEP === "1") console.log(`the nodes' files: ${parent}`);
else rmSync(parent, { recursive: true, force: true });
process.exit(broken.length > 0 ? 1 : 0);

function numberFrom(name: string): number | undefined {
  const text = env[name];
  if (text === undefined || text === "") return undefined;
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new Error(`${name}=${text} is no number above 0`);
}
