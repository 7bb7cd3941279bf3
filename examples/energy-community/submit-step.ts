/** The demo's main step: every record onto the ledger, and the receipts that come back. */

import { formatDuration, formatTime, shortHash, table } from "../../src/cli/text/output.js";
import { createProgress } from "../../src/cli/text/progress-bar.js";
import type { RecordOutcome } from "../../src/client/index.js";
import { headEndId } from "./community/community.js";
import { DataProblems } from "./community/data-problems.js";
import { expect, indented } from "./demo-report.js";
import type { DemoSession } from "./demo-session.js";
import { type SubmittedDays, submitDays } from "./submit-days.js";

const receiptsShown = 8;
/** Without a terminal there is no bar; then a line says from time to time how far it is. */
const noteEveryMs = 10_000;

export type Submitted = SubmittedDays & {
  /** What became of the first submission. */
  readonly first: readonly RecordOutcome[];
  /** Hashes of records from beginning to end. */
  readonly samples: readonly Uint8Array[];
};

/** Throws `RpcError` when the managers cannot go on. */
export async function submitAll(session: DemoSession): Promise<Submitted> {
  const { plan, records, report, signal, clients } = session;
  const total = plan.sums.records;
  const { values } = plan.sums.total;
  report.step(`submitting ${total} records, one submission per day`);
  const samples: Uint8Array[] = [];
  const sampledAt = spread(total, receiptsShown);
  let settled = 0;
  let first: readonly RecordOutcome[] = [];
  const progress = progressOf(total);
  const startedMs = performance.now();
  let submitted: SubmittedDays;
  try {
    // What is wrong in the data has been told by the first reading.
    const days = plan.days(new DataProblems());
    submitted = await submitDays(await clients.of(headEndId), days, records, {
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
  const perSecond = (count: number) => Math.round((count / ms) * 1000);
  const rates = `${perSecond(submitted.records)} records/s, ${perSecond(values)} meter values/s`;
  const lost = submitted.reconnects === 0 ? "" : `, ${submitted.reconnects} reconnects`;
  await report.check("every record is on the ledger", () => {
    const { refused, refusals } = submitted;
    expect(refused === 0, `${refused} refused: ${refusals.join("; ")}`);
    expect(submitted.records === total, `${submitted.records} of ${total} have a place`);
    return `${total} in ${submitted.heights.size} blocks, ${formatDuration(ms)}, ${rates}${lost}`;
  });
  return { ...submitted, first, samples };
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

function progressOf(total: number) {
  const progress = createProgress(total);
  let settled = 0;
  let notedMs = performance.now();
  return {
    settle(count: number): void {
      progress.settle(count);
      settled += count;
      if (process.stderr.isTTY || performance.now() - notedMs < noteEveryMs) return;
      notedMs = performance.now();
      progress.note(`  ${settled} of ${total} records`);
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
