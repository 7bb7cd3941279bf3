/**
 * Runs the compiled tests: `node dist/test/run.js [--coverage] [path prefix below test/ ...]`.
 *
 * Node 20's `--test` has no globs and its reporters are either silent about failures or long, so
 * this finds the test files by their sources (a stale file in dist/ never runs), prints one line
 * per directory, every failure in full, and ends with "N passed, N failed".
 *
 * Coverage is that of the tests of pure code. Integration tests run apart: most of them two files
 * at a time, as they wait more than they compute, and those that keep the whole machine busy one
 * after the other. A warning that Node prints fails the run.
 */
import { existsSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { reportCoverage } from "./support/coverage.js";
import { runFiles, type Totals } from "./support/runner.js";
import { listFiles, repositoryRoot } from "./support/tree.js";

/**
 * Integration tests that nothing runs beside: their nodes are busy all the time, or they check what
 * attacks and faults do to the machine's memory and to the pace of blocks.
 */
const demanding = ["chaos", "demo", "hostile", "largest-policy"].map(
  (name) => `integration/${name}.test.ts`,
);
const integrationFilesAtOnce = 2;
/** Tests of the directories whose coverage counts; writing it down slows every process. */
const covering = ["unit/ledger/", "unit/consensus/", "unit/crypto/", "protocol/"];

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
    .filter((path) => prefixes.length === 0 || prefixes.some((prefix) => path.startsWith(prefix)));
  if (files.length === 0) return refuse(`no test file starts with ${prefixes.join(" or ")}`);
  const missing = files.filter((path) => !existsSync(compiled(path)));
  if (missing.length > 0) return refuse(`not compiled: ${missing.join(", ")}`);

  const integration = files.filter((path) => path.startsWith("integration/"));
  const counted = files.filter((path) => covering.some((prefix) => path.startsWith(prefix)));
  const together = files.filter((path) => !integration.includes(path) && !counted.includes(path));
  const alone = integration.filter((path) => demanding.includes(path));
  const besideOthers = integration.filter((path) => !demanding.includes(path));
  const coverageDirectory = join(root, "coverage", "tmp");
  if (coverageRequested) {
    rmSync(coverageDirectory, { recursive: true, force: true });
    process.env.NODE_V8_COVERAGE = coverageDirectory;
  }
  const runs = [await runFiles(counted.map(compiled), availableParallelism())];
  delete process.env.NODE_V8_COVERAGE;
  runs.push(await runFiles(together.map(compiled), availableParallelism()));
  // Node.js 22 and newer keep compiled code there, so that the many processes start sooner.
  process.env.NODE_COMPILE_CACHE ??= join(root, ".build", "compile-cache");
  runs.push(await runFiles(besideOthers.map(compiled), integrationFilesAtOnce));
  runs.push(await runFiles(alone.map(compiled), 1));
  const covered = coverageRequested ? reportCoverage(root, coverageDirectory) : true;

  const sum = (of: keyof Totals) => runs.reduce((total, each) => total + each[of], 0);
  const [passed, failed, skipped] = [sum("passed"), sum("failed"), sum("skipped")];
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(`\ntest files: ${files.length}, ${seconds} s`);
  if (skipped > 0) console.log(`${skipped} skipped`);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 && covered;
}

function compiled(path: string): string {
  return join(import.meta.dirname, path.replace(/\.ts$/, ".js"));
}

function refuse(reason: string): boolean {
  console.error(reason);
  console.log("0 passed, 1 failed");
  return false;
}
