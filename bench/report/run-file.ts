/** What a run measured, as JSON: the file that `--out` writes and that runs are compared by. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { repositoryRoot } from "../../test/support/tree.js";
import type { PrimitiveCosts } from "../limit/primitives.js";
import type { LoadResult } from "../loads/measure-load.js";
import type { Role } from "../usage/snapshot.js";

/** Raised when older files can no longer be read. */
const runFormat = 1;

export type Machine = {
  readonly cores: number;
  readonly cpu: string;
  readonly node: string;
  /** Of this repository; with "+" when files differ from it. */
  readonly commit: string;
};

/** A load with the share of the limit of each role, where processor time was measured. */
export type RunResult = LoadResult & { readonly shares: Readonly<Partial<Record<Role, number>>> };

/** All loads on one consortium. */
export type Section = {
  readonly managers: number;
  readonly storage: number;
  readonly rttMs: number;
  readonly results: readonly RunResult[];
};

export type Run = {
  readonly format: typeof runFormat;
  readonly machine: Machine;
  readonly startedAt: string;
  readonly windowMs: number;
  /** How long each consortium was under other loads before its first one; 0 in older files. */
  readonly warmMs: number;
  /** µs of processor time. */
  readonly primitives: PrimitiveCosts;
  readonly sections: readonly Section[];
};

export function newRun(
  parts: Pick<Run, "machine" | "startedAt" | "windowMs" | "warmMs" | "primitives">,
): Omit<Run, "sections"> {
  return Object.assign({ format: runFormat } as const, parts);
}

export function writeRun(file: string, run: Run): void {
  writeFileSync(file, `${JSON.stringify(run, undefined, 1)}\n`);
}

/** Throws for a file that no run of this format wrote. */
export function readRun(file: string): Run {
  const run: Partial<Run> | null = JSON.parse(readFileSync(file, "utf8"));
  if (run?.format !== runFormat || !Array.isArray(run.sections)) {
    throw new Error(`${file} is not what bench/run.js --out of this version writes`);
  }
  return Object.assign({ warmMs: 0 }, run) as Run;
}

export function thisMachine(): Machine {
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? "unknown",
    node: process.version,
    commit: commit(),
  };
}

function commit(): string {
  const git = (...args: readonly string[]) =>
    execFileSync("git", args, {
      cwd: repositoryRoot(),
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  try {
    const changed = git("status", "--porcelain", "--untracked-files=no") !== "";
    return `${git("rev-parse", "--short=10", "HEAD")}${changed ? "+" : ""}`;
  } catch {
    return "unknown";
  }
}
