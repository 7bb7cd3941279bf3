/**
 * `node dist/bench/participants/overload/run.js [--seconds N] [--times N] [--per-second N]
 * [--out FILE]`: what a consortium does when participants submit several times as much as it can
 * take.
 *
 * First its best rate is measured, by a closed loop. Then the same participants submit by a
 * schedule of so many times that rate, or of so many records a second, without retries, while one
 * more participant sends a reading at a time and follows the refusals' advice, as the client
 * library does. Afterwards that participant alone shows how soon the consortium is as quick as
 * before. Every request has to be answered, by a receipt or by a refusal with a reason.
 */
import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { BssClient } from "../../../src/client/index.js";
import type { NodeConfig } from "../../../src/config/node-config.js";
import { readCounters, sumOfMetric } from "../../../test/support/manager-counters.js";
import { channelsToManagers, type OwnConsortium, withOwnConsortium } from "../../own-consortium.js";
import { sum, type Times, timesOf } from "../../report/statistics.js";
import { type Latencies, Witness } from "../../resend/sending.js";
import { cpuMsOf, usageOf } from "../../storage-nodes/usage.js";
import { type Answer, closedLoad, openLoad, type Sender } from "./load.js";
import { Requests } from "./request.js";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "120" },
    times: { type: "string", default: "4" },
    "per-second": { type: "string" },
    out: { type: "string" },
  },
});
const overloadS = Number(values.seconds);
const times = Number(values.times);
const recordsPerS = values["per-second"] === undefined ? undefined : Number(values["per-second"]);

const senders = 8;
const sizes = { managers: 4, storage: 7, participants: senders + 1 };
const batchRecords = 100;
/** At each manager, of each sender: together as many as the largest load of `make bench`. */
const inFlight = 2;
/** Long enough for the store to compact what comes in, as it does under overload. */
const bestS = 60;
/** Records a second that are made beforehand for that; what a faster machine takes is made then. */
const bestPerSMax = 5_000;
/** At the start of a phase, in which nothing is measured yet. */
const warmUpMs = 5_000;
const quietS = 10;
/** Waits of this length are looked at one by one, to see when all is quick again. */
const recoveryStepS = 5;
const recoverySteps = 6;

type Phase = {
  readonly name: string;
  readonly seconds: number;
  readonly offeredPerS: number;
  /** What the ledger grew by. */
  readonly recordsPerS: number;
  readonly recordsPerBlock: number;
  /** Records whose receipt came within the phase. */
  readonly receiptsPerS: number;
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
  readonly cpuS: { readonly managers: number; readonly storage: number; readonly clients: number };
};

await withOwnConsortium({ sizes }, async (consortium) => {
  const { clients, configs } = consortium;
  const loaders = clients.slice(0, senders);
  const honest = clients[senders];
  if (honest === undefined) throw new Error("there is a participant beside the senders");
  const witness = new Witness(honest);
  const quiet = await witness.during(quietS);
  show("quiet", { felt: quiet });

  const loads = loaders.map((client): Sender => {
    const channels = channelsToManagers(configs, client.profile);
    return { channels, requests: new Requests(client, batchRecords) };
  });
  await prepare(loads, bestPerSMax * bestS);
  const best = await measure(consortium, witness, "best", bestS, (endMs) =>
    closedLoad(loads, { inFlight, endMs }),
  );
  show("best", best);

  const perS = (recordsPerS ?? times * best.recordsPerS) / batchRecords;
  await prepare(loads, perS * batchRecords * overloadS);
  const over = await measure(consortium, witness, "overload", overloadS, (endMs) =>
    openLoad(loads, { perS, endMs }),
  );
  show(over.name, over);

  const after: Latencies[] = [];
  for (let step = 0; step < recoverySteps; step++) after.push(await witness.during(recoveryStepS));
  show("after", { felt: after });
  const counters = await readCounters(configs);
  const suspensions = Math.max(...counters.map((each) => each.suspensions));
  const boundMiB = Math.round((await memoryBoundBytes(configs)) / 2 ** 20);
  const ratio = over.recordsPerS / best.recordsPerS;
  show("result", { ratio: Math.round(ratio * 100) / 100, suspensions, boundMiB });
  if (values.out !== undefined) {
    const result = { quiet, best, over, after, suspensions, boundMiB };
    writeFileSync(values.out, `${JSON.stringify(result, null, 2)}\n`);
  }
});
process.exit(0);

