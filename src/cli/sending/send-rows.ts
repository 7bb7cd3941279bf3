/**
 * What `bss submit` and `bss import` do alike once they know their rows: the run shows how far it
 * is, what it waits for and what was refused, can be broken off, and ends with a report.
 */
import { UntrueAnswer } from "../../client/verify/answers.js";
import { RpcError } from "../../rpc/rpc-error.js";
import { CliError } from "../text/cli-error.js";
import { createProgress } from "../text/progress-bar.js";
import { LossNotes } from "../text/rpc-advice.js";
import type { ProgressFile } from "./receipts/progress-file.js";
import { proveReceipts } from "./receipts/prove-receipts.js";
import { RefusedRows } from "./refused-rows.js";
import type { RowProblem } from "./row-problem.js";
import { type InputRow, type RunTotals, SendRun } from "./send-run.js";
import { interruption, type SendingJob } from "./sending-job.js";
import { WaitingNotes } from "./waiting-notes.js";

type RowsToSend = {
  readonly progressFile: ProgressFile;
  readonly rows: AsyncIterable<InputRow>;
  /** About how many rows there are. */
  readonly count: number;
  /** What is known to be wrong before a row is sent. */
  readonly problems?: Iterable<{ readonly line: number; readonly problem: RowProblem }>;
};

export type RowsSent = {
  readonly out: string;
  readonly totals: RunTotals;
  /** The list of refused rows; undefined when there are none. */
  readonly refusedFile: string | undefined;
  readonly ms: number;
  /** Why nothing in the receipts file proves some of the places; undefined when all are proven. */
  readonly unproven: CliError | undefined;
};

/** Sends all rows, and closes `progressFile`. Throws `CliError` when it was broken off. */
export async function sendRows(
  { place, out, options, client, signal }: SendingJob,
  { progressFile, rows, count, problems = [] }: RowsToSend,
): Promise<RowsSent> {
  const progress = createProgress(count);
  const refused = new RefusedRows(place.label, out, progress.note);
  const losses = new LossNotes(progress.note);
  const run = new SendRun({
    client,
    progressFile,
    rows,
    signal,
    batchRecordsMax: options.batch,
    inFlightMax: options.inFlight,
    onProblem: (line, problem) => refused.add(line, problem),
    onSettled: (settled) => {
      losses.clear();
      waiting.clear();
      progress.settle(settled);
    },
    onReconnect: (error) => losses.note(error),
  });
  const waiting = new WaitingNotes({
    ask: (limit) => client.status(limit),
    print: progress.note,
    inFlight: () => run.inFlight,
  });
  const startedMs = performance.now();
  try {
    for (const { line, problem } of problems) refused.add(line, problem);
    const totals = await run.run();
    const ms = performance.now() - startedMs;
    refused.complete();
    waiting.stop();
    const unproven = await prove({ client, progressFile, signal, out });
    return { out, totals, refusedFile: refused.file, ms, unproven };
  } catch (error) {
    if (!signal.aborted) throw error;
    throw interruption(`stopped after ${run.totals.received} receipts`);
  } finally {
    waiting.stop();
    progress.stop();
    progressFile.close();
    refused.close();
  }
}

/** What has been recorded stays so, whatever comes of its proofs. */
async function prove(
  options: Pick<SendingJob, "client" | "out" | "signal"> & Pick<RowsToSend, "progressFile">,
): Promise<CliError | undefined> {
  const { client, progressFile, signal, out } = options;
  try {
    await proveReceipts({ client, receipts: progressFile.receipts, signal });
    return undefined;
  } catch (error) {
    const isAnswer = error instanceof RpcError || error instanceof UntrueAnswer;
    if (!isAnswer || signal.aborted) throw error;
    const what = `${out} does not prove all of its receipts yet (${error.message})`;
    const next =
      error instanceof UntrueAnswer
        ? "run the same command again; if it says the same, take the lines of that block out of " +
          "the file before, so that it asks for their places"
        : "run the same command again to fetch the proofs";
    return new CliError(what, next, { cause: error });
  }
}
