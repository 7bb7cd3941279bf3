/**
 * `node dist/bench/participants/beside.js [--seconds N] [--loads LIST] [--warm-seconds N | --cold]`:
 * what a participant that sends one reading at a time feels while another one loads as fast as it
 * can, and what that costs the other one. Each load is measured alone, too. Before the first one
 * all nodes are under other loads for 60 s, or the time of --warm-seconds. With --cold the loads
 * begin right after the start of the nodes; the first one then shows what code that was never run
 * costs.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { recordsFinal, startLoop } from "../../src/cli/bench/loop.js";
import { readCounters } from "../../test/support/manager-counters.js";
import { loadName, parseLoad } from "../loads/load.js";
import { recordsOf } from "../loads/readings.js";
import { warmConsortium, warmMsOf } from "../loads/warming.js";
import { numberOf } from "../options.js";
import { withOwnConsortium } from "../own-consortium.js";
import { Witness } from "../resend/sending.js";
import { untilQuiet } from "../usage/quiet.js";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "20" },
    loads: {
      type: "string",
      default: "1 x 16,1 x 256,100 x 8,100 x 64,1000 x 16,100 profiles x 64",
    },
    "warm-seconds": { type: "string" },
    cold: { type: "boolean", default: false },
  },
});
const seconds = numberOf("seconds", values.seconds, 0.5);
if (values.cold && values["warm-seconds"] !== undefined) {
  throw new Error("--cold is without warming: leave out --warm-seconds or --cold");
}
const warmMs = warmMsOf(values["warm-seconds"] ?? "60");
const loads = values.loads.split(",").map(parseLoad);
const profileMeters = 100;
const warmUpMs = 3_000;
const drainMsMax = 30_000;

const participants = loads.length + 2;
const sizes = { managers: 4, storage: 7, participants, profileMeters };
await withOwnConsortium({ sizes }, async (consortium) => {
  const { clients, configs } = consortium;
  const [honest, warmer, ...others] = clients;
  if (honest === undefined || warmer === undefined) throw new Error("there are participants");
  const witness = new Witness(honest);
  if (!values.cold) {
    await witness.beside(warmConsortium(consortium, warmer, { totalMs: warmMs, profileMeters }));
  }
  let quiet = values.cold ? undefined : await witness.during(seconds);
  console.log("| load | p50 ms | p99 | of alone | worst | records/s beside | alone |");
  console.log("|---|---|---|---|---|---|---|");
  if (quiet !== undefined)
    console.log(`| none | ${quiet.p50Ms} | ${quiet.p99Ms} | | ${quiet.maxMs} | | |`);
  for (const [i, load] of loads.entries()) {
    const client = others[i];
    if (client === undefined) throw new Error("each load has a participant");
    const with_ = await beside(client, load, witness);
    await untilQuiet(consortium);
    quiet ??= await witness.during(seconds);
    const alone = await beside(client, load, undefined);
    await untilQuiet(consortium);
    const { p50Ms, p99Ms, maxMs } = with_.felt ?? quiet;
    const times = `${(p50Ms / quiet.p50Ms).toFixed(1)}, ${(p99Ms / quiet.p99Ms).toFixed(1)}`;
    const cells = [
      loadName(load),
      p50Ms,
      p99Ms,
      times,
      maxMs,
      with_.recordsPerS,
      alone.recordsPerS,
    ];
    console.log(`| ${cells.join(" | ")} |`);
  }
  if (values.cold) console.log(`none: ${JSON.stringify(quiet)}`);
  const counters = await readCounters(configs);
  console.log(`suspensions ${Math.max(...counters.map(({ suspensions }) => suspensions))}`);

  /** The load for `seconds`, with the witness beside it from its first moment on or alone. */
  async function beside(
    client: typeof honest & object,
    load: ReturnType<typeof parseLoad>,
    seen: Witness | undefined,
  ) {
    const records = recordsOf(load, client.profile.id, profileMeters);
    const loop = startLoop(client, { load, records, warmUpMs });
    if (!values.cold) await Promise.race([loop.warm, sleep(warmUpMs * 3)]);
    const fromMs = performance.now();
    seen?.begin();
    await sleep(seconds * 1_000);
    const toMs = performance.now();
    const felt = await seen?.end();
    await loop.stop(drainMsMax);
    if (loop.failure !== undefined) throw new Error(loop.failure);
    const final = recordsFinal(loop.entries, fromMs, toMs);
    return { felt, recordsPerS: Math.round((final * 1_000) / (toMs - fromMs)) };
  }
});
process.exit(0);
