/**
 * `node dist/bench/compare.js A B [--all]`: what got better and worse from run A to run B, beyond
 * the noise. A and B are files that `node dist/bench/run.js --out FILE` has written.
 */
import { parseArgs } from "node:util";
import { compareRuns, doubts, type Verdict } from "./report/comparison.js";
import { readRun } from "./report/run-file.js";
import { figure, textTable } from "./report/text-table.js";

const titles: Readonly<Record<Verdict, string>> = {
  better: "better",
  worse: "worse",
  same: "the same within the noise",
  unknown: "measured by one of them only",
};

const { values, positionals } = parseArgs({
  options: { all: { type: "boolean", default: false } },
  allowPositionals: true,
});
const [fileA, fileB] = positionals;
if (fileA === undefined || fileB === undefined || positionals.length > 2) {
  console.error("usage: node dist/bench/compare.js A B [--all]");
  process.exit(2);
}

const [a, b] = [readRun(fileA), readRun(fileB)];
console.log(`A ${fileA}: ${a.machine.commit}, ${a.startedAt}`);
console.log(`B ${fileB}: ${b.machine.commit}, ${b.startedAt}`);
for (const doubt of doubts(a, b)) console.log(`! ${doubt}`);

const differences = compareRuns(a, b);
for (const verdict of ["better", "worse", "same", "unknown"] as const) {
  const of = differences.filter((each) => each.verdict === verdict);
  const shown = values.all || verdict === "better" || verdict === "worse";
  console.log(`\n${titles[verdict]}: ${of.length}`);
  if (!shown || of.length === 0) continue;
  const rows = of.map((each) => {
    const change = each.a && each.b !== undefined ? (each.b / each.a - 1) * 100 : undefined;
    const percent = change === undefined ? "–" : `${change > 0 ? "+" : ""}${figure(change)} %`;
    return [`${each.section}  ${each.load}`, each.measure, each.a, each.b, percent];
  });
  console.log(textTable(["load", "measure", "A", "B", "change"], rows));
}
if (differences.length === 0) console.log("\nthe two runs have no load in common");
