/**
 * `node dist/bench/peers/run.js [--seconds 5] [--rounds 1] [--warm-seconds 20] [--out FILE]`: this
 * ledger and others in turn, on this machine, with records of the same size and as many in flight.
 * Each system is under all loads in turn for the time of --warm-seconds before the first one is
 * measured. What each of them does for a record differs, and stands under the figures: a system
 * that does less is not better for being faster.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { warm, warmMsOf } from "../loads/warming.js";
import { thisMachine } from "../report/run-file.js";
import { figure, textTable } from "../report/text-table.js";
import { cometPeers } from "./cometbft/comet-peer.js";
import { cometProgram, ProgramMissing } from "./cometbft/program.js";
import { measurePeer, type PeerResult } from "./measure-peer.js";
import { ourPeer, readingBytes } from "./our-peer.js";
import type { Peer, PeerLoad } from "./peer.js";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "5" },
    rounds: { type: "string", default: "1" },
    "warm-seconds": { type: "string", default: "20" },
    out: { type: "string" },
  },
});
const windowMs = Number(values.seconds) * 1_000;
const rounds = Number(values.rounds);
const warmMs = warmMsOf(values["warm-seconds"]);
if (!(windowMs > 0 && rounds >= 1)) throw new Error("--seconds and --rounds take numbers above 0");

const loads: readonly PeerLoad[] = [100, readingBytes()].flatMap((recordBytes) =>
  [1, 16, 256].map((inFlight) => ({ recordBytes, inFlight })),
);

const machine = thisMachine();
const peers = await allPeers();
console.log(`${machine.cpu}, ${machine.cores} cores, Node.js ${machine.node}, ${machine.commit}`);
const results: PeerResult[] = [];
let failed = 0;
for (let round = 1; round <= rounds; round++) {
  // The other way round every second time: what warms the machine up for one does so for another.
  for (const peer of round % 2 === 1 ? peers : peers.toReversed()) await measureAll(peer, round);
}
console.log(`\n${table(results)}\n`);
for (const { name, does, leavesOut } of peers) {
  console.log(`${name}\n  does: ${does}\n  leaves out: ${leavesOut}`);
}
if (values.out !== undefined) {
  const run = { machine, windowMs, warmMs, results };
  writeFileSync(values.out, `${JSON.stringify(run, undefined, 1)}\n`);
}
process.exit(failed > 0 ? 1 : 0);

async function allPeers(): Promise<readonly Peer[]> {
  try {
    return [...cometPeers(await cometProgram()), ourPeer()];
  } catch (error) {
    if (!(error instanceof ProgramMissing)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}

async function measureAll(peer: Peer, round: number): Promise<void> {
  console.log(`\n${peer.name}, round ${round}`);
  try {
    await peer.run(async (running) => {
      const start = (load: PeerLoad) => running.startLoop(load, 0);
      await warm(loads, { totalMs: warmMs, start, nameOf });
      await running.settle();
      for (const load of loads) {
        const result = await measurePeer(running, load, { system: peer.name, round, windowMs });
        results.push(result);
        const { perS, p50Ms } = result;
        const speed = `${figure(perS.value)}/s, p50 ${figure(p50Ms.value)} ms`;
        console.log(`${nameOf(load)}: ${[speed, ...problems(result)].join("  ")}`);
      }
    });
  } catch (error) {
    failed += 1;
    console.log(`! ${peer.name} could not be measured: ${String(error)}`);
  }
}

function nameOf({ recordBytes, inFlight }: PeerLoad): string {
  return `${recordBytes} B x ${inFlight}`;
}

function table(all: readonly PeerResult[]): string {
  const order = (result: PeerResult) =>
    loads.findIndex(
      ({ recordBytes, inFlight }) =>
        recordBytes === result.recordBytes && inFlight === result.inFlight,
    );
  const rows = all
    .toSorted((a, b) => order(a) - order(b))
    .map((result) => {
      const { system, round, recordBytes, inFlight, submissions, perS, p50Ms, p95Ms } = result;
      const { validators, replicas, client } = result.cpuMs;
      const speed = [perS.value, submissions, p50Ms.value, p95Ms?.value];
      const costs = [validators, replicas, client, problems(result).length];
      return [system, round, recordBytes, inFlight, ...speed, ...costs];
    });
  const head = ["system", "round", "bytes", "in flight", "final/s", "n", "p50 ms", "p95"];
  return textTable([...head, "validators", "replicas", "client", "problems"], rows);
}

function problems({ refused, unanswered, failure, warmedUp }: PeerResult): readonly string[] {
  const reasons = Object.entries(refused).map(([reason, count]) => `! ${count} ${reason}`);
  return [
    ...reasons,
    unanswered > 0 ? `! ${unanswered} without an answer` : "",
    warmedUp ? "" : "! the warm-up was cut off",
    failure === undefined ? "" : `! ended by itself: ${failure}`,
  ].filter((text) => text !== "");
}
