/**
 * Runs the compiled tests: `node dist/test/run.js [--coverage] [path prefix below test/ ...]`.
 *
 * Node 20's `--test` has no globs and its reporters are either silent about failures or long, so
 * this finds the test files by their sources (a stale file in dist/ never runs), prints one line
 * per directory, every failure in full, and ends with "N passed, N failed".
 *
 * Coverage is that of the tests of pure code. Integration tests run apart: most of them a few files
 * at a time, as they wait more than they compute, and those that keep the whole machine busy one
 * after the other. A warning that Node prints fails the run.
 */
import { existsSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { batchFolders } from "./support/batches.js";
import { reportCoverage } from "./support/coverage.js";
import { type FileTime, runFiles, type Totals } from "./support/runner.js";
import { temporaryDirectory } from "./support/temporary-directory.js";
import { listFiles, repositoryRoot } from "./support/tree.js";

/**
 * Integration tests that nothing runs beside: their nodes are busy all the time, or they check what
 * attacks and faults do to the machine's memory and to the pace of blocks.
 */
const demanding = [
  "programs/chaos",
  "programs/demo",
  "programs/hostile",
  "consortium/largest-policy",
].map((name) => `integration/${name}.test.ts`);
/** On two cores, two files leave more than half of the machine idle. */
const integrationFilesAtOnce = 3;
/** The folder whose files take longest, so that none of them begins when all others have ended. */
const begunFirst = "integration/consortium/";
/** A file that takes less is not worth a line. */
const slowSeconds = 3;
/** Tests of the directories whose coverage counts; writing it down slows every process. */
const covering = ["unit/ledger/", "unit/consensus/", "unit/crypto/", "protocol/"];
/** Other tests of pure code, which may share a process, too. */
const sharing = ["unit/energy-files/", "unit/examples/", "unit/query/", "unit/settlement/"];

const root = repositoryRoot();
process.chdir(root);
const sourceMaps = new URL("./support/source-maps.js", import.meta.url).href;
// Tests read what commands print.
for (const name of ["FORCE_COLOR", "CLICOLOR_FORCE"]) delete process.env[name];
process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ""} --import=${sourceMaps}`;
const coverageRequested = process.argv.includes("--coverage");
const prefixes = process.argv.slice(2).filter((argument) => argument !== "--coverage");
process.exitCode = (await main()) ? 0 : 1;

async function main(): Promise<boolean> {
  const startedMs = performance.now();
  const files = listFiles(root, "test")
    .filter((path) => path.endsWith(".test.ts"))
    .map((path) => path.slice("test/".length))
    .filter((path) => prefixes.length === 0 || isBelow(prefixes)(path));
  if (files.length === 0) return refuse(`no test file starts with ${prefixes.join(" or ")}`);
  const missing = files.filter((path) => !existsSync(compiled(path)));
  if (missing.length > 0) return refuse(`not compiled: ${missing.join(", ")}`);

  const integration = files.filter((path) => path.startsWith("integration/"));
  const counted = files.filter(isBelow(covering));
  const shared = files.filter(isBelow(sharing));
  const others = [...integration, ...counted, ...shared];
  const apart = files.filter((path) => !others.includes(path)).map(compiled);
  const alone = integration.filter((path) => demanding.includes(path));
  const besideOthers = integration
    .filter((path) => !demanding.includes(path))
    .toSorted((a, b) => Number(b.startsWith(begunFirst)) - Number(a.startsWith(begunFirst)));
  const coverageDirectory = join(root, "coverage", "tmp");
  if (coverageRequested) {
    rmSync(coverageDirectory, { recursive: true, force: true });
    process.env.NODE_V8_COVERAGE = coverageDirectory;
  }
  const covered = await runGroup("counted for coverage", batches(counted), availableParallelism());
  delete process.env.NODE_V8_COVERAGE;
  const runs = [covered];
  const together = [...apart, ...batches(shared)];
  // One more than there are processors, as some wait for clocks and connections.
  runs.push(await runGroup("all other code", together, availableParallelism() + 1));
  // `bss`, and Node.js 22 and newer, keep compiled code there, so that processes start sooner.
  process.env.NODE_COMPILE_CACHE ??= join(root, ".build", "compile-cache");
  runs.push(await runGroup("integration", besideOthers.map(compiled), integrationFilesAtOnce));
  runs.push(await runGroup("integration, alone", alone.map(compiled), 1));
  const isCovered = coverageRequested ? reportCoverage(root, coverageDirectory) : true;

  const sum = (of: "passed" | "failed" | "skipped") =>
    runs.reduce((total, each) => total + each[of], 0);
  const [passed, failed, skipped] = [sum("passed"), sum("failed"), sum("skipped")];
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  showSlowest(runs.flatMap((each) => each.files));
  console.log(`\ntest files: ${files.length}, ${seconds} s`);
  if (skipped > 0) console.log(`${skipped} skipped`);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 && isCovered;
}

function isBelow(prefixes: readonly string[]): (path: string) => boolean {
  return (path) => prefixes.some((prefix) => path.startsWith(prefix));
}

function batches(files: readonly string[]): readonly string[] {
  return batchFolders(files.map(compiled), temporaryDirectory());
}

async function runGroup(title: string, files: readonly string[], atOnce: number): Promise<Totals> {
  const startedMs = performance.now();
  const totals = await runFiles(files, atOnce);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  if (files.length > 0) console.log(`${title}: ${seconds} s, ${atOnce} at once\n`);
  return totals;
}

function showSlowest(times: readonly FileTime[]): void {
  const slow = times.filter(({ seconds }) => seconds >= slowSeconds);
  if (slow.length === 0) return;
  console.log(`\nthe slowest files`);
  for (const { file, seconds } of slow.toSorted((a, b) => b.seconds - a.seconds).slice(0, 15)) {
    console.log(`${file.padEnd(56)} ${seconds.toFixed(1).padStart(6)} s`);
  }
}

function compiled(path: string): string {
  return join(import.meta.dirname, path.replace(/\.ts$/, ".js"));
}

function refuse(reason: string): boolean {
  console.error(reason);
  console.log("0 passed, 1 failed");
  return false;
}
