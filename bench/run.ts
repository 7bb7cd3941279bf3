/**
 * `node dist/bench/run.js [--dir DIRECTORY] [--seconds N] [--out FILE]`: how fast a consortium makes
 * submissions final. Without a directory of a running consortium it starts one of 4 managers and 7
 * storage nodes on this machine, and stops it again.
 */
import { writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { parseArgs } from "node:util";
import { withConsortium } from "./own-consortium.js";
import { type Load, type Measured, measure } from "./throughput.js";

const loads: readonly Load[] = [1, 10, 100].flatMap((batchRecords) =>
  [1, 16].map((inFlight) => ({ batchRecords, inFlight })),
);

const { values } = parseArgs({
  options: {
    dir: { type: "string" },
    seconds: { type: "string", default: "10" },
    out: { type: "string" },
  },
});
const seconds = Number(values.seconds);
if (!(seconds > 0)) throw new Error("--seconds takes a number above 0");

await withConsortium(values.dir, async (directory) => {
  const results: Measured[] = [];
  console.log(row(["records each", "in flight", "records/s", "blocks", "p50 ms", "p99 ms"]));
  for (const load of loads) {
    const result = await measure(directory, { ...load, durationMs: seconds * 1_000 });
    results.push(result);
    const { recordsPerS, blocks, p50Ms, p99Ms } = result;
    console.log(row([load.batchRecords, load.inFlight, recordsPerS, blocks, p50Ms, p99Ms]));
  }
  const machine = { cores: availableParallelism(), cpu: cpus()[0]?.model, node: process.version };
  const json = JSON.stringify({ machine, seconds, results });
  console.log(`\n${json}`);
  if (values.out !== undefined) writeFileSync(values.out, `${json}\n`);
});

function row(cells: readonly (string | number)[]): string {
  const [first, ...rest] = cells.map(String);
  return [first?.padStart(12), ...rest.map((cell) => cell.padStart(9))].join(" ");
}
