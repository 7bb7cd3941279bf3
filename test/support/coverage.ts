/**
 * Line coverage of the directories whose every line decides about agreement or secrecy. c8 turns
 * V8's counters into lines of the TypeScript sources; the threshold holds for each directory alone,
 * so that a well-tested one cannot hide another.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { listFiles } from "./tree.js";

const linesPercentMin = 95;
const directories = ["src/ledger", "src/consensus", "src/crypto"] as const;

interface Lines {
  readonly total: number;
  readonly covered: number;
}

/** Prints a short table; false when a directory that exists is below the threshold. */
export function reportCoverage(root: string, rawDirectory: string): boolean {
  const present = directories.filter((directory) => listFiles(root, directory).length > 0);
  const summary = summarise(root, rawDirectory, present);
  let passed = true;
  console.log(`\nline coverage (each at least ${linesPercentMin} %)`);
  for (const directory of present) {
    const files = [...summary].filter(([path]) => path.startsWith(`${directory}/`));
    const percent = percentOf(files.map(([, lines]) => lines));
    console.log(`${directory.padEnd(36)} ${percent.toFixed(1).padStart(5)} %`);
    if (percent >= linesPercentMin) continue;
    passed = false;
    for (const [path, lines] of files) {
      const own = percentOf([lines]);
      if (own < linesPercentMin) console.log(`  ${path} ${own.toFixed(1)} %`);
    }
  }
  if (!passed) console.log(`FAILED line coverage is below ${linesPercentMin} %`);
  return passed;
}

function summarise(
  root: string,
  rawDirectory: string,
  present: readonly string[],
): ReadonlyMap<string, Lines> {
  const reports = join(root, "coverage");
  const c8 = join(root, "node_modules", "c8", "bin", "c8.js");
  const options = ["--all", "--exclude-after-remap", "--reporter", "json-summary"];
  const places = ["--temp-directory", rawDirectory, "--reports-dir", reports];
  const includes = present.flatMap((directory) => ["--include", `${directory}/**`]);
  const sources = present.flatMap((directory) => ["--src", join(root, directory)]);
  execFileSync(process.execPath, [c8, "report", ...options, ...places, ...includes, ...sources], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const json: Record<string, { lines: Lines }> = JSON.parse(
    readFileSync(join(reports, "coverage-summary.json"), "utf8"),
  );
  delete json.total;
  const files = Object.entries(json).map(
    ([path, { lines }]) => [relative(root, path), lines] as const,
  );
  return new Map(files.filter(([path]) => hasCode(root, path)));
}

/** False for a file of types only: nothing of it is left at run time, so nothing can be covered. */
function hasCode(root: string, path: string): boolean {
  const compiled = readFileSync(join(root, "dist", path.replace(/\.ts$/, ".js")), "utf8");
  return !compiled.startsWith("export {};\n//# sourceMappingURL=");
}

function percentOf(files: readonly Lines[]): number {
  const total = files.reduce((sum, lines) => sum + lines.total, 0);
  const covered = files.reduce((sum, lines) => sum + lines.covered, 0);
  return total === 0 ? 0 : (100 * covered) / total;
}
