/** `bss import`: energy data as utilities keep it, onto the ledger as load profiles. */
import { type Command, Option } from "commander";
import { csvReader } from "../../energy-files/csv/csv-reader.js";
import type { FileItem, FileReader } from "../../energy-files/file-values.js";
import { FileUnreadable } from "../../energy-files/file-values.js";
import { type PeriodName, Periods, periodNames } from "../../energy-files/profiles/periods.js";
import { fileFormats } from "../../energy-files/readers.js";
import { type TimeZone, timeZoneOf } from "../../energy-files/time-zone.js";
import { addProfileOption, participantOf, withClient } from "../client-session.js";
import { findInput, type Input } from "../sending/input.js";
import { ProgressFile } from "../sending/receipts/progress-file.js";
import { RowProblem } from "../sending/row-problem.js";
import { type RowsSent, sendRows } from "../sending/send-rows.js";
import {
  addSendingOptions,
  checkFirstContact,
  metersOf,
  type SendingJob,
  type SendingOptions,
  type SendingParty,
  unlessInterrupted,
  withReceipts,
} from "../sending/sending-job.js";
import { receiptsText, sentJson } from "../sending/sent-report.js";
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
import { MeterNames } from "./meter-names.js";
import { type OtherDirection, otherDirections } from "./other-direction.js";

type Options = MappingOptions &
  SendingOptions & {
    readonly format?: string;
    readonly mapping?: string;
    readonly per: PeriodName;
    readonly otherDirection?: OtherDirection;
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
    );
  addSendingOptions(command, { batch: 100 });
  addMappingOptions(command);
  command
    .addHelpText("after", help)
    .action((file: string, options: Options, self: Command) =>
      withClient(self, (client, output, profile) =>
        importFile(file, options, { client, output, profileFile: profile.file }),
      ),
    );
  addProfileOption(command);
  addDetect(command);
}

async function importFile(file: string, options: Options, party: SendingParty): Promise<void> {
  participantOf(party.client, "import");
  const said = options.mapping === undefined ? {} : readMappingFile(options.mapping);
  const mapping = mergedMapping(options.mapping, said, mappingOfOptions(options));
  const place = findInput(file);
  await withReceipts({ file, place, options }, party, async (job) => {
    try {
      await importLocked(job, mapping, options);
    } catch (error) {
      if (!(error instanceof FileUnreadable)) throw error;
      throw new CliError(`${file}: ${error.message}`, error.next);
    }
  });
}

/** Imports while this process holds the lock of the receipts. */
async function importLocked(
  job: SendingJob,
  mapping: ImportMapping,
  options: Options,
): Promise<void> {
  const { place, client, signal } = job;
  await checkFirstContact(job, { isTimedByClock: false });
  const registered = metersOf(job);
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
    await send(job, itemsOf(input, read, zone), { format, mapping, options, context });
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

type Reading = {
  readonly format: string;
  readonly mapping: ImportMapping;
  readonly options: Pick<Options, "per">;
  readonly context: ImportContext;
};

async function send(
  job: SendingJob,
  items: () => AsyncIterable<FileItem>,
  { format, mapping, options, context }: Reading,
): Promise<void> {
  const { out, client, output, signal } = job;
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
  const rows = importRows(items(), context, survey);
  const sent = await sendRows(job, { progressFile, rows, count: survey.steps, problems: unknown });
  report(sent, { format, mapping, survey }, output);
  if (sent.unproven !== undefined) throw sent.unproven;
}

/** Prints how the run has ended. Throws `CliError` when something was not recorded. */
function report(
  sent: RowsSent,
  run: { readonly format: string; readonly mapping: ImportMapping; readonly survey: Survey },
  output: Output,
): void {
  const { received, updated, malformed, refused } = sent.totals;
  const { format, mapping, survey } = run;
  const unknown = [...survey.unknown.values()].reduce((sum, { values }) => sum + values, 0);
  const value = {
    format,
    mapping: { name: mapping.name, digest: mapping.digest },
    values: survey.values,
    sessions: survey.sessions,
    values_of_unknown_meters: unknown,
    updated,
    ...sentJson(sent),
  };
  output.result(value, () => {
    const of =
      survey.sessions > 0 ? counted(survey.sessions, "session") : counted(survey.values, "value");
    const updates = updated === 0 ? "" : ` (${updated} of them updates)`;
    const where = `${of} in ${counted(received, "record")}${updates}, ${formatDuration(sent.ms)}`;
    return `${where}${receiptsText(sent)}`;
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
  const what = `not all was recorded (${told.join(", ")}), all listed in ${sent.refusedFile}`;
  throw new CliError(what, "correct it and run the same command again: it sends no record twice");
}
