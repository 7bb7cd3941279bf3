/**
 * Runs the fuzzer: `COUNT=1000000 SEED=1 node dist/test/fuzz/run.js`. Prints each finding with its
 * input; the exit status is 1 when there is one.
 */
import { fuzz } from "./fuzz.js";

const seed = Number(process.env.SEED ?? 1);
const count = Number(process.env.COUNT ?? 1_000_000);
/** So that a long run says where it is. */
const partCount = 50_000;

let [inputs, decoded, found] = [0, 0, 0];
for (let part = 0; inputs < count; part++) {
  const partSeed = seed + part;
  const tally = fuzz(partSeed, Math.min(partCount, count - inputs));
  inputs += tally.inputs;
  decoded += tally.decoded;
  found += tally.findings.length;
  for (const { target, input, error } of tally.findings) {
    console.log(`SEED=${partSeed}, ${target}: ${input}`, error);
  }
  const MiB = Math.round(process.memoryUsage().rss / 2 ** 20);
  console.log(`${inputs} inputs, ${decoded} decoded, ${found} findings, ${MiB} MiB`);
  if (tally.findings.length > 0) break;
}
process.exitCode = found === 0 ? 0 : 1;
