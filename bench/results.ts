/**
 * `node dist/bench/results.js FILE`: a run, as `node dist/bench/run.js --out FILE` wrote it, as the
 * tables of docs/performance.md.
 */
import { type Primitive, primitives } from "./limit/primitives.js";
import { loadName, valuesPerRecord } from "./loads/load.js";
import { type Run, readRun, type Section } from "./report/run-file.js";
import { costHead, costRow, problems, sectionTitle } from "./report/run-report.js";
import { type Cell, cellText, figure } from "./report/text-table.js";
import { roles } from "./usage/snapshot.js";

const [file] = process.argv.slice(2);
if (file === undefined) {
  console.error("usage: node dist/bench/results.js FILE");
  process.exit(2);
}
const run = readRun(file);
const { cpu, cores, node, commit } = run.machine;
const when = run.startedAt.slice(0, 10);
const warmed = run.warmMs === 0 ? "" : `, nodes warmed for ${run.warmMs / 1_000} s`;
console.log(`Commit ${commit}, ${when}; ${cpu}, ${cores} cores, Node.js ${node}${warmed}.`);
for (const section of run.sections) {
  console.log(`\n**${sectionTitle(section)}**\n\n${speeds(section)}\n\n${costs(section)}`);
}
console.log(`\n${primitiveCosts(run)}`);

function speeds({ results }: Section): string {
  const head = [
    "load",
    "records/s",
    "values/s",
    "p50 ms",
    "p95",
    "p99",
    "submissions",
    "records a block",
  ];
  const rows = results.map((result): Cell[] => {
    const { value, high } = result.recordsPerS;
    const marks = problems(result).length > 0 ? " !" : "";
    const speed = `${figure(value)} ± ${figure(high - value)}`;
    const latencies = [result.p50Ms, result.p95Ms, result.p99Ms].map((each) => each?.value);
    const counts = [result.submissions, result.recordsPerBlock];
    const valuesPerS = value * valuesPerRecord(result.load);
    return [`${loadName(result.load)}${marks}`, speed, valuesPerS, ...latencies, ...counts];
  });
  return markdownTable([head, ...rows]);
}

function costs({ results }: Section): string {
  const rows = results.flatMap((result) => roles.map((role) => costRow(result, role)));
  return markdownTable([costHead, ...rows]);
}

function primitiveCosts({ primitives: measured }: Run): string {
  const names = Object.keys(primitives) as Primitive[];
  const rows = names.map((name) => [`${name}: ${primitives[name]}`, measured[name]]);
  return markdownTable([["primitive", "cpu µs"], ...rows]);
}

function markdownTable(rows: readonly (readonly Cell[])[]): string {
  const [head = [], ...body] = rows;
  const line = (cells: readonly Cell[]) => `| ${cells.map(cellText).join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...body.map(line)].join("\n");
}
