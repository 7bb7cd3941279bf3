/**
 * `node dist/bench/limit/run.js [--managers 4] [--storage 7] [--batch 1] [--block 1] [--bytes 66]`:
 * what the protocol has to spend for one block on this machine, primitive by primitive: a block of
 * so many records, in submissions of so many. Runs no consortium.
 */
import { parseArgs } from "node:util";
import { numberOf } from "../options.js";
import { textTable } from "../report/text-table.js";
import { roles } from "../usage/snapshot.js";
import { mustSpendMsPerBlock, type Shape, spentOn } from "./counts.js";
import { measurePrimitives, type Primitive } from "./primitives.js";

const { values } = parseArgs({
  options: {
    managers: { type: "string", default: "4" },
    storage: { type: "string", default: "7" },
    batch: { type: "string", default: "1" },
    block: { type: "string", default: "1" },
    bytes: { type: "string", default: "66" },
  },
});
const number = (name: keyof typeof values) => numberOf(name, values[name], 1);
const shape: Shape = {
  managers: number("managers"),
  storage: number("storage"),
  batchRecords: number("batch"),
  recordsPerBlock: number("block"),
  recordBytes: number("bytes"),
};

const costs = await measurePrimitives();
const rows = (Object.keys(costs) as Primitive[]).map((primitive) => {
  const ms = roles.map((role) => spentOn(primitive, role, shape, costs));
  return [primitive, costs[primitive], ...ms];
});
const totals = roles.map((role) => mustSpendMsPerBlock(role, shape, costs));
const head = ["primitive", "cpu µs", ...roles.map((role) => `${role} ms/block`)];
console.log(textTable(head, [...rows, ["together", undefined, ...totals]]));
