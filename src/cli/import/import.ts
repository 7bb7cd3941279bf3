/** `bss import`: energy data as utilities keep it, onto the ledger as load profiles. */
import { type Command, Option } from "commander";
import type { BssClient } from "../../client/bss-client.js";
import { csvReader } from "../../energy-files/csv/csv-reader.js";
import type { FileItem, FileReader } from "../../energy-files/file-values.js";
import { FileUnreadable } from "../../energy-files/file-values.js";
import { type PeriodName, Periods, periodNames } from "../../energy-files/profiles/periods.js";
import { fileFormats } from "../../energy-files/readers.js";
import { type TimeZone, timeZoneOf } from "../../energy-files/time-zone.js";
import { parseCount } from "../arguments.js";
import { addProfileOption, participantOf, withClient } from "../client-session.js";
import { findInput, type Input, type InputPlace } from "../sending/input.js";
import { ProgressFile } from "../sending/progress-file.js";
import { receiptsPath, receiptsText } from "../sending/receipts-path.js";
import { RowProblem } from "../sending/row-problem.js";
import { sendRows, unlessInterrupted, withReceipts } from "../sending/send-rows.js";
import type { RunTotals } from "../sending/send-run.js";
import { CliError } from "../text/cli-error.js";
import { counted, formatDuration, type Output } from "../text/output.js";
import { addDetect } from "./detect.js";
import { formatOf } from "./file-format.js";
import { type ImportContext, importRows, type Survey, surveyItems } from "./import-rows.js";
import {
  csvMappingOf,
  type ImportMapping,
  mergedMapping,
  readMappingFile,
} from "./mapping-file.js";
import { addMappingOptions, type MappingOptions, mappingOfOptions } from "./mapping-options.js";
import { type OtherDirection, otherDirections } from "./other-direction.js";
import { MeterNames, RegisteredMeters } from "./registered-meters.js";

type Options = MappingOptions & {
  readonly format?: string;
  readonly mapping?: string;
  readonly per: PeriodName;
  readonly otherDirection?: OtherDirection;
  readonly out?: string;
  readonly batch: number;
  readonly inFlight: number;
};

const help = `
Values become load profiles, one for each meter and day: a day of --zone, or of UTC. A value without
a number is absent, not zero. Wh are rounded so that the sum over the file is right to the Wh.

The receipts go to --out, one JSON value per line, and 'bss verify' checks them without any server.
OUT.journal beside it knows what was recorded, so the same command can be run again: it sends only
profiles that are new, and those that say something else than their receipt as updates. What was not
recorded is listed in OUT.refused.csv.

'bss import detect FILE' proposes a mapping file for a CSV file, and sends nothing.`;

export function register(program: Command): void {
  const command = program
    .command("import")
    .summary("put load profiles and charging sessions of a file onto the ledger")
    .description(
      "Puts the load profiles and charging sessions of a file onto the ledger and keeps the " +
        "receipts. A row that is refused is reported with its line, and the rest goes on; then " +
        "the exit code is 1.",
    )
    .argument("<file>", "the file; - reads from stdin")
    .addOption(
      new Option("-f, --format <format>", "(default: by its beginning)").choices([
        "csv",
        ...Object.keys(fileFormats),
      ]),
    )
    .option("-m, --mapping <file>", "YAML file that says what the columns of a CSV file mean")
    .addOption(
      new Option("--per <period>", "what a profile covers").choices(periodNames).default("day"),
    )
    .addOption(
      new Option(
        "--other-direction <what>",
        "what becomes of recorded values of a direction that the file does not have",
      ).choices(otherDirections),
    )
    .option(
      "-o, --out <file>",
      "file for the receipts (default: <file>.receipts.jsonl in the current directory)",
    )
    .option("--batch <n>", "number of records under one signature", parseCount, 100)
    .option("--in-flight <n>", "number of submissions in flight", parseCount, 16);
  addMappingOptions(command);
  command
    .addHelpText("after", help)
    .action((file: string, options: Options, self: Command) =>
      withClient(self, (client, output) => importFile(file, options, client, output)),
    );
  addProfileOption(command);
  addDetect(command);
}

async function importFile(
  file: string,
  options: Options,
  client: BssClient,
  output: Output,
): Promise<void> {
  participantOf(client, "import");
  const said = options.mapping === undefined ? {} : readMappingFile(options.mapping);
  const mapping = mergedMapping(options.mapping, said, mappingOfOptions(options));
  const place = findInput(file);
  const out = receiptsPath(file, place, options.out);
  await withReceipts(out, async (signal) => {
    try {
      await importLocked({ place, out, mapping, options, client, output, signal });
    } catch (error) {
      if (!(error instanceof FileUnreadable)) throw error;
      throw new CliError(`${file}: ${error.message}`, error.next);
    }
  });
}

type Job = {
  readonly place: InputPlace;
  readonly out: string;
  readonly mapping: ImportMapping;
  readonly options: Options;
  readonly client: BssClient;
  readonly output: Output;
  readonly signal: AbortSignal;
};

