/** One sending of records, what it cost all nodes, and what somebody else felt meanwhile. */
import { setTimeout as sleep } from "node:timers/promises";
import { type BssClient, RpcError, type Submission } from "../../src/client/index.js";
import type { ManagerCounters } from "../../test/support/manager-counters.js";
import { type Times, timesOf } from "../report/statistics.js";
import { type Usage, usageOf } from "../storage-nodes/usage.js";
import { readings } from "./records.js";

export type Sent = {
  readonly what: string;
  readonly records: number;
  readonly submissions: number;
  readonly seconds: number;
  /** Of all nodes, until they are quiet again. */
  readonly cpuS: number;
  /** Signed by managers. */
  readonly objections: number;
  readonly suspensions: number;
  /** "committed", or a reason → how many records. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly others: Latencies;
};

/** Of a participant that sends one reading after the other. */
export type Latencies = Times & {
  readonly answers: number;
  /** Calls that ended without one; their time counts all the same. */
  readonly failures: number;
  readonly maxMs: number;
};

export type SendOptions = {
  readonly client: BssClient;
  readonly witness: Witness;
  readonly pids: readonly number[];
  readonly counters: () => Promise<readonly ManagerCounters[]>;
  readonly secondsMax: number;
};

const inFlightMax = 32;
/** Quiet are nodes that use less than this share of a core together, for so long. */
const quiet = { share: 0.5, ms: 1_500, msMax: 60_000 };

export async function send(
  what: string,
  batches: readonly Submission[],
  options: SendOptions,
): Promise<Sent> {
  const { client, witness, pids, counters, secondsMax } = options;
  const before = { usage: pids.map(usageOf), counters: await counters() };
  const startMs = performance.now();
  witness.begin();
  const outcomes = await outcomesOf(client, batches, secondsMax);
  const seconds = (performance.now() - startMs) / 1_000;
  const others = await witness.end();
  await untilQuiet(pids);
  const after = await counters();
  return {
    what,
    records: batches.reduce((sum, { records }) => sum + records.length, 0),
    submissions: batches.length,
    seconds: round(seconds),
    cpuS: round(cpuMsSince(pids, before.usage) / 1_000),
    objections: sumOf(after, "objections") - sumOf(before.counters, "objections"),
    suspensions: mostOf(after, "suspensions") - mostOf(before.counters, "suspensions"),
    outcomes,
    others,
  };
}

async function outcomesOf(
  client: BssClient,
  batches: readonly Submission[],
  secondsMax: number,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const add = (name: string, count: number) => {
    counts[name] = (counts[name] ?? 0) + count;
  };
  let open = batches.reduce((sum, { records }) => sum + records.length, 0);
  const signal = AbortSignal.timeout(secondsMax * 1_000);
  try {
    for await (const outcome of client.submitStream(batches, { inFlightMax, signal })) {
      const { response, refusal, submission } = outcome;
      open -= submission.records.length;
      if (response === undefined) add(refusal.reason, submission.records.length);
      for (const { outcome } of response?.outcomes ?? []) {
        add(outcome.case === "objection" ? outcome.value.reason : String(outcome.case), 1);
      }
    }
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    add(`unanswered (${signal.aborted ? "time is up" : error.reason})`, open);
  }
  return counts;
}

/** Sends single readings of its own while `begin` … `end`. */
export class Witness {
  readonly #client: BssClient;
  #hour = 0;
  #latenciesMs: number[] = [];
  #failures = 0;
  #running: Promise<void> = Promise.resolve();
  #ending = false;

  constructor(client: BssClient) {
    this.#client = client;
  }

  /** What it feels for so long, with nothing else to be done meanwhile. */
  during(seconds: number): Promise<Latencies> {
    return this.beside(sleep(seconds * 1_000));
  }

  /** What it feels until something else is done. */
  async beside(work: Promise<unknown>): Promise<Latencies> {
    this.begin();
    await work;
    return this.end();
  }

  begin(): void {
    this.#ending = false;
    this.#latenciesMs = [];
    this.#failures = 0;
    this.#running = this.#run();
  }

  async end(): Promise<Latencies> {
    this.#ending = true;
    await this.#running;
    const [ms, failures] = [this.#latenciesMs, this.#failures];
    const maxMs = Math.round(Math.max(...ms));
    return { answers: ms.length - failures, failures, ...timesOf(ms), maxMs };
  }

  async #run(): Promise<void> {
    do {
      const submission = this.#client.sign(
        readings(this.#client, { before: this.#hour++, count: 1 }),
      );
      const startMs = performance.now();
      try {
        await this.#client.submit(submission, { timeoutMs: 60_000 });
      } catch (error) {
        if (!(error instanceof RpcError)) throw error;
        this.#failures += 1;
      }
      this.#latenciesMs.push(performance.now() - startMs);
      await sleep(20);
    } while (!this.#ending);
  }
}

async function untilQuiet(pids: readonly number[]): Promise<void> {
  const endMs = performance.now() + quiet.msMax;
  for (;;) {
    const before = pids.map(usageOf);
    await sleep(quiet.ms);
    if (cpuMsSince(pids, before) < quiet.share * quiet.ms || performance.now() > endMs) return;
  }
}

function cpuMsSince(pids: readonly number[], before: readonly Usage[]): number {
  return pids.reduce((sum, pid, i) => sum + usageOf(pid).cpuMs - (before[i]?.cpuMs ?? 0), 0);
}

type Counted = "objections" | "suspensions";

function sumOf(counters: readonly ManagerCounters[], name: Counted): number {
  return counters.reduce((sum, each) => sum + each[name], 0);
}

/** All see the same blocks, some later. */
function mostOf(counters: readonly ManagerCounters[], name: Counted): number {
  return Math.max(...counters.map((each) => each[name]));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
