/**
 * One phase of the overload: what was offered, what became of it, and what that cost.
 *
 *     start ── warm-up ──┬──────────────────────────┬── end ── the last answers
 *                        │                          │
 *     ledger, cpu        ×                          ×     what a record took, and how many there were
 *
 * What counts are answers that came between the two marks; those of requests that were still open
 * at the end are only counted by kind.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { BssClient } from "../../../src/client/index.js";
import type { OwnConsortium } from "../../own-consortium.js";
import { sum, type Times, timesOf } from "../../report/statistics.js";
import type { Latencies, Witness } from "../../resend/sending.js";
import { cpuMsOf, usageOf } from "../../storage-nodes/usage.js";
import type { Answer } from "./load.js";

export type Phase = {
  readonly name: string;
  readonly seconds: number;
  readonly offeredPerS: number;
  /** What the ledger grew by. */
  readonly recordsPerS: number;
  readonly recordsPerBlock: number;
  readonly blocksPerS: number;
  /** Records whose receipt came within the phase. */
  readonly receiptsPerS: number;
  readonly refusalsPerS: number;
  /** Of all processes of a kind together, for each record that the ledger grew by. */
  readonly cpuMsPerRecord: Readonly<Record<Kind, number>>;
  /** How many cores all of them kept busy. */
  readonly coresBusy: number;
  /** From when a submission was due until its receipt. */
  readonly receipts: Times;
  /** The same of those that were refused; POOL_SHARE_FULL and the like should come at once. */
  readonly refusals: Times;
  /** Of that, how long a request that was due waited in this process until it was sent. */
  readonly sentLate: Times;
  /** Requests by what came back, and how many of the refusals said when to try again. */
  readonly answers: Readonly<Record<string, number>>;
  readonly withHint: number;
  readonly felt: Latencies;
  readonly managerMiBMax: number;
  readonly storageMiBMax: number;
};

type Kind = "managers" | "storage" | "clients";

export type PhaseOptions = {
  readonly name: string;
  readonly seconds: number;
  /** Records of each request. */
  readonly batchRecords: number;
  /** Sends until `endMs`, and resolves with the last answer. */
  readonly run: (endMs: number) => Promise<readonly Answer[]>;
};

/** At the start of a phase, in which nothing is measured yet. */
const warmUpMs = 5_000;
const memoryEveryMs = 500;

/** `witness` sends all the while. */
export async function measurePhase(
  { nodes, clients }: OwnConsortium,
  witness: Witness,
  { name, seconds, batchRecords, run }: PhaseOptions,
): Promise<Phase> {
  const asking = clients.at(-1);
  if (asking === undefined) throw new Error("somebody has to ask");
  const pidsOf = (role: string) => nodes.filter((each) => each.role === role).map((n) => n.pid);
  const pids = { managers: pidsOf("manager"), storage: pidsOf("storage"), clients: [process.pid] };
  const residentMax = (of: readonly number[]) =>
    Math.max(...of.map((pid) => usageOf(pid).residentMiB));
  const most = { managers: 0, storage: 0 };
  const watch = setInterval(() => {
    for (const kind of ["managers", "storage"] as const) {
      most[kind] = Math.max(most[kind], residentMax(pids[kind]));
    }
  }, memoryEveryMs);

  const startMs = performance.now();
  const endMs = startMs + seconds * 1_000;
  witness.begin();
  const running = run(endMs);
  await sleep(warmUpMs);
  const from = await takeMark(asking, pids);
  await sleep(endMs - performance.now());
  const to = await takeMark(asking, pids);
  const felt = await witness.end();
  const answers = await running;
  clearInterval(watch);

  const tookS = (to.ms - from.ms) / 1_000;
  const records = to.records - from.records;
  const blocks = to.height - from.height;
  const cpuMs = (kind: Kind) => to.cpuMs[kind] - from.cpuMs[kind];
  const counted = answers.filter(({ answeredMs }) => answeredMs >= from.ms && answeredMs < to.ms);
  const final = counted.filter(({ outcome }) => outcome.kind === "receipt");
  const refused = counted.filter(({ outcome }) => outcome.kind === "refusal");
  const untilAnswer = (each: Answer) => each.answeredMs - each.dueMs;
  return {
    name,
    seconds,
    offeredPerS: Math.round((answers.length * batchRecords) / seconds),
    recordsPerS: Math.round(records / tookS),
    recordsPerBlock: Math.round(records / Math.max(1, blocks)),
    blocksPerS: rounded(blocks / tookS, 2),
    receiptsPerS: Math.round((final.length * batchRecords) / tookS),
    refusalsPerS: rounded(refused.length / tookS, 1),
    cpuMsPerRecord: forEachKind((kind) => rounded(cpuMs(kind) / records, 4)),
    coresBusy: rounded(sum(Object.values(forEachKind(cpuMs))) / tookS / 1_000, 2),
    receipts: timesOf(final.map(untilAnswer)),
    refusals: timesOf(refused.map(untilAnswer)),
    sentLate: timesOf(answers.map((each) => each.sentMs - each.dueMs)),
    ...countsOf(answers),
    felt,
    managerMiBMax: Math.round(most.managers),
    storageMiBMax: Math.round(most.storage),
  };
}

type Mark = {
  readonly ms: number;
  readonly records: number;
  readonly height: number;
  readonly cpuMs: Readonly<Record<Kind, number>>;
};

async function takeMark(
  client: BssClient,
  pids: Readonly<Record<Kind, readonly number[]>>,
): Promise<Mark> {
  const { treeSize, height } = await client.status();
  return {
    ms: performance.now(),
    records: Number(treeSize),
    height: Number(height),
    cpuMs: forEachKind((kind) => sum(pids[kind].map(cpuMsOf))),
  };
}

function forEachKind(of: (kind: Kind) => number): Readonly<Record<Kind, number>> {
  return { managers: of("managers"), storage: of("storage"), clients: of("clients") };
}

function countsOf(answers: readonly Answer[]): Pick<Phase, "answers" | "withHint"> {
  const counts: Record<string, number> = {};
  let withHint = 0;
  for (const { outcome } of answers) {
    const what = outcome.kind === "refusal" ? outcome.reason : outcome.kind;
    counts[what] = (counts[what] ?? 0) + 1;
    if (outcome.kind === "refusal" && outcome.retryAfterMs > 0) withHint += 1;
  }
  return { answers: counts, withHint };
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
