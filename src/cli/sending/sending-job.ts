/**
 * What `bss submit` and `bss import` do alike before they know their rows: their options, one
 * process at a time for one file of receipts, and a look whether managers answer and clocks agree.
 */
import type { Command } from "commander";
import type { BssClient } from "../../client/bss-client.js";
import { parseCount } from "../arguments.js";
import { lockOrRefuse, type ProcessLock } from "../process-lock.js";
import { CliError, exitCodes } from "../text/cli-error.js";
import type { Output } from "../text/output.js";
import { clockWarning, headTime } from "./clock-check.js";
import type { InputPlace } from "./input.js";
import { receiptsPath } from "./receipts/receipts-path.js";
import { joinedFileName, joinedParticipants, RegisteredMeters } from "./registered-meters.js";

export type SendingOptions = {
  readonly out?: string;
  /** Records under one signature. */
  readonly batch: number;
  /** Submissions in flight. */
  readonly inFlight: number;
  /** The file of those that joined after genesis. */
  readonly community?: string;
};

export function addSendingOptions(command: Command, { batch }: { readonly batch: number }): void {
  command
    .option(
      "-o, --out <file>",
      "file for the receipts (default: <file>.receipts.jsonl in the current directory)",
    )
    .option("--batch <n>", "number of records under one signature", parseCount, batch)
    .option("--in-flight <n>", "number of submissions in flight", parseCount, 16)
    .option(
      "--community <file>",
      `YAML list of participants and meters that joined after genesis (default: ${joinedFileName} ` +
        "beside the profile, if it is there)",
    );
}

/** One run of a command. */
export type SendingJob = {
  readonly place: InputPlace;
  /** Where its receipts go; no other process works with it. */
  readonly out: string;
  readonly options: SendingOptions;
  readonly client: BssClient;
  /** Where the caller's profile is. */
  readonly profileFile: string;
  readonly output: Output;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
};

/** As whom a command sends, and to whom it speaks. */
export type SendingParty = Pick<SendingJob, "client" | "profileFile" | "output">;

type Start = Pick<SendingJob, "place" | "options"> & {
  /** The path that was given for `place`. */
  readonly file: string;
};

/** Runs `work` while no other process works with the receipts, their journal and refused rows. */
export async function withReceipts(
  { file, place, options }: Start,
  party: SendingParty,
  work: (job: SendingJob) => Promise<void>,
): Promise<void> {
  const out = receiptsPath(file, place, options.out);
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
    const { signal } = interrupted;
    await work({ ...party, place, out, options, signal });
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

export function interruption(what: string): CliError {
  const next = "run the same command again to send the rest";
  return new CliError(what, next, { exitCode: exitCodes.interrupted });
}

const firstContactMs = 10_000;

/**
 * Fails if no manager can be reached, or none knows the profile, before anything is written; and if
 * this machine's clock is behind where it gives the records their times. A clock that is wrong
 * otherwise is told.
 */
export function checkFirstContact(
  { client, output, signal }: Pick<SendingJob, "client" | "output" | "signal">,
  { isTimedByClock }: { readonly isTimedByClock: boolean },
): Promise<void> {
  const check = async () => {
    const { height } = await client.status({ timeoutMs: firstContactMs });
    const head = await headTime(client, Number(height), firstContactMs);
    if (head === undefined) return;
    const warning = clockWarning(head, Date.now(), client.genesis.policy);
    if (warning === undefined) return;
    if (warning.isBehind && isTimedByClock) throw new CliError(warning.text, warning.next);
    output.note(`bss: ${warning.text}; ${warning.next}`);
  };
  return unlessInterrupted(signal, check());
}

/** The meters that are known to a command. Throws `ConfigError` for a wrong community file. */
export function metersOf({
  client,
  options,
  profileFile,
}: Pick<SendingJob, "client" | "options" | "profileFile">): RegisteredMeters {
  const joined = joinedParticipants(options.community, profileFile);
  return new RegisteredMeters(client.genesis.operations, joined);
}
