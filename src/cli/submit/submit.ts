/** `bss submit`: CSV rows or a file onto the ledger. */
import { extname } from "node:path";
import { type Command, Option } from "commander";
import { addProfileOption, participantOf, withClient } from "../client-session.js";
import { type AnyCliKind, allCliKinds, cliKinds } from "../kinds/kinds.js";
import {
  type HashArgument,
  hashForms,
  parseHashArgument,
  wholeHash,
} from "../records/hash-argument.js";
import { findInput, type InputPlace } from "../sending/input.js";
import { ProgressFile } from "../sending/receipts/progress-file.js";
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
import { CliError, exitCodes } from "../text/cli-error.js";
import { counted, formatDuration, type Output } from "../text/output.js";
import {
  addColumn,
  addConstant,
  addText,
  type InputOptions,
  inputRows,
  parseDelimiter,
  parseZone,
} from "./input/input-rows.js";

type Options = SendingOptions &
  Omit<InputOptions, "updates"> & {
    readonly updates?: HashArgument;
    readonly kind?: string;
  };

const submittedKinds = allCliKinds.filter(({ isSubmitted }) => isSubmitted);
const inputNames = submittedKinds.map(({ inputName }) => inputName);
const rowKinds = submittedKinds.filter(({ rows }) => rows !== undefined);

const fieldsOfRows = rowKinds.flatMap(({ inputName, rows }) =>
  (rows?.help ?? []).map((line, i) => `  ${(i === 0 ? inputName : "").padEnd(14)}  ${line}`),
);

const fieldsHelp = `
Fields; columns are found by these names, or by --column NAME=FIELD; --set FIELD=VALUE for all rows:
${fieldsOfRows.join("\n")}
Fields behind a semicolon may be left out. --column and --set count more than the names of columns.
If a row gives a field in both units, both must agree.

Times are Unix seconds of 10 digits (or milliseconds of 13), or ISO 8601 with Z or an offset from
UTC. A time without an offset is refused unless --zone says whose local time it is. A local time
that comes twice, or never, because clocks are changed is always refused.

Trades need both signatures. This command signs for the profile and for each --counterparty-profile.
The signatures of others are read from the columns terms (bss.v1.TradeTerms, hex), seller_signature
and buyer_signature (hex).

The receipts go to --out, one JSON value per line, and 'bss verify' checks them without any server.
OUT.journal beside it knows the rows, so the same command can be run again: it sends only records
without a receipt, and no record twice.
With another --out it would send all of them again. Only one process at a time can use one --out.
Rows that were not recorded are listed in OUT.refused.csv, with the reason and the record that
stands in the way. To correct that one, give its hash in the row's column parent.

A stream (- for stdin, a pipe, a FIFO) is read to its end before anything is sent, and needs --out.
It can be sent again as well, because its rows are recognized by their content.`;

export function register(program: Command): void {
  const command = program
    .command("submit")
    .summary("put CSV rows or a file onto the ledger")
    .description(
      "Puts the rows of a CSV file, or any file as a document, onto the ledger and keeps the " +
        "receipts. A row that is malformed or refused is reported with its line, and the other " +
        "rows are submitted all the same; then the exit code is 1.",
    )
    .argument(
      "<file>",
      "CSV file with a header, or any file with --kind document; - reads from stdin",
    )
    .addOption(
      new Option(
        "-k, --kind <kind>",
        "what the file holds (default: meter-readings for .csv; needed for any other file)",
      ).choices(inputNames),
    )
    .addOption(
      new Option("--column <name=field>", "the column NAME holds FIELD; may be repeated")
        .default([], "none")
        .argParser(addColumn),
    )
    .addOption(
      new Option("--sum <field>", "add up the columns of FIELD; may be repeated")
        .default([], "none")
        .argParser(addText),
    )
    .addOption(
      new Option("--set <field=value>", "FIELD is VALUE in every row; may be repeated")
        .default(new Map<string, string>(), "none")
        .argParser(addConstant),
    )
    .option(
      "--zone <zone>",
      "time zone of times without an offset from UTC: Europe/Berlin, or +01:00",
      parseZone,
    )
    .addOption(
      new Option(
        "--counterparty-profile <file...>",
        "profiles of other parties that sign the trades here",
      ).default([], "none"),
    )
    .option("--delimiter <text>", "character between the columns", parseDelimiter, ",")
    .option("--media-type <type>", "media type of a document (default: by its extension)")
    .option("--name <name>", "name of a document (default: the name of the file)")
    .option(
      "--updates <hash>",
      `the record hash of the document that this one is a new version of: ${hashForms}`,
      parseHashArgument,
    )
    .addHelpText("after", fieldsHelp)
    .action((file: string, options: Options, self: Command) =>
      withClient(self, (client, output, profile) =>
        submit(file, options, { client, output, profileFile: profile.file }),
      ),
    );
  addSendingOptions(command, { batch: 250 });
  addProfileOption(command);
}

