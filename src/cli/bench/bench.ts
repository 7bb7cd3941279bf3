/** `bss bench`: how fast a consortium makes records final, as a participant of it sees it. */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { BssClient } from "../../client/bss-client.js";
import { document } from "../../client/submit/records.js";
import { parseCount } from "../arguments.js";
import { addProfileOption, participantOf, withClient } from "../client-session.js";
import { CliError, exitCodes } from "../text/cli-error.js";
import { fields, type Output } from "../text/output.js";
import {
  type ClosedLoop,
  type Entry,
  heightsOf,
  type OpenLoop,
  recordsFinal,
  refusedOf,
  startLoop,
} from "./loop.js";
import { latenciesMs, quantile } from "./schedule.js";

type Options = {
  readonly records: number;
  readonly inFlight: number;
  readonly rate?: number;
  readonly seconds: number;
  readonly bytes: number;
  readonly permanent?: true;
};

const warmUpMs = 2_000;
/** The longest time to wait for what is unanswered at the end. */
const drainMsMax = 60_000;
const secondsMax = 3_600;

export function register(program: Command): void {
  const command = program
    .command("bench")
    .summary("measure throughput and latency; what it sends stays on the ledger")
    .description(
      "Submits documents of random bytes for a time, and prints how many became final a second " +
        "and how long a submission waited for its receipt. With --in-flight it submits as fast as " +
        "answers come; with --rate by a schedule, as meters do, and counts the wait from the " +
        "moment when a submission was due.",
    )
    .option("--records <n>", "records of one submission", parseCount, 1)
    .addOption(
      new Option("--in-flight <n>", "submissions without an answer at any time")
        .argParser(parseCount)
        .default(16),
    )
    .addOption(
      new Option("--rate <n>", "submissions that come due in a second").argParser(parseRate),
    )
    .option("--seconds <n>", "how long it measures", parseSeconds, 10)
    .option("--bytes <n>", "content of each document", parseCount, 100)
    .option("--permanent", "agree that the records stay on the ledger for ever")
    .action((options: Options, self: Command) =>
      withClient(self, (client, output) => bench(options, client, output)),
    );
  addProfileOption(command);
}

async function bench(options: Options, client: BssClient, output: Output): Promise<void> {
  const id = participantOf(client, "submit");
  if (options.permanent !== true) {
    const what = "the records of a measurement stay on the ledger for ever";
    throw new CliError(what, "give --permanent, best on a consortium made for it with 'bss init'", {
      exitCode: exitCodes.usage,
    });
  }
  refuseTooLarge(options, client);
  const load = loadOf(options);
  const loop = startLoop(client, {
    load,
    records: (count) => Array.from({ length: count }, () => randomDocument(id, options.bytes)),
    warmUpMs,
  });
  await loop.warm;
  const fromMs = performance.now();
  output.note(`bss: measuring for ${options.seconds} s`);
  const toMs = fromMs + options.seconds * 1_000;
  while (performance.now() < toMs && loop.failure === undefined) {
    await sleep(Math.min(200, Math.max(0, toMs - performance.now())));
  }
  const stoppedMs = performance.now();
  const endMs = await loop.stop(drainMsMax);
  report({ options, entries: loop.entries, fromMs, stoppedMs, endMs }, output);
  if (loop.failure === undefined) return;
  throw new CliError(`the measurement ended early: ${loop.failure}`, "see 'bss status'");
}

type Measured = {
  readonly options: Options;
  readonly entries: readonly Entry[];
  readonly fromMs: number;
  readonly stoppedMs: number;
  readonly endMs: number;
};

function report({ options, entries, fromMs, stoppedMs, endMs }: Measured, output: Output): void {
  const seconds = (stoppedMs - fromMs) / 1_000;
  const records = recordsFinal(entries, fromMs, stoppedMs);
  const waits = latenciesMs(entries, { fromMs, toMs: stoppedMs, endMs });
  const refused = refusedOf(entries);
  const unanswered = entries.filter(({ answeredMs }) => answeredMs === undefined).length;
  const at = (share: number) =>
    waits.length === 0 ? null : Math.round(quantile(waits, share) * 10) / 10;
  const value = {
    records_per_submission: options.records,
    in_flight: options.rate === undefined ? options.inFlight : null,
    submissions_per_s: options.rate ?? null,
    seconds: Math.round(seconds * 10) / 10,
    records,
    records_per_s: Math.round((records / seconds) * 10) / 10,
    blocks: heightsOf(entries, fromMs, stoppedMs).size,
    p50_ms: at(0.5),
    p95_ms: at(0.95),
    p99_ms: at(0.99),
    longest_ms: at(1),
    refused,
    unanswered,
  };
  output.result(value, () =>
    fields([
      ["final", `${records} records in ${value.blocks} blocks, ${value.seconds} s`],
      ["records/s", value.records_per_s],
      ["wait, p50", inMs(value.p50_ms)],
      ["wait, p95", inMs(value.p95_ms)],
      ["wait, p99", inMs(value.p99_ms)],
      ["longest wait", inMs(value.longest_ms)],
      ["refused", wordsOf(refused)],
      ["without an answer", unanswered],
    ]),
  );
}

function loadOf({ records, inFlight, rate }: Options): ClosedLoop | OpenLoop {
  if (rate === undefined) return { kind: "closed", batchRecords: records, inFlight };
  return { kind: "open", batchRecords: records, perS: rate };
}

function refuseTooLarge({ records, bytes }: Options, { genesis, profile }: BssClient): void {
  const { submissionRecordsMax, recordBytesMax } = genesis.policy;
  const { length } = randomDocument(profile.id, bytes);
  if (records > submissionRecordsMax) {
    const what = `the policy allows ${submissionRecordsMax} records in a submission`;
    throw new CliError(what, "give fewer --records", { exitCode: exitCodes.usage });
  }
  if (length <= recordBytesMax) return;
  const what = `a record would have ${length} bytes, and the policy allows ${recordBytesMax}`;
  throw new CliError(what, "give fewer --bytes", { exitCode: exitCodes.usage });
}

function randomDocument(ownerId: string, length: number): Uint8Array {
  return document({
    ownerId,
    mediaType: "application/octet-stream",
    name: "bench",
    content: new Uint8Array(randomBytes(length)),
    timeMs: Date.now(),
  });
}

function wordsOf(counts: Readonly<Record<string, number>>): string {
  const words = Object.entries(counts).map(([reason, count]) => `${count} ${reason}`);
  return words.length === 0 ? "none" : words.join(", ");
}

function inMs(value: number | null): string {
  return value === null ? "-" : `${value} ms`;
}

function parseRate(text: string): number {
  const rate = /^\d{1,5}(?:\.\d{1,3})?$/.test(text) ? Number(text) : 0;
  if (rate > 0) return rate;
  throw new InvalidArgumentError("Use a number of submissions in a second, such as 20 or 0.5.");
}

function parseSeconds(text: string): number {
  const seconds = parseCount(text);
  if (seconds <= secondsMax) return seconds;
  throw new InvalidArgumentError(`Use ${secondsMax} at most.`);
}
