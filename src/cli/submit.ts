/** `bss submit`: CSV rows or a file onto the ledger. */
import { createReadStream } from "node:fs";
import { basename, extname, resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { BssClient } from "../client/client.js";
import { CliError, exitCodes } from "./cli-error.js";
import { parseCount, parseHash, withClient } from "./client-session.js";
import { refuseDirectory } from "./input-file.js";
import { LossNotes } from "./loss-notes.js";
import { formatDuration, type Output } from "./output.js";
import { addProfileOption } from "./profile.js";
import { type InputKind, type InputOptions, inputRows } from "./submit/input-rows.js";
import { createProgress, type Progress } from "./submit/progress.js";
import { ProgressFile } from "./submit/progress-file.js";
import { rowKinds } from "./submit/row-kinds.js";
import type { RowProblem } from "./submit/row-problem.js";
import { type RunTotals, SubmitRun } from "./submit/submit-run.js";

type Options = InputOptions & {
  readonly kind?: InputKind;
  readonly out?: string;
  readonly batch: number;
  readonly inFlight: number;
};

const nouns = {
  "meter-readings": "meter reading",
  trades: "trade",
  charging: "charging session",
  document: "document",
} as const satisfies Record<InputKind, string>;

const problemsShownMax = 50;
const firstContactMs = 10_000;

const fieldsHelp = `
Fields; columns are found by these names, or by --column NAME=FIELD; --set FIELD=VALUE for all rows:
  meter-readings  meter, start, imported_wh | imported_kwh, exported_wh | exported_kwh;
                  owner (the profile's id), interval_s (the meter's), recorded_at (the interval's
                  end), parent
  trades          buyer, start, energy_wh | energy_kwh, price_micro_per_kwh | price_per_kwh;
                  seller (the profile's id), recorded_at (now), trade_id (random), parent
  charging        station, start, end, energy_wh | energy_kwh;
                  owner (the profile's id), recorded_at (the end), parent
Times are Unix seconds or ISO 8601 with a time zone. What stands behind a semicolon may be left out.

Trades need both signatures. Those of the profile and of each --counterparty-profile are made here;
those of others come in the columns terms (bss.v1.TradeTerms, hex), seller_signature and
buyer_signature (hex).

The receipts go to --out, one JSON value per line. Beside it stands OUT.journal with the exact
records, so that the same command can be run again: it sends only what has no receipt, and never a
record twice.`;

export function register(program: Command): void {
  const command = program
    .command("submit")
    .summary("put CSV rows or a file onto the ledger")
    .description(
      "Puts rows of a CSV file, or any file as a document, onto the ledger and keeps the " +
        "receipts. A row that is malformed or refused is told with its line, and the others go " +
        "on; the exit code is then 1.",
    )
    .argument("<file>", "CSV file with a header, or any file with --kind document")
    .addOption(
      new Option(
        "-k, --kind <kind>",
        "what it holds (default: meter-readings for .csv; any other file needs it)",
      ).choices([...Object.keys(rowKinds), "document"]),
    )
    .option("-o, --out <file>", "receipts (default: the file's name with .receipts.jsonl, here)")
    .addOption(
      pairs("--column <name=field>", "the column NAME holds FIELD; may be repeated", "last"),
    )
    .addOption(
      pairs("--set <field=value>", "FIELD is VALUE in every row; may be repeated", "first"),
    )
    .option("--counterparty-profile <file...>", "profiles that sign trades as the other party", [])
    .option("--delimiter <text>", "between the columns", ",")
    .option("--media-type <type>", "of a document (default: by its extension)")
    .option("--name <name>", "of a document (default: the file's)")
    .option("--updates <hash>", "the record that a document is a new version of", parseHash)
    .option("--batch <n>", "records under one signature", parseCount, 250)
    .option("--in-flight <n>", "submissions in flight", parseCount, 16)
    .addHelpText("after", fieldsHelp)
    .action((file: string, options: Options, self: Command) =>
      withClient(self, (client, output) => submit(file, options, client, output)),
    );
  addProfileOption(command);
}

async function submit(
  file: string,
  options: Options,
  client: BssClient,
  output: Output,
): Promise<void> {
  refuseDirectory(file);
  const kind = options.kind ?? kindByName(file);
  const { consortiumId, profile } = client;
  if (profile.role !== "participant") {
    throw new CliError(
      `the profile of ${profile.id} has the role ${profile.role}, and only participants submit`,
      "use the profile of a participant",
    );
  }
  const out = options.out ?? `${basename(file)}.receipts.jsonl`;
  if (resolve(out) === resolve(file)) {
    throw new CliError(
      "--out is the file that is to be submitted",
      "give another file for the receipts",
    );
  }
  const total = kind === "document" ? 1 : await countLines(file);
  // Whoever cannot reach a manager or is not known there learns it before anything is written.
  await client.status({ timeoutMs: firstContactMs });
  const progressFile = new ProgressFile(out, { consortiumId, participantId: profile.id });
  const progress = createProgress(total);
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  const problems = new Problems(file, progress);
  const losses = new LossNotes((text) => progress.note(text));
  const run = new SubmitRun({
    ...{ client, progressFile, signal: interrupted.signal },
    rows: inputRows(file, kind, options, client, progress),
    ...{ batchRecordsMax: options.batch, inFlightMax: options.inFlight },
    onProblem: (line, problem) => problems.add(line, problem),
    onSettled: (count) => {
      losses.clear();
      progress.settle(count);
    },
    onReconnect: (error) => losses.note(error),
  });
  const startedMs = performance.now();
  try {
    await run.run();
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    const what = `stopped after ${run.totals.received} receipts`;
    throw new CliError(what, "run the same command again to send the rest", {
      exitCode: exitCodes.interrupted,
    });
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    progress.stop();
    progressFile.close();
  }
  report(run.totals, { kind, out, ms: performance.now() - startedMs }, output);
}

/** Complaints about rows, as many as a person can read. */
class Problems {
  readonly #file: string;
  readonly #progress: Progress;
  #count = 0;

  constructor(file: string, progress: Progress) {
    this.#file = file;
    this.#progress = progress;
  }

  add(line: number, problem: RowProblem): void {
    this.#count += 1;
    if (this.#count > problemsShownMax) return;
    const text = line === 0 ? `${this.#file}: ${problem.message}` : problem.at(this.#file, line);
    this.#progress.note(text);
    if (this.#count === problemsShownMax) this.#progress.note("… further rows are only counted");
  }
}

function report(
  totals: RunTotals,
  { kind, out, ms }: { readonly kind: InputKind; readonly out: string; readonly ms: number },
  output: Output,
): void {
  const { received, doneBefore, malformed, refused, firstHeight, lastHeight } = totals;
  const value = {
    ...{ kind, received, done_before: doneBefore, malformed, refused, receipts: out },
    ...{ first_height: firstHeight ?? null, last_height: lastHeight ?? null, seconds: ms / 1000 },
  };
  output.result(value, () => {
    const blocks =
      firstHeight === lastHeight
        ? `block ${firstHeight}`
        : `blocks ${firstHeight} to ${lastHeight}`;
    const where = firstHeight === undefined ? "" : ` in ${blocks}`;
    const rate = received === 0 ? "" : `, ${((received / ms) * 1000).toFixed(0)} records/s`;
    const before = doneBefore === 0 ? "" : `; ${doneBefore} had receipts already`;
    const took = `${formatDuration(ms)}${rate}${before}`;
    return `${counted(received, nouns[kind])}${where}, ${took}; receipts in ${out}`;
  });
  const failed = malformed + refused;
  if (failed === 0) return;
  const how = `${malformed} malformed, ${refused} refused`;
  const what = `no receipt for ${counted(failed, "row")} (${how})`;
  throw new CliError(
    what,
    "correct them and run the same command again: the rest is not sent twice",
  );
}

/** What stands on the ledger stays there, so only a name that says what it is spares `--kind`. */
function kindByName(file: string): InputKind {
  if (extname(file).toLowerCase() === ".csv") return "meter-readings";
  throw new CliError(
    `${file} does not say by its name what it holds`,
    `give --kind ${Object.keys(rowKinds).join(", ")} for CSV rows, ` +
      "or --kind document to record the whole file",
    { exitCode: exitCodes.usage },
  );
}

function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/**
 * Rows of a CSV file, about: line breaks without that of the header. Throws what opening the file
 * throws.
 */
async function countLines(file: string): Promise<number> {
  let lines = 0;
  let last = 0;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines += 1;
    last = chunk.at(-1) ?? last;
  }
  return Math.max(0, last === 10 ? lines - 1 : lines);
}

/** An option of pairs that may be repeated, split at the first or the last "=". */
function pairs(flags: string, description: string, split: "first" | "last"): Option {
  return new Option(flags, description)
    .default(new Map<string, string>(), "none")
    .argParser((text: string, before: ReadonlyMap<string, string>) => {
      const at = split === "first" ? text.indexOf("=") : text.lastIndexOf("=");
      if (at < 1) throw new InvalidArgumentError(`Use ${flags.split(" ")[1]}.`);
      return new Map([...before, [text.slice(0, at), text.slice(at + 1)]]);
    });
}
