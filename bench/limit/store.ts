/**
 * `node dist/bench/limit/store.js [--records 1000000]`: whether records cost more when there are
 * many on the ledger already, and how long a manager's store takes to open then. Meter readings go
 * through a manager without a consortium (lone-manager.ts) in blocks of 1,000, into a RocksDB that
 * is removed afterwards: some 500 bytes for each. Checks that are made in the background are
 * not in it.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ManagerStore } from "../../src/store/manager-store.js";
import { openRocksDb } from "../../src/store/rocksdb/rocksdb-store.js";
import { median } from "../report/statistics.js";
import { textTable } from "../report/text-table.js";
import { type Costs, genesis, LoneManager, reading, readingsMax, steps } from "./lone-manager.js";

const { values: options } = parseArgs({
  options: { records: { type: "string", default: "1000000" } },
});

const batch = 100;
const submissions = 10;
const blockRecords = batch * submissions;
/** Blocks whose median cost stands for a size of the ledger. */
const measuredBlocks = 50;

const records = Number(options.records);
if (!(records >= measuredBlocks * blockRecords && records <= readingsMax)) {
  throw new Error(`--records is from ${measuredBlocks * blockRecords} to ${readingsMax}`);
}
const blocks = Math.ceil(records / blockRecords);

const directory = mkdtempSync(join(tmpdir(), "bss-bench-store-"));
let store = await ManagerStore.open(await openRocksDb(directory), genesis);
try {
  const rows = await fill();
  await store.close();
  const head = ["µs a record, after", ...steps, "together", "kept B/record"];
  console.log(textTable(head, rows));
  const started = performance.now();
  store = await ManagerStore.open(await openRocksDb(directory), genesis);
  const openMs = Math.round(performance.now() - started);
  console.log(`\nopened with ${store.head.frontier.size} records in ${openMs} ms`);
} finally {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
}

/** A row for each power of ten from 100,000 on, and for the end. */
async function fill() {
  const manager = new LoneManager(store);
  const rows: (string | number)[][] = [];
  let latest: Costs[] = [];
  for (let block = 1; block <= blocks; block++) {
    const first = (block - 1) * blockRecords;
    const made = Array.from({ length: submissions }, (_, s) =>
      Array.from({ length: batch }, (_, i) => reading(first + s * batch + i)),
    );
    latest = [...latest.slice(1 - measuredBlocks), await manager.take(made)];
    const count = block * blockRecords;
    const isPower = count >= 100_000 && Number.isInteger(Math.log10(count));
    if (isPower || block === blocks) rows.push([count.toLocaleString("en-US"), ...costs(latest)]);
  }
  return rows;
}

function costs(latest: readonly Costs[]): number[] {
  const each = steps.map((step) => median(latest.map((cost) => cost[step])) / blockRecords);
  const together = each.reduce((sum, cost) => sum + cost, 0);
  const count = store.head.frontier.size;
  const bytes = readdirSync(directory).reduce((sum, name) => sum + bytesOf(name), 0);
  return [...each, together, bytes / count];
}

/** RocksDB may have removed the file meanwhile. */
function bytesOf(name: string): number {
  return statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0;
}
