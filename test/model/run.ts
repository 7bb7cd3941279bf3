/**
 * Searches the whole model (model.ts) and prints what was found: `make model`. ROUNDS and BLOCKS
 * change its size. Ends with 1 when a right rule fails, or a wrong one does not.
 */

import { type Found, type Rules, search, type Wrong } from "./model.js";
import { rules, wrongRules } from "./rules.js";

const size = {
  rounds: Number(process.env.ROUNDS ?? 5),
  blocks: Number(process.env.BLOCKS ?? 2),
};

console.log(`4 managers, one Byzantine; ${size.blocks} blocks, up to ${size.rounds} rounds\n`);
const right = timed("the rules of the ring", rules);
let holds = right.fork === undefined && right.accusable === undefined;
for (const wrong of wrongRules) {
  for (const wrongness of wrong.leadsTo) {
    const found = timed(`wrong: ${wrong.what}`, wrong.rules, wrongness);
    if (found[wrongness] === undefined) holds = false;
  }
}
console.log(holds ? "\nas expected" : "\nNOT as expected");
process.exitCode = holds ? 0 : 1;

function timed(title: string, rules: Rules, ...lookedFor: readonly Wrong[]): Found {
  const startedMs = performance.now();
  const found = search(rules, size, lookedFor.length === 0 ? undefined : lookedFor);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  const { states, decided, fork, accusable } = found;
  const outcome =
    fork !== undefined
      ? "TWO BLOCKS ARE FINAL"
      : accusable !== undefined
        ? "AN HONEST MANAGER CAN BE ACCUSED"
        : "two blocks are never final, no honest manager can be accused";
  console.log(`${title}: ${outcome} (${states} states, ${decided} decided, ${seconds} s)`);
  for (const line of fork ?? accusable ?? []) console.log(`    ${line}`);
  return found;
}
