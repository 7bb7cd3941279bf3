/**
 * `node dist/bench/limit/records.js [--batch 100] [--values 96] [--submissions 20]`: what a record
 * costs the one thread of a manager, step by step: a meter reading, and a load profile of so many
 * values, in submissions of so many. Runs no consortium and verifies no signatures; the state is in
 * memory, and what a block writes of it goes to a RocksDB as well.
 *
 * Every interval is a delivery interval of its own, which is the most that a value can cost.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { binaryText } from "../../src/base/bytes.js";
import { loadProfile, meterReading } from "../../src/client/index.js";
import type { Policy } from "../../src/gen/bss/v1/genesis_pb.js";
import { concludeExecution, executedBlock } from "../../src/ledger/blocks/executed-block.js";
import { BlockExecution } from "../../src/ledger/blocks/execution.js";
import { nothingKnown } from "../../src/ledger/blocks/known-work.js";
import { type ParsedSubmission, parseSubmission } from "../../src/ledger/records/submissions.js";
import { readKeysOfSubmission } from "../../src/ledger/state/effects.js";
import { genesisHead, type LedgerHead } from "../../src/ledger/state/head.js";
import { PrefetchedState } from "../../src/ledger/state/state.js";
import { recordIndexWrites } from "../../src/store/chain/record-index.js";
import { openRocksDb } from "../../src/store/rocksdb/rocksdb-store.js";
import {
  consortiumId,
  epochKey,
  genesis,
  quarterS,
  startS,
} from "../../test/unit/ledger/support/consortium.js";
import { submissionOf } from "../../test/unit/ledger/support/records.js";
import { median } from "../report/statistics.js";
import { textTable } from "../report/text-table.js";

const { values: options } = parseArgs({
  options: {
    batch: { type: "string", default: "100" },
    values: { type: "string", default: "96" },
    submissions: { type: "string", default: "20" },
  },
});
const batch = Number(options.batch);
const valueCount = Number(options.values);
const submissions = Number(options.submissions);

const policy: Policy = {
  ...genesis.policy,
  deliveryIntervalS: quarterS,
  blockRecordsMax: 1_000,
  blockBytesMax: 4 * 2 ** 20,
  submissionRecordsMax: 1_000,
  recordBytesMax: 65_536,
};
const ids = { ownerId: "participant-1", meterId: "meter-1" };

/** Wh of an ordinary home: one byte or two. */
const wh = (i: number) => (i * 37) % 250;

function reading(i: number): Uint8Array {
  const start = startS - (i + 1) * quarterS;
  return meterReading({
    ...ids,
    intervalStartS: start,
    intervalS: quarterS,
    importedWh: wh(i),
    exportedWh: 0,
  });
}

function profile(i: number): Uint8Array {
  const start = startS - (i + 1) * valueCount * quarterS;
  const values = Array.from({ length: valueCount }, (_, k) => {
    return { importedWh: wh(i + k), exportedWh: 0, quality: "measured" as const };
  });
  return loadProfile({ ...ids, startS: start, intervalS: quarterS, values });
}

const steps = ["parse", "screen", "execute", "seal, write state", "index", "RocksDB"] as const;
type Costs = Record<(typeof steps)[number], number>;

/** Processor time of all threads, µs. */
async function timed<T>(work: () => T | Promise<T>): Promise<readonly [T, number]> {
  const before = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return [result, user + system];
}

class Manager {
  readonly #state = new Map<string, Uint8Array>();
  readonly #store: Awaited<ReturnType<typeof openRocksDb>>;
  #head: LedgerHead;
  stateBytes = 0;
  stateKeys = 0;

  constructor(store: Awaited<ReturnType<typeof openRocksDb>>) {
    this.#store = store;
    const { head, stateWrites } = genesisHead(genesis);
    this.#head = head;
    for (const { key, value } of stateWrites) this.#state.set(binaryText(key), value);
  }

  async take(records: readonly Uint8Array[]): Promise<Costs> {
    const message = submissionOf(records);
    const [parsed, parse] = await timed(() => parseSubmission(consortiumId, message, policy));
    if (!parsed.ok) throw new Error(parsed.error.message);
    const submission = parsed.value;
    const [, screen] = await timed(() => this.#execute(submission));
    const [execution, execute] = await timed(() => this.#execute(submission));
    const before = this.#head;
    const [executed, write] = await timed(() => {
      const sealing = { epochKey, known: nothingKnown };
      const outcome = concludeExecution(execution, before, sealing);
      const identity = {
        blockId: before.blockId,
        createdRound: 0,
        proposerId: "manager-1",
        timestampMs: before.timestampMs + 1,
        beacon: before.beacon,
      };
      return executedBlock(outcome, before, identity, policy);
    });
    const [, index] = await timed(() => {
      const nothing = { getMany: async (keys: readonly unknown[]) => keys.map(() => undefined) };
      return recordIndexWrites(nothing as never, executed.placed);
    });
    const [, put] = await timed(() =>
      this.#store.write(
        executed.stateWrites.map(({ key, value }) => ({ type: "put" as const, key, value })),
        "sync",
      ),
    );
    for (const { key, value } of executed.stateWrites) {
      this.stateBytes += key.length + value.length;
      this.#state.set(binaryText(key), value);
    }
    this.stateKeys += executed.stateWrites.length;
    this.#head = executed.head;
    const costs = [parse, screen, execute, write, index, put];
    return Object.fromEntries(steps.map((step, i) => [step, costs[i]])) as Costs;
  }

  #execute(submission: ParsedSubmission): BlockExecution {
    const texts = readKeysOfSubmission(submission).map((key) => binaryText(key));
    const state = new PrefetchedState(new Map(texts.map((text) => [text, this.#state.get(text)])));
    const execution = new BlockExecution({
      state,
      policy,
      members: this.#head.members,
      height: this.#head.height + 1,
      timestampMs: this.#head.timestampMs + 1,
      firstPosition: this.#head.frontier.size,
    });
    for (const record of submission.records) {
      const broken = execution.tryRecord(record, submission);
      if (broken !== undefined) throw new Error(broken.message);
    }
    return execution;
  }
}

async function measure(make: (i: number) => Uint8Array) {
  const directory = mkdtempSync(join(tmpdir(), "bss-bench-records-"));
  const store = await openRocksDb(directory);
  try {
    const manager = new Manager(store);
    const rounds: Costs[] = [];
    for (let round = 0; round < submissions; round++) {
      const records = Array.from({ length: batch }, (_, i) => make(round * batch + i));
      rounds.push(await manager.take(records));
    }
    // The first third is for V8 to compile what is measured.
    const warm = rounds.slice(Math.floor(rounds.length / 3));
    const costs = steps.map((step) => median(warm.map((each) => each[step])) / batch);
    const count = submissions * batch;
    const { stateBytes, stateKeys } = manager;
    return [
      ...costs,
      costs.reduce((sum, cost) => sum + cost, 0),
      stateKeys / count,
      stateBytes / count,
    ];
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
