/** `bss settle`: what a participant's period comes to, and what is put on the ledger about it. */
import { writeFileSync } from "node:fs";
import { type Command, Option } from "commander";
import { toHex } from "../../base/bytes.js";
import type { BssClient, SettlementQuery } from "../../client/bss-client.js";
import { computeSettlement, settlementDocument, statedDocument } from "../../client/settlement.js";
import { dayDifferences, frameDifferences } from "../../settlement/differences.js";
import {
  type StatementDocument,
  statementMediaType,
} from "../../settlement/settlement-documents.js";
import type { Tariff } from "../../settlement/tariff.js";
import { parseCount } from "../arguments.js";
import { addProfileOption, withClient } from "../client-session.js";
import { type HashArgument, hashForms, parseHashArgument } from "../records/hash-argument.js";
import { CliError } from "../text/cli-error.js";
import type { Output } from "../text/output.js";
import { registerConfirm } from "./confirm.js";
import {
  namedTariff,
  periodOf,
  readerOption,
  recorderOf,
  usageError,
  withReader,
} from "./reading.js";
import { registerTariff } from "./record-tariff.js";
import { longestContent, recordOnce, statementBytes } from "./recording.js";
import {
  differencesJson,
  differencesText,
  emptyDaysText,
  gapsText,
  settlementCsv,
  settlementText,
} from "./settlement-view.js";

type Options = {
  readonly participant?: string;
  readonly from?: string;
  readonly to?: string;
  readonly tariff?: HashArgument;
  readonly height?: number;
  readonly reader?: string;
  readonly csv?: string;
  readonly check?: true;
  readonly record?: true;
  readonly counterparty?: string;
};

const afterHelp = `
Days are those of the tariff's time zone; a date means its midnight there. Each amount of money in
a day is rounded once, half to even, and the total is the sum of the days. Trades are paid at their
own prices, and what is left of each delivery interval at the tariff's.

The settlement is as of a height: the same command with --height gives the same numbers at any later
time. docs/settlement.md describes tariffs, statements and confirmations.`;

export function register(program: Command): void {
  const command = program
    .command("settle")
    .summary("settle a participant's period at a tariff; record and confirm statements")
    .description(
      "Shows what a participant imported, exported, bought and sold in a period, and what that " +
        "comes to at a tariff that is on the ledger, from final records only.",
    )
    .option("--participant <id>", "settle for this participant (default: the one of the profile)")
    .option("--from <time>", "start of the period: a date, or ISO 8601 with a time zone")
    .option("--to <time>", "end of the period, exclusive")
    .option("--tariff <hash>", `record of the tariff: ${hashForms}`, parseHashArgument)
    .option("--height <n>", "settle what stood after this block (default: the head)", parseCount)
    .addOption(readerOption())
    .option("--csv <file>", "write the days and the total to this file")
    .option("--check", "compute it from the records, too, and compare with what a manager says")
    .option("--record", "compute and compare it, and put it on the ledger as a statement")
    .addOption(
      new Option(
        "--counterparty <id>",
        "with --record: the participant that is to confirm the statement",
      ),
    )
    .addHelpText("after", afterHelp)
    .action((options: Options, self: Command) =>
      withClient(self, (client, output) =>
        withReader(options.reader, client, (reader) =>
          settle(options, { client, reader, output, command: self }),
        ),
      ),
    );
  addProfileOption(command);
  // They take --profile and --reader from this command, which would take them from them.
  registerConfirm(command);
  registerTariff(command);
}

type Session = {
  readonly client: BssClient;
  readonly reader: BssClient;
  readonly output: Output;
  readonly command: Command;
};

