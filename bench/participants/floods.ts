/**
 * `node dist/bench/participants/floods.js [--seconds N] [--warm-seconds N] [--base-port N]
 * [--main FILE] [--flood NAME]`: what one participant feels while another one floods all managers:
 * with records that are refused, and with records that are right. A consortium of 4 managers and 4
 * storage nodes is started on this machine, with the nodes of another build if `--main` names its
 * main.js. Before anything is measured a third participant warms the nodes for 60 s, or the time of
 * `--warm-seconds`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { BssClient } from "../../src/client/index.js";
import type { FloodReport, FloodTarget } from "../../test/hostile/flood.js";
import { legalFlood } from "../../test/hostile/legal-flood.js";
import { refusalFlood } from "../../test/hostile/refusal-flood.js";
import { readCounters } from "../../test/support/manager-counters.js";
import { warmConsortium, warmMsOf } from "../loads/warming.js";
import { numberOf } from "../options.js";
import { channelsToManagers, withOwnConsortium } from "../own-consortium.js";
import { Witness } from "../resend/sending.js";
import { usageOf } from "../storage-nodes/usage.js";

const sizes = { managers: 4, storage: 4, participants: 3, profileMeters: 100 };

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "30" },
    "warm-seconds": { type: "string", default: "60" },
    "base-port": { type: "string" },
    main: { type: "string" },
    flood: { type: "string", multiple: true },
  },
});
const seconds = numberOf("seconds", values.seconds, 0.5);
const warmMs = warmMsOf(values["warm-seconds"]);
const floods = {
  quiet: async (): Promise<FloodReport> => ({ counts: {} }),
  refusalFlood,
  legalFlood,
};
for (const name of values.flood ?? []) {
  if (!Object.hasOwn(floods, name)) {
    throw new Error(`--flood takes ${Object.keys(floods).join(", ")}, not "${name}"`);
  }
}
const chosen = Object.entries(floods).filter(([name]) => values.flood?.includes(name) ?? true);
/** Then what the flood has left is worked off, and the next one begins. */
const restMs = 5_000;

const port = values["base-port"];
const basePort = port === undefined ? undefined : numberOf("base-port", port, 1);
const options = { sizes, basePort, mainFile: values.main };
await withOwnConsortium(options, async (consortium) => {
  const { configs, nodes, clients } = consortium;
  const [attacker, honest, warmer] = clients as readonly [BssClient, BssClient, BssClient];
  const target: FloodTarget = {
    client: attacker,
    foreignMeter: "meter-2",
    channels: channelsToManagers(configs, attacker.profile),
  };
  const witness = new Witness(honest);
  const { profileMeters } = sizes;
  await witness.beside(warmConsortium(consortium, warmer, { totalMs: warmMs, profileMeters }));
  for (const [name, run] of chosen) {
    const [from, cpu] = [await honest.status(), nodes.map(({ pid }) => usageOf(pid))];
    const signal = AbortSignal.timeout(seconds * 1_000);
    const startMs = performance.now();
    witness.begin();
    const { counts } = await run(target, signal);
    if (!signal.aborted) await sleep(seconds * 1_000);
    const felt = await witness.end();
    const tookS = (performance.now() - startMs) / 1_000;
    const blocks = Number((await honest.status()).height - from.height);
    const cpuS = nodes.map(({ pid }, i) => usageOf(pid).cpuMs - (cpu[i]?.cpuMs ?? 0));
    const suspensions = Math.max(...(await readCounters(configs)).map((each) => each.suspensions));
    console.log(
      JSON.stringify({
        name,
        felt,
        tookS: Math.round(tookS),
        suspensions,
        answers: counts,
        blocksPerS: Math.round((blocks / tookS) * 10) / 10,
        cpuS: Math.round(cpuS.reduce((sum, each) => sum + each, 0) / 1_000),
      }),
    );
    await sleep(restMs);
  }
});
process.exit(0);
