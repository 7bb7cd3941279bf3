/** The demo's main step: every record onto the ledger, and the receipts that come back. */
import { formatDuration, formatTime, shortHash, table } from "../../src/cli/text/output.js";
import { createProgress } from "../../src/cli/text/progress-bar.js";
import type { BssClient, RecordOutcome, Submission } from "../../src/client/index.js";
import { headEndId } from "./community/community.js";
import type { CommunityDay } from "./community/community-days.js";
import { DataProblems } from "./community/data-problems.js";
import { expect, indented } from "./demo-report.js";
import type { DemoSession } from "./demo-session.js";
import { type SubmittedRecords, submitRecords } from "./submit-records.js";

/** Of each kind. */
const receiptsShown = 4;
/** Without a terminal there is no bar; then a line says from time to time how far it is. */
const noteEveryMs = 10_000;

export type Submitted = {
  /** Records with a place on the ledger. */
  readonly records: number;
  /** Blocks that hold them. */
  readonly heights: ReadonlySet<bigint>;
  /** What became of the first submission. */
  readonly first: readonly RecordOutcome[];
  /** Hashes of records from beginning to end. */
  readonly samples: readonly Uint8Array[];
};

/** One kind of the records that are submitted. */
type Part = {
  /** As people call them: "load profiles". */
  readonly name: string;
  readonly total: number;
  readonly recordsOf: (day: CommunityDay) => readonly Uint8Array[];
  /** What they hold that is worth a rate of its own, such as values. */
  readonly held?: { readonly name: string; readonly total: number };
};

/** All profiles, and then the trades that they cover. Throws `RpcError` if it cannot go on. */
export async function submitAll(session: DemoSession): Promise<Submitted> {
  const { plan, records, report } = session;
  const { profiles, values, sales } = plan.sums.total;
  report.step("submitting, one submission per day: load profiles, then the trades that they cover");
  const [measured, traded] = [
    await submitPart(session, {
      name: "load profiles",
      total: profiles,
      recordsOf: (day) => records.profiles(day),
      held: { name: "values", total: values },
    }),
    await submitPart(session, {
      name: "trades",
      total: sales,
      recordsOf: (day) => records.trades(day),
    }),
  ];
  return {
    records: measured.records + traded.records,
    heights: new Set([...measured.heights, ...traded.heights]),
    first: measured.first,
    samples: [...measured.samples, ...traded.samples],
  };
}

async function submitPart(session: DemoSession, part: Part): Promise<Submitted> {
  const { report, signal, clients } = session;
  const { name, total, held } = part;
  const samples: Uint8Array[] = [];
  const sampledAt = spread(total, receiptsShown);
  let settled = 0;
  let first: readonly RecordOutcome[] = [];
  const progress = progressOf(part);
  const startedMs = performance.now();
  const client = await clients.of(headEndId);
  let submitted: SubmittedRecords;
  try {
    submitted = await submitRecords(client, submissionsOf(session, part, client), {
      signal,
      onOutcome: (index, outcomes) => {
        if (index === 0) first = outcomes;
        settled += outcomes.length;
        progress.settle(outcomes.length);
        const last = outcomes.at(-1);
        if (last === undefined || settled <= (sampledAt[samples.length] ?? total)) return;
        samples.push(last.recordHash);
      },
    });
  } finally {
    progress.stop();
  }
  const ms = performance.now() - startedMs;
  await report.check(`all ${name} are on the ledger`, () => {
    const { refused, refusals, records, heights, reconnects } = submitted;
    expect(refused === 0, `${refused} refused: ${refusals.join("; ")}`);
    expect(records === total, `${records} of ${total} have a place`);
    const rateOf = (count: number, of: string) => `${Math.round((count / ms) * 1000)} ${of}/s`;
    return [
      `${total} in ${heights.size} blocks, ${formatDuration(ms)}, ${rateOf(total, "records")}`,
      ...(held === undefined ? [] : [rateOf(held.total, held.name)]),
      ...(reconnects === 0 ? [] : [`${reconnects} reconnects`]),
    ].join(", ");
  });
  return { ...submitted, first, samples };
}

async function* submissionsOf(
  { plan, records }: DemoSession,
  { recordsOf }: Part,
  { genesis }: BssClient,
): AsyncGenerator<Submission, void, undefined> {
  // What is wrong in the data has been told by the first reading.
  for await (const day of plan.days(new DataProblems())) {
    yield* records.submissions(recordsOf(day), genesis.policy.submissionRecordsMax);
  }
}

/** A table of some receipts, each fetched and verified. */
export async function showReceipts(
  { clients, report, processes }: DemoSession,
  { samples }: Submitted,
): Promise<void> {
  report.step("some of the receipts");
  const client = await clients.of(headEndId);
  const managers = processes.nodes.filter(({ role }) => role === "manager").length;
  const receipts = await Promise.all(samples.map((hash) => client.getReceipt(hash)));
  const rows = receipts
    .toSorted((a, b) => Number(a.position - b.position))
    .map((receipt) => [
      shortHash(receipt.recordHash, 16),
      receipt.height,
      formatTime(receipt.timeUnixMs),
      receipt.confirmations,
      `${receipt.commitCertificate?.signatures.length ?? 0} of ${managers} managers`,
      `${receipt.storageAttestations} storage nodes`,
    ]);
  const columns = [
    { title: "RECORD" },
    { title: "BLOCK", align: "right" },
    { title: "TIME" },
    { title: "CONFIRMATIONS", align: "right" },
    { title: "SIGNED BY" },
    { title: "ATTESTED BY" },
  ] as const;
  report.line(indented(table(columns, rows)));
}

function progressOf({ total, name }: Part) {
  const progress = createProgress(total);
  let settled = 0;
  let notedMs = performance.now();
  return {
    settle(count: number): void {
      progress.settle(count);
      settled += count;
      if (process.stderr.isTTY || performance.now() - notedMs < noteEveryMs) return;
      notedMs = performance.now();
      progress.note(`  ${settled} of ${total} ${name}`);
    },
    stop: () => progress.stop(),
  };
}

/** `count` numbers from 0 to `length` − 1, first and last among them. */
function spread(length: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => {
    return Math.floor((index * (length - 1)) / (count - 1));
  });
}
