/**
 * `node dist/bench/participants/overload/run.js [--seconds N] [--best-seconds N] [--warm-seconds N]
 * [--times N] [--per-second N] [--out FILE]`: what a consortium does when participants submit
 * several times as much as it can take.
 *
 *     warm ── quiet ── best ── overload ── recovery ── best again
 *
 * The best rate is measured by a closed loop. Then the same participants submit by a schedule of so
 * many times that rate, or of so many records a second, without retries. In all of this one more
 * participant sends a reading at a time and follows the refusals' advice, as the client library
 * does; in between it is alone, to show how soon the consortium is as quick as before. Then comes
 * the closed loop again: a shared machine becomes faster and slower within minutes, so the overload
 * is compared with the mean of what was best before and after it. Every request has to be answered,
 * by a receipt or by a refusal with a reason.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { NodeConfig } from "../../../src/config/node-config.js";
import { readCounters, sumOfMetric } from "../../../test/support/manager-counters.js";
import { warmConsortium, warmMsOf } from "../../loads/warming.js";
import { numberOf } from "../../options.js";
import { channelsToManagers, withOwnConsortium } from "../../own-consortium.js";
import { type Latencies, Witness } from "../../resend/sending.js";
import { untilQuiet } from "../../usage/quiet.js";
import { closedLoad, openLoad, type Sender } from "./load.js";
import { measurePhase } from "./phase.js";
import { Requests } from "./request.js";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "120" },
    "best-seconds": { type: "string", default: "40" },
    "warm-seconds": { type: "string", default: "60" },
    times: { type: "string", default: "4" },
    "per-second": { type: "string" },
    out: { type: "string" },
  },
});
/** More than the start of a phase, which does not count. */
const secondsMin = 6;
const overloadS = numberOf("seconds", values.seconds, secondsMin);
/** Long enough for the store to compact what comes in, as it does under overload. */
const bestS = numberOf("best-seconds", values["best-seconds"], secondsMin);
const warmMs = warmMsOf(values["warm-seconds"]);
const times = numberOf("times", values.times, 0.1);
const perSecond = values["per-second"];
const recordsPerS = perSecond === undefined ? undefined : numberOf("per-second", perSecond, 1);

const senders = 8;
const profileMeters = 100;
/** Besides the senders: one that feels the load, and one that warms the nodes. */
const sizes = { managers: 4, storage: 7, participants: senders + 2, profileMeters };
const batchRecords = 100;
/** At each manager, of each sender: together as many as the largest load of `make bench`. */
const inFlight = 2;
/** Records a second that are made beforehand for that; what a faster machine takes is made then. */
const bestPerSMax = 5_000;
const quietS = 10;
/** Waits of this length are looked at one by one, to see when all is quick again. */
const recoveryStepS = 5;
const recoverySteps = 6;

await withOwnConsortium({ sizes }, async (consortium) => {
  const { clients, configs } = consortium;
  const loaders = clients.slice(0, senders);
  const [honest, warmer] = clients.slice(senders);
  if (honest === undefined || warmer === undefined) throw new Error("there are participants");
  const loads = loaders.map((client): Sender => {
    const channels = channelsToManagers(configs, client.profile);
    return { channels, requests: new Requests(client, batchRecords) };
  });
  const witness = new Witness(honest);
  await witness.beside(warmConsortium(consortium, warmer, { totalMs: warmMs, profileMeters }));
  const quiet = await witness.during(quietS);
  show("quiet", { felt: quiet });

  const measureBest = async (name: string) => {
    await prepare(loads, bestPerSMax * bestS);
    const run = (endMs: number) => closedLoad(loads, { inFlight, endMs });
    const phase = await measurePhase(consortium, witness, {
      name,
      seconds: bestS,
      batchRecords,
      run,
    });
    show(name, phase);
    return phase;
  };

  const best = await measureBest("best");
  const perS = (recordsPerS ?? times * best.recordsPerS) / batchRecords;
  await prepare(loads, perS * batchRecords * overloadS);
  const over = await measurePhase(consortium, witness, {
    name: "overload",
    seconds: overloadS,
    batchRecords,
    run: (endMs) => openLoad(loads, { perS, endMs }),
  });
  show(over.name, over);

  const after: Latencies[] = [];
  for (let step = 0; step < recoverySteps; step++) after.push(await witness.during(recoveryStepS));
  show("after", { felt: after });
  await untilQuiet(consortium);
  const bestAgain = await measureBest("best again");

  const counters = await readCounters(configs);
  const suspensions = Math.max(...counters.map((each) => each.suspensions));
  const boundMiB = Math.round((await memoryBoundBytes(configs)) / 2 ** 20);
  const rates = { best: best.recordsPerS, over: over.recordsPerS, again: bestAgain.recordsPerS };
  const ratio = Math.round((200 * rates.over) / (rates.best + rates.again)) / 100;
  show("result", { ratio, recordsPerS: rates, suspensions, boundMiB });
  if (values.out !== undefined) {
    const result = { quiet, best, over, after, bestAgain, ratio, suspensions, boundMiB };
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

async function memoryBoundBytes(configs: readonly NodeConfig[]): Promise<number> {
  const bounds = await sumOfMetric(configs, "bss_memory_bound_bytes");
  return Math.max(...bounds);
}

function show(name: string, what: object): void {
  console.log(`${name}: ${JSON.stringify(what)}`);
}