async function settle(options: Options, session: Session): Promise<void> {
  const { client, reader, output } = session;
  const { from, to, tariff: tariffArgument } = options;
  if (from === undefined || to === undefined || tariffArgument === undefined) {
    const what = "a settlement needs a period and a tariff";
    throw usageError(what, "give --from, --to and --tariff HASH");
  }
  const participantId = options.participant ?? client.profile.id;
  const counterpartyId = options.record ? counterpartyOf(options, participantId, session) : "";
  const { hash: tariffHash, tariff } = await namedTariff(reader, tariffArgument);
  const { height } = options;
  const query: SettlementQuery = {
    participantId,
    tariffHash,
    ...periodOf({ from, to }, tariff, client),
    ...(height === undefined ? {} : { height }),
  };
  const message = await reader.getSettlement(query);
  const stated = statedDocument(client, message, counterpartyId);
  if (options.check || options.record) {
    const at = { ...query, height: stated.height };
    await settleFromRecords(at, { ...session, tariff, stated, options, counterpartyId });
  } else {
    output.result(stated, () => settlementText(stated, tariff.zone));
    const empty = emptyDaysText(stated);
    if (empty !== undefined) output.note(`bss: ${empty}`);
  }
  // Numbers that were found to differ are not written.
  if (options.csv !== undefined) {
    writeFileSync(options.csv, settlementCsv(stated, tariff.zone));
  }
}

/** Computes the settlement anew, compares, and records it if that was asked for. */
async function settleFromRecords(
  query: SettlementQuery,
  given: Session & {
    readonly tariff: Tariff;
    readonly stated: StatementDocument;
    readonly options: Options;
    readonly counterpartyId: string;
  },
): Promise<void> {
  const { client, reader, output, tariff, stated, options, counterpartyId } = given;
  const settled = await computeSettlement(reader, query, tariff);
  const form = (named: boolean) =>
    settlementDocument(client, query, settled, { counterpartyId, named });
  const computed = form(true);
  const frame = frameDifferences(stated, computed);
  const days = dayDifferences(stated, computed);
  if (frame.length > 0 || days.length > 0) {
    output.result({ differs: frame, differences: differencesJson(days, computed) }, () =>
      [
        ...frame.map((name) => `${name} differs`),
        differencesText(days, computed, tariff.zone),
      ].join("\n"),
    );
    throw new CliError(
      "what the manager says is not what the records come to",
      "ask another manager, and tell the consortium's operators",
    );
  }
  const { intervals, withoutValue } = settled.statement;
  const coverage = { intervals, intervals_without_value: withoutValue };
  const gaps = gapsText(coverage);
  if (gaps !== undefined) output.note(`bss: ${gaps}`);
  if (!options.record) {
    const value = { ...computed, ...coverage, checked: true };
    output.result(
      value,
      () => `${settlementText(computed, tariff.zone)}\n\nchecked: the records come to the same`,
    );
    return;
  }
  const content = statementBytes([computed, form(false)], longestContent(client));
  const { hash, height, isNew } = await recordOnce(client, {
    mediaType: statementMediaType,
    name: `settlement of ${query.participantId}`,
    content,
  });
  const place = { statement: toHex(hash), statement_height: height, recorded_before: !isNew };
  output.result({ ...stated, ...place, ...coverage }, () =>
    [
      settlementText(stated, tariff.zone),
      "",
      `statement ${toHex(hash)} in block ${height}${isNew ? "" : ", where it has been"}`,
      ...confirmHint(stated, client, hash),
    ].join("\n"),
  );
}

function counterpartyOf(
  { counterparty }: Options,
  participantId: string,
  { client, command }: Session,
): string {
  const own = recorderOf(client, command);
  const named = counterparty ?? (own === participantId ? undefined : own);
  if (named === undefined || named === participantId) {
    const what = "a statement names the other side, which is to confirm it";
    throw usageError(what, "give --counterparty ID");
  }
  if (own === participantId || own === named) return named;
  const what = `${own} is neither ${participantId} nor ${named}, whose statement it would be`;
  throw usageError(what, "use the profile of one of them");
}

/** A counterparty reads with the profile of a manager. */
function confirmHint(
  { participant, counterparty }: StatementDocument,
  { profile }: BssClient,
  hash: Uint8Array,
): readonly string[] {
  const command = `bss settle confirm ${toHex(hash)}`;
  if (profile.id !== participant) return [`${participant} confirms it with: ${command}`];
  return [`${counterparty} confirms it with: ${command} --reader MANAGERS_PROFILE`];
}
