/**
 * `node dist/bench/public/run.js [silence …]`: what the rules about storage nodes come to, computed
 * with the pure code of the ledger. Without a name: all of them.
 */
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
