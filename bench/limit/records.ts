/**
 * `node dist/bench/limit/records.js [--batch 100] [--values 96] [--submissions 5] [--blocks 30]`:
 * what a record costs a manager on its way, step by step: a meter reading, and a load profile of so
 * many values, in blocks of so many submissions of so many. Runs no consortium, verifies no
 * signatures, and sends nothing.
 *
 * Every interval is a delivery interval of its own, which is the most that a value can cost.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadProfile } from "../../src/client/index.js";
import { ManagerStore } from "../../src/store/manager-store.js";
import { openRocksDb } from "../../src/store/rocksdb/rocksdb-store.js";
import { quarterS, startS } from "../../test/unit/ledger/support/consortium.js";
import { median } from "../report/statistics.js";
import { textTable } from "../report/text-table.js";
import { type Costs, genesis, ids, LoneManager, reading, steps, wh } from "./lone-manager.js";

const { values: options } = parseArgs({
  options: {
    batch: { type: "string", default: "100" },
    values: { type: "string", default: "96" },
    submissions: { type: "string", default: "5" },
    blocks: { type: "string", default: "30" },
  },
});
const batch = Number(options.batch);
const valueCount = Number(options.values);
const submissions = Number(options.submissions);
const blocks = Number(options.blocks);

function profile(i: number): Uint8Array {
  const start = startS - (i + 1) * valueCount * quarterS;
  const values = Array.from({ length: valueCount }, (_, k) => {
    return { importedWh: wh(i + k), exportedWh: 0, quality: "measured" as const };
  });
  return loadProfile({ ...ids, startS: start, intervalS: quarterS, values });
}

async function measure(make: (i: number) => Uint8Array) {
  const directory = mkdtempSync(join(tmpdir(), "bss-bench-records-"));
  const store = await ManagerStore.open(await openRocksDb(directory), genesis);
  try {
    const manager = new LoneManager(store);
    const rounds: Costs[] = [];
    for (let round = 0; round < blocks; round++) {
      const first = round * submissions * batch;
      rounds.push(
        await manager.take(
          Array.from({ length: submissions }, (_, s) =>
            Array.from({ length: batch }, (_, i) => make(first + s * batch + i)),
          ),
        ),
      );
    }
    // The first third is for V8 to compile what is measured.
    const warm = rounds.slice(Math.floor(rounds.length / 3));
    const each = submissions * batch;
    const costs = steps.map((step) => median(warm.map((round) => round[step])) / each);
    const count = blocks * each;
    const { stateBytes, stateKeys } = manager;
    const sum = costs.reduce((total, cost) => total + cost, 0);
    return [...costs, sum, stateKeys / count, stateBytes / count];
  } finally {
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

const ofReading = await measure(reading);
const ofProfile = await measure(profile);
const names = [...steps, "together", "state keys written", "state bytes written"];
const rows = names.map((name, i) => {
  const [a = 0, b = 0] = [ofReading[i], ofProfile[i]];
  return [name, a, b, b / a];
});
const head = ["µs a record", "meter reading", `profile of ${valueCount}`, "ratio"];
console.log(textTable(head, rows));
