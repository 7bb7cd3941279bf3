/**
 * Runs the compiled tests: `node dist/test/run.js [--coverage] [path prefix below test/ ...]`.
 *
 * Node 20's `--test` has no globs and its reporters are either silent about failures or long, so
 * this finds the test files by their sources (a stale file in dist/ never runs), prints one line
 * per directory, every failure in full, and ends with "N passed, N failed".
 *
 * Tests that start processes of their own run apart, without coverage and one file at a time, so
 * that they do not compete with each other for cores. A warning that Node prints fails the run.
 */
import { existsSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { reportCoverage } from "./support/coverage.js";
import { runFiles, type Totals } from "./support/runner.js";
import { listFiles, repositoryRoot } from "./support/tree.js";

/** Directories of test/ whose tests start node processes. */
const processTests = ["integration/", "interop/"];

const root = repositoryRoot();
process.chdir(root);
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

  const apart = files.filter((path) => processTests.some((prefix) => path.startsWith(prefix)));
  const together = files.filter((path) => !apart.includes(path));
  const coverageDirectory = join(root, "coverage", "tmp");
  if (coverageRequested) {
    rmSync(coverageDirectory, { recursive: true, force: true });
    process.env.NODE_V8_COVERAGE = coverageDirectory;
  }
  const first = await runFiles(together.map(compiled), availableParallelism());
  delete process.env.NODE_V8_COVERAGE;
  const second = await runFiles(apart.map(compiled), 1);
  const covered = coverageRequested ? reportCoverage(root, coverageDirectory) : true;

  const totals = add(first, second);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(`\ntest files: ${files.length}, ${seconds} s`);
  if (totals.skipped > 0) console.log(`${totals.skipped} skipped`);
  console.log(`${totals.passed} passed, ${totals.failed} failed`);
  return totals.failed === 0 && totals.passed > 0 && covered;
}

function compiled(path: string): string {
  return join(import.meta.dirname, path.replace(/\.ts$/, ".js"));
}

function add(a: Totals, b: Totals): Totals {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
  };
}

function refuse(reason: string): boolean {
  console.error(reason);
  console.log("0 passed, 1 failed");
  return false;
}
