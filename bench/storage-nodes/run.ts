/**
 * `node dist/bench/storage-nodes/run.js [--nodes 10,100] [--blocks N] [--seconds N] [--records N]
 * [--out FILE]`: what storage nodes cost four managers, for each number of nodes. Everything runs
 * on this machine; it stops by itself, and one number that fails does not keep the next from being
 * measured.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Measured, measureNodes } from "./measure.js";

const { values } = parseArgs({
  options: {
    nodes: { type: "string", default: "100" },
    blocks: { type: "string", default: "20" },
    seconds: { type: "string", default: "60" },
    records: { type: "string", default: "10" },
    out: { type: "string" },
  },
});
const sizes = values.nodes.split(",").map(Number);
const [blocks, secondsMax, records] = [values.blocks, values.seconds, values.records].map(Number);
if (!sizes.every((size) => Number.isInteger(size) && size > 0)) {
  throw new Error("--nodes takes numbers above 0, with commas between them");
}
if (!(blocks && secondsMax && records)) {
  throw new Error("--blocks, --seconds and --records take numbers above 0");
}

const parent = mkdtempSync(join(tmpdir(), "bss-bench-"));
const results: Measured[] = [];
try {
  for (const nodes of sizes) {
    try {
      const result = await measureNodes(parent, { nodes, blocks, secondsMax, records });
      results.push(result);
      console.log(JSON.stringify(result));
    } catch (error) {
      console.log(JSON.stringify({ nodes, failed: String(error) }));
    }
  }
} finally {
  rmSync(parent, { recursive: true, force: true });
}
const machine = { cores: availableParallelism(), cpu: cpus()[0]?.model, node: process.version };
console.log(JSON.stringify({ machine }));
if (values.out !== undefined) {
  writeFileSync(values.out, `${JSON.stringify({ machine, results })}\n`);
}
process.exit(results.length === sizes.length ? 0 : 1);
