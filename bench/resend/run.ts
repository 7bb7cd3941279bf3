/**
 * `node dist/bench/resend/run.js [--rows 1000,10000] [--copies N] [--batch N] [--seconds N]
 * [--base-port N] [--main FILE] [--out FILE]`: what it costs to send again what is on the ledger.
 * Readings are sent once, once more as the same bytes, and once more with other salts, as a second
 * import of one file makes them; then a trade, an update of a version that has been updated, and a
 * sale of energy that is sold, each `--copies` times, while another participant sends single
 * readings. A consortium of 4 managers and 4 storage nodes is started on this machine, with the
 * nodes of another build if `--main` names its main.js. No sending takes longer than `--seconds`.
 */
import { writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { parseArgs } from "node:util";
import type { BssClient, Submission } from "../../src/client/index.js";
import { readCounters } from "../../test/support/manager-counters.js";
import { withOwnConsortium } from "../own-consortium.js";
import { canMeasure } from "../storage-nodes/usage.js";
import { note, type Parties, readings, termsOf, tradeOf } from "./records.js";
import { type SendOptions, type Sent, send, Witness } from "./sending.js";

const sizes = { managers: 4, storage: 4, participants: 3 };

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "1000,10000" },
    copies: { type: "string", default: "1000" },
    batch: { type: "string", default: "1000" },
    seconds: { type: "string", default: "300" },
    "base-port": { type: "string" },
    main: { type: "string" },
    out: { type: "string" },
  },
});
const rows = values.rows.split(",").map(Number);
const copies = Number(values.copies);
const batchRecords = Number(values.batch);
const secondsMax = Number(values.seconds);
if (!rows.every((count) => Number.isInteger(count) && count > 0)) {
  throw new Error("--rows takes numbers above 0, with commas between them");
}
if (!(copies && batchRecords && secondsMax)) {
  throw new Error("--copies, --batch and --seconds take numbers above 0");
}
if (!canMeasure) throw new Error("what processes use is read from /proc: this needs Linux");

/** Sends something that can be sent again; each in a consortium of its own. */
type Case = (parties: Parties, sendAll: SendAll) => Promise<void>;
type SendAll = (what: string, records: readonly Uint8Array[]) => Promise<void>;

const times = (make: () => Uint8Array) => Array.from({ length: copies }, make);
const cases: readonly Case[] = [
  ...rows.map((count): Case => {
    return async ({ seller }, sendAll) => {
      const once = readings(seller, { before: 0, count });
      await sendAll(`${count} readings`, once);
      await sendAll("the same bytes again", once);
      await sendAll("the same with other salts", readings(seller, { before: 0, count }));
    };
  }),
  async (parties, sendAll) => {
    const terms = await sellAll(parties);
    const again = times(() => tradeOf(parties, terms));
    await sendAll(`a trade again, ${copies} times`, again);
  },
  async (parties, sendAll) => {
    await sellAll(parties);
    const others = times(() => tradeOf(parties, termsOf(parties, 0)));
    await sendAll(`a double sale, ${copies} times`, others);
  },
  async ({ seller }, sendAll) => {
    const first = note(seller);
    await seller.submit(seller.sign([first]));
    await seller.submit(seller.sign([note(seller, first)]));
    const others = times(() => note(seller, first));
    await sendAll(`a conflicting update, ${copies} times`, others);
  },
];

const results: Sent[] = [];
for (const each of cases) await inOwnConsortium(each);
const machine = { cores: availableParallelism(), cpu: cpus()[0]?.model, node: process.version };
const json = JSON.stringify({ machine, batchRecords, results });
console.log(`\n${json}`);
if (values.out !== undefined) writeFileSync(values.out, `${json}\n`);

async function inOwnConsortium(run: Case): Promise<void> {
  const basePort = values["base-port"] === undefined ? undefined : Number(values["base-port"]);
  const options = { sizes, basePort, mainFile: values.main };
  await withOwnConsortium(options, async ({ configs, nodes, clients }) => {
    const [seller, buyer, other] = clients as readonly [BssClient, BssClient, BssClient];
    const sending: SendOptions = {
      client: seller,
      witness: new Witness(other),
      secondsMax,
      pids: nodes.map(({ pid }) => pid),
      counters: () => readCounters(configs),
    };
    await run({ seller, buyer }, async (what, records) => {
      report(await send(what, batched(seller, records), sending));
    });
  });
}

function batched(client: BssClient, records: readonly Uint8Array[]): readonly Submission[] {
  const starts = Array.from({ length: Math.ceil(records.length / batchRecords) }, (_, i) => i);
  return starts.map((i) => client.sign(records.slice(i * batchRecords, (i + 1) * batchRecords)));
}

/** Has all energy of an hour sold; the terms of that trade. */
async function sellAll(parties: Parties): Promise<Uint8Array> {
  const { seller, buyer } = parties;
  await seller.submit(seller.sign(readings(seller, { before: 0, count: 1 })));
  await buyer.submit(buyer.sign(readings(buyer, { before: 0, count: 1 })));
  const terms = termsOf(parties, 0);
  await seller.submit(seller.sign([tradeOf(parties, terms)]));
  return terms;
}

function report(sent: Sent): void {
  results.push(sent);
  const { what, seconds, cpuS, objections, suspensions, outcomes, others } = sent;
  const answers = Object.entries(outcomes).map(([name, count]) => `${name} ${count}`);
  console.log(
    `${what.padEnd(34)} ${seconds} s, ${cpuS} s of processor time, ${objections} objections, ` +
      `${suspensions} suspended; others p50 ${others.p50Ms} ms, p99 ${others.p99Ms} ms ` +
      `of ${others.answers}, ${others.failures} failed; ${answers.join(", ")}`,
  );
}