/** Makes the requests of a phase, so that it does not take processor time from the nodes. */
async function prepare(loads: readonly Sender[], records: number): Promise<void> {
  const startMs = performance.now();
  const each = Math.ceil(records / batchRecords / loads.length) + 1;
  for (const { requests } of loads) await requests.prepare(each);
  show("prepared", { requests: each * loads.length, ms: Math.round(performance.now() - startMs) });
}

async function measure(
  { nodes, clients }: OwnConsortium,
  witness: Witness,
  name: string,
  seconds: number,
  run: (endMs: number) => Promise<readonly Answer[]>,
): Promise<Phase> {
  const pidsOf = (role: string) => nodes.filter((each) => each.role === role).map((n) => n.pid);
  const groups = { managers: pidsOf("manager"), storage: pidsOf("storage") };
  const most = { managers: 0, storage: 0 };
  const watch = setInterval(() => {
    for (const group of ["managers", "storage"] as const) {
      const resident = groups[group].map((pid) => usageOf(pid).residentMiB);
      most[group] = Math.max(most[group], ...resident);
    }
  }, 500);
  const cpuOf = () => ({
    managers: sum(groups.managers.map(cpuMsOf)),
    storage: sum(groups.storage.map(cpuMsOf)),
    clients: cpuMsOf(process.pid),
  });
  const [before, startMs] = [cpuOf(), performance.now()];
  const endMs = startMs + seconds * 1_000;
  witness.begin();
  const running = run(endMs);
  const grown = growth(clients.at(-1), endMs);
  const felt = new Promise<Latencies>((resolve, reject) => {
    setTimeout(() => witness.end().then(resolve, reject), seconds * 1_000);
  });
  const answers = await running;
  const { recordsPerS: grownPerS, recordsPerBlock } = await grown;
  clearInterval(watch);
  const after = cpuOf();
  const counted = answers.filter(
    ({ answeredMs }) => answeredMs >= startMs + warmUpMs && answeredMs < endMs,
  );
  const final = counted.filter(({ outcome }) => outcome.kind === "receipt");
  const refused = counted.filter(({ outcome }) => outcome.kind === "refusal");
  const untilAnswer = (each: Answer) => each.answeredMs - each.dueMs;
  const counts: Record<string, number> = {};
  let withHint = 0;
  for (const { outcome } of answers) {
    const what = outcome.kind === "refusal" ? outcome.reason : outcome.kind;
    counts[what] = (counts[what] ?? 0) + 1;
    if (outcome.kind === "refusal" && outcome.retryAfterMs > 0) withHint += 1;
  }
  const cpuS = (group: keyof typeof before) => Math.round((after[group] - before[group]) / 1_000);
  return {
    name,
    seconds,
    offeredPerS: Math.round((answers.length * batchRecords) / seconds),
    recordsPerS: grownPerS,
    recordsPerBlock,
    receiptsPerS: Math.round((final.length * batchRecords) / (seconds - warmUpMs / 1_000)),
    receipts: timesOf(final.map(untilAnswer)),
    refusals: timesOf(refused.map(untilAnswer)),
    sentLate: timesOf(answers.map((each) => each.sentMs - each.dueMs)),
    answers: counts,
    withHint,
    felt: await felt,
    managerMiBMax: Math.round(most.managers),
    storageMiBMax: Math.round(most.storage),
    cpuS: { managers: cpuS("managers"), storage: cpuS("storage"), clients: cpuS("clients") },
  };
}

/** What the ledger took in from the end of the warm-up to `endMs`. */
async function growth(
  client: BssClient | undefined,
  endMs: number,
): Promise<Pick<Phase, "recordsPerS" | "recordsPerBlock">> {
  if (client === undefined) throw new Error("somebody has to ask");
  const look = async () => {
    const { treeSize, height } = await client.status();
    return { records: Number(treeSize), height: Number(height), ms: performance.now() };
  };
  await sleep(warmUpMs);
  const from = await look();
  await sleep(endMs - performance.now());
  const to = await look();
  const records = to.records - from.records;
  return {
    recordsPerS: Math.round((records * 1_000) / (to.ms - from.ms)),
    recordsPerBlock: Math.round(records / Math.max(1, to.height - from.height)),
  };
}

async function memoryBoundBytes(configs: readonly NodeConfig[]): Promise<number> {
  const bounds = await sumOfMetric(configs, "bss_memory_bound_bytes");
  return Math.max(...bounds);
}

function show(name: string, what: object): void {
  console.log(`${name}: ${JSON.stringify(what)}`);
}