/** Imports while this process holds the lock of the receipts. */
async function importLocked(job: Job): Promise<void> {
  const { place, client, mapping, options, signal } = job;
  const registered = await unlessInterrupted(signal, RegisteredMeters.of(client));
  const { policy } = client.genesis;
  const names = new MeterNames(registered, mapping.meterIds, client.profile.id);
  const { zone: zoneName } = mapping.text;
  const zone = zoneName === undefined ? undefined : timeZoneOf(zoneName);
  const context: ImportContext = {
    names,
    registered,
    stationIds: mapping.stationIds,
    submitterId: client.profile.id,
    policy,
    periods: new Periods(options.per, zone),
    otherDirection: options.otherDirection,
    nowS: Math.floor(Date.now() / 1000),
  };
  const input = await unlessInterrupted(signal, place.open(signal));
  try {
    const format = options.format ?? formatOf(input);
    const read = fileFormats[format]?.read ?? csvOf(mapping, context);
    await send(job, itemsOf(input, read, zone), { format, context });
  } finally {
    input.close();
  }
}

/** Of a meter that nobody knows any interval will do: nothing of it is recorded. */
function csvOf(mapping: ImportMapping, { names, policy }: ImportContext): FileReader {
  return csvReader(csvMappingOf(mapping), {
    intervalSOf: (name) => {
      const meter = names.of(name);
      return typeof meter === "string" ? policy.deliveryIntervalS : meter.intervalS;
    },
  });
}

/** Each call reads the file from its beginning. */
function itemsOf(input: Input, read: FileReader, zone: TimeZone | undefined) {
  return (): AsyncIterable<FileItem> => read(input.read(), { zone, nowMs: Date.now() });
}

async function send(
  { place, out, mapping, options, client, output, signal }: Job,
  items: () => AsyncIterable<FileItem>,
  { format, context }: { readonly format: string; readonly context: ImportContext },
): Promise<void> {
  const survey = await unlessInterrupted(signal, surveyItems(items(), context));
  const progressFile = new ProgressFile(out, {
    consortiumId: client.consortiumId,
    participantId: client.profile.id,
    command: "import",
  });
  const periods = `${options.per} of ${mapping.text.zone ?? "UTC"}`;
  const before = progressFile.noteMapping({
    mapping: mapping.name,
    digest: mapping.digest,
    ...(survey.values > 0 && { periods }),
  });
  if (survey.values > 0 && before?.periods !== undefined && before.periods !== periods) {
    progressFile.close();
    throw new CliError(
      `${out} has a profile for each ${before.periods}, and a ${periods} would overlap two of them`,
      "use --zone and --per as before",
    );
  }
  if (before !== undefined && before.digest !== mapping.digest) {
    const what = `${out} was last written with another mapping (${before.mapping})`;
    output.note(`bss: ${what}; profiles that say something else now are sent as updates`);
  }
  const unknown = [...survey.unknown.values()].map(({ place: at, why, values }) => {
    const problem = new RowProblem(`${why} (${values} values are left out)`, at.column);
    return { line: at.line, problem };
  });
  const sent = await sendRows({
    client,
    progressFile,
    rows: importRows(items(), context, survey),
    count: survey.steps,
    label: place.label,
    out,
    batchRecordsMax: options.batch,
    inFlightMax: options.inFlight,
    signal,
    problems: unknown,
  });
  const { totals, refusedFile, ms, unproven } = sent;
  report(totals, { format, mapping, survey, out, refusedFile, ms }, output);
  if (unproven !== undefined) throw unproven;
}

/** Prints how the run has ended. Throws `CliError` when something was not recorded. */
function report(
  totals: RunTotals,
  run: {
    readonly format: string;
    readonly mapping: ImportMapping;
    readonly survey: Survey;
    readonly out: string;
    readonly refusedFile: string | undefined;
    readonly ms: number;
  },
  output: Output,
): void {
  const { received, updated, doneBefore, malformed, refused, firstHeight, lastHeight } = totals;
  const { format, mapping, survey, out, refusedFile, ms } = run;
  const unknown = [...survey.unknown.values()].reduce((sum, { values }) => sum + values, 0);
  const value = {
    format,
    mapping: { name: mapping.name, digest: mapping.digest },
    values: survey.values,
    sessions: survey.sessions,
    values_of_unknown_meters: unknown,
    received,
    updated,
    done_before: doneBefore,
    malformed,
    refused,
    receipts: out,
    first_height: firstHeight ?? null,
    last_height: lastHeight ?? null,
    refused_rows: refusedFile ?? null,
    seconds: ms / 1000,
  };
  output.result(value, () => {
    const of =
      survey.sessions > 0 ? counted(survey.sessions, "session") : counted(survey.values, "value");
    const updates = updated === 0 ? "" : ` (${updated} of them updates)`;
    const before = doneBefore === 0 ? "" : `; ${doneBefore} had receipts already`;
    const where = `${of} in ${counted(received, "record")}${updates}, ${formatDuration(ms)}`;
    return `${where}${before}${receiptsText(totals, out)}`;
  });
  if (malformed + refused + survey.unknown.size === 0) return;
  const how = [
    [malformed, "row", "cannot be recorded"],
    [refused, "record", refused === 1 ? "was refused" : "were refused"],
    [survey.unknown.size, "meter", survey.unknown.size === 1 ? "is unknown" : "are unknown"],
  ] as const;
  const told = how
    .filter(([count]) => count > 0)
    .map(([count, noun, what]) => `${counted(count, noun)} ${what}`);
  const what = `not all was recorded (${told.join(", ")}), all listed in ${refusedFile}`;
  throw new CliError(what, "correct it and run the same command again: it sends no record twice");
}
