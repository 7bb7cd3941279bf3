/**
 * `node dist/bench/public/run.js [silence|audits|losses|parts|samples …]`: what the rules about
 * storage nodes come to, computed with the pure code of the ledger. Without a name: all of them.
 */
import { type LossyCase, measureLazy, measureLossy } from "./credit.js";
import { measureParts } from "./parts.js";
import { measureSample } from "./samples.js";
import { measureSilence } from "./silence.js";

const measures: Readonly<Record<string, () => void>> = {
  silence() {
    title("A part of the storage nodes is silent: rounds until a block is attested");
    for (const nodes of [7, 30, 100]) {
      for (const silent of [Math.ceil((2 * nodes) / 9) - 1, Math.floor(nodes / 3)]) {
        print(measureSilence({ nodes, silent }, 10_000));
      }
    }
  },
  audits() {
    title("A node that stores nothing: blocks until it is boycotted");
    for (const [nodes, credit, auditsPerBlock, runs, blocks] of [
      [7, 100, 2, 100, 1_000],
      [7, 1_000, 2, 100, 1_000],
      [30, 100, 2, 100, 1_000],
      [30, 1_000, 2, 100, 5_000],
      [100, 100, 2, 30, 2_000],
      [300, 100, 2, 10, 3_000],
      [1_000, 100, 2, 4, 600],
      [1_000, 1_000, 2, 1, 600],
    ] as const) {
      print(measureLazy({ nodes, credit, auditsPerBlock, runs }, blocks));
    }
  },
  losses() {
    title("An honest node on a bad line: its lowest credit in 10,000 blocks");
    for (const nodes of [7, 30]) {
      for (const [line, share] of [
        ["lost", 0.2],
        ["late", 0.2],
        ["lost", 0.35],
        ["always slow, lost", 0],
        ["always slow, lost", 0.02],
        ["always slow, lost", 0.2],
      ] as const satisfies readonly (readonly [LossyCase, number])[]) {
        print(measureLossy({ nodes, line, share }, 10_000));
      }
    }
  },
  parts() {
    title("One block, part by part, on one core");
    for (const nodes of [100, 1_000, 10_000, 100_000]) print(measureParts(nodes));
  },
  samples() {
    title("Committees of a fixed size");
    for (const nodes of [10_000, 1_000_000]) {
      for (const committee of [67, 100, 200, 300, 500]) print(measureSample(nodes, committee));
    }
  },
};

const chosen = process.argv.slice(2);
for (const [name, measure] of Object.entries(measures)) {
  if (chosen.length === 0 || chosen.includes(name)) measure();
}

function title(text: string): void {
  console.log(`\n${text}`);
}

function print(result: object): void {
  const short = (_: string, value: unknown) =>
    typeof value === "number" ? Number(value.toPrecision(4)) : value;
  console.log(JSON.stringify(result, short));
}
