/**
 * What `bss submit` and `bss import` do alike once they know their rows: one process at a time
 * works with the files of a run, which shows how far it is, what it waits for and what was refused,
 * and can be broken off.
 */
import type { BssClient } from "../../client/bss-client.js";
import { UntrueAnswer } from "../../client/verify/answers.js";
import { RpcError } from "../../rpc/rpc-error.js";
import { lockOrRefuse, type ProcessLock } from "../process-lock.js";
import { CliError, exitCodes } from "../text/cli-error.js";
import { createProgress } from "../text/progress-bar.js";
import { LossNotes } from "../text/rpc-advice.js";
import type { ProgressFile } from "./progress-file.js";
import { proveReceipts } from "./prove-receipts.js";
import { RefusedRows } from "./refused-rows.js";
import type { RowProblem } from "./row-problem.js";
import { type InputRow, type RunTotals, SendRun } from "./send-run.js";
import { WaitingNotes } from "./waiting-notes.js";

/**
 * Runs `work` while no other process works with `out`, its journal and its refused rows; the signal
 * is aborted by Ctrl-C and SIGTERM.
 */
export async function withReceipts(
  out: string,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  let lock: ProcessLock | undefined;
  try {
    // Two processes with one journal would each send what the other one has not noted yet.
    lock = await lockOrRefuse(out, {
      what: `another command works with ${out} and its journal`,
      next: "wait until it has ended; this one has sent nothing",
    });
    await work(interrupted.signal);
  } finally {
    lock?.release();
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
}

/**
 * What `work` gives before anything is sent, or else the interruption as soon as `signal` is
 * aborted: nobody waits for managers that do not answer.
 */
export async function unlessInterrupted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(interruption("stopped before anything was sent"));
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

export type RowsToSend = {
  readonly client: BssClient;
  readonly progressFile: ProgressFile;
  readonly rows: AsyncIterable<InputRow>;
  /** About how many rows there are. */
  readonly count: number;
  /** What the file is called, and where its receipts go. */
  readonly label: string;
  readonly out: string;
  readonly batchRecordsMax: number;
  readonly inFlightMax: number;
  readonly signal: AbortSignal;
  /** What is known to be wrong before a row is sent. */
  readonly problems?: Iterable<{ readonly line: number; readonly problem: RowProblem }>;
};

export type RowsSent = {
  readonly totals: RunTotals;
  /** The list of refused rows; undefined when there are none. */
  readonly refusedFile: string | undefined;
  readonly ms: number;
  /** Why nothing in the receipts file proves some of the places; undefined when all are proven. */
  readonly unproven: CliError | undefined;
};

/** Sends all rows, and closes `progressFile`. Throws `CliError` when it was broken off. */
export async function sendRows(options: RowsToSend): Promise<RowsSent> {
  const { client, progressFile, rows, signal, problems = [] } = options;
  const { batchRecordsMax, inFlightMax } = options;
  const progress = createProgress(options.count);
  const refused = new RefusedRows(options.label, options.out, progress.note);
  for (const { line, problem } of problems) refused.add(line, problem);
  const losses = new LossNotes(progress.note);
  const run = new SendRun({
    client,
    progressFile,
    rows,
    signal,
    batchRecordsMax,
    inFlightMax,
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
    const totals = await run.run();
    const ms = performance.now() - startedMs;
    refused.complete();
    waiting.stop();
    const unproven = await prove(options);
    return { totals, refusedFile: refused.file, ms, unproven };
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
async function prove(options: RowsToSend): Promise<CliError | undefined> {
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

export function interruption(what: string): CliError {
  const next = "run the same command again to send the rest";
  return new CliError(what, next, { exitCode: exitCodes.interrupted });
}