async function submit(file: string, options: Options, party: SendingParty): Promise<void> {
  participantOf(party.client, "submit");
  const place = findInput(file);
  const kind = allCliKinds.find(({ inputName }) => inputName === options.kind) ?? kindByName(place);
  await withReceipts({ file, place, options }, party, (job) => submitLocked(job, kind, options));
}

/** Submits while this process holds the lock of the receipts. */
async function submitLocked(job: SendingJob, kind: AnyCliKind, options: Options): Promise<void> {
  const { place, out, client, output, signal } = job;
  await checkFirstContact(job, kind);
  const input = await unlessInterrupted(signal, place.open(signal));
  try {
    const { updates, ...given } = options;
    const parent = updates && {
      updates: await unlessInterrupted(signal, wholeHash(client, updates)),
    };
    const context = { client, meters: () => metersOf(job), note: output.note };
    const read = inputRows(input, kind, { ...given, ...parent }, context);
    const { count, rows } = await unlessInterrupted(signal, read);
    const owner = { consortiumId: client.consortiumId, participantId: client.profile.id };
    const progressFile = new ProgressFile(out, owner);
    const sent = await sendRows(job, { progressFile, rows, count });
    report(sent, kind, output);
    if (sent.unproven !== undefined) throw sent.unproven;
  } finally {
    input.close();
  }
}

/**
 * What is on the ledger stays there, so `--kind` may be left out only if the name of the file says
 * what it holds.
 */
function kindByName({ label }: InputPlace): AnyCliKind {
  if (extname(label).toLowerCase() === ".csv") return cliKinds.meterReading;
  throw new CliError(
    `the name of ${label} does not say what it holds`,
    `give --kind ${rowKinds.map(({ inputName }) => inputName).join(", ")} for CSV rows, ` +
      "or --kind document to record the whole file",
    { exitCode: exitCodes.usage },
  );
}

/** Prints how the run has ended. Throws `CliError` when a row has no receipt. */
function report(sent: RowsSent, kind: AnyCliKind, output: Output): void {
  const { received, malformed, refused, firstHeight, lastHeight } = sent.totals;
  const { refusedFile, ms } = sent;
  output.result({ kind: kind.inputName, ...sentJson(sent) }, () => {
    const blocks =
      firstHeight === lastHeight
        ? `block ${firstHeight}`
        : `blocks ${firstHeight} to ${lastHeight}`;
    const where = firstHeight === undefined ? "" : ` in ${blocks}`;
    const rate = received === 0 ? "" : `, ${((received / ms) * 1000).toFixed(0)} records/s`;
    const took = `${formatDuration(ms)}${rate}`;
    return `${counted(received, kind.noun)}${where}, ${took}${receiptsText(sent)}`;
  });
  const failed = malformed + refused;
  if (failed === 0) return;
  const how = `${malformed} malformed, ${refused} refused, all listed in ${refusedFile}`;
  const what = `${counted(failed, "row")} got no receipt (${how})`;
  throw new CliError(what, "correct them and run the same command again: it sends no record twice");
}
