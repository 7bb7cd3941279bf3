/** `bss settle confirm`: the other side computes a statement anew, and confirms it or not. */
import type { Command } from "commander";
import { fromHex, toHex } from "../../base/bytes.js";
import type { BssClient } from "../../client/bss-client.js";
import {
  computeSettlement,
  documentOf,
  settlementDocument,
  tariffOf,
} from "../../client/settlement.js";
import { RpcError } from "../../rpc/rpc-error.js";
import { dayDifferences, frameDifferences } from "../../settlement/differences.js";
import {
  canonicalJson,
  confirmationMediaType,
  isStatement,
  parseStatement,
  type StatementDocument,
} from "../../settlement/settlement-documents.js";
import { withClient } from "../client-session.js";
import {
  type HashArgument,
  hashForms,
  parseHashArgument,
  wholeHash,
} from "../records/hash-argument.js";
import { CliError } from "../text/cli-error.js";
import type { Output } from "../text/output.js";
import { recorderOf, withReader } from "./reading.js";
import { recordOnce } from "./recording.js";
import { differencesJson, differencesText, settlementText } from "./settlement-view.js";

export function registerConfirm(settle: Command): void {
  settle
    .command("confirm")
    .summary("compute a statement anew, and confirm it")
    .description(
      "Computes a statement that the other side has recorded anew, from the records as of its " +
        "height and at its tariff. If all is the same, puts a confirmation on the ledger. If not, " +
        "says what differs and from which records it comes, records nothing, and the exit code is " +
        "1. Whose tariff it is, the statement decides: name yours with --tariff.",
    )
    .argument("<hash>", `the statement: ${hashForms}`, parseHashArgument)
    .action((argument: HashArgument) =>
      withClient(settle, async (client, output) => {
        recorderOf(client, settle);
        const { reader, tariff } = settle.opts<{ reader?: string; tariff?: HashArgument }>();
        await withReader(reader, client, async (reading) => {
          try {
            await confirm({ argument, tariff }, client, reading, output);
          } catch (error) {
            throw reader === undefined ? unreadable(error, client) : error;
          }
        });
      }),
    );
}

/** Of a counterparty: a participant reads its own records alone. Other errors stay as they are. */
export function unreadable(error: unknown, { profile }: Pick<BssClient, "profile">): unknown {
  if (!(error instanceof RpcError) || error.reason !== "LISTING_NOT_ALLOWED") return error;
  return new CliError(
    `${profile.id} may not read the records that the statement is about [${error.reason}]`,
    "give the profile.yaml of a manager with --reader (docs/settlement.md shows one), or let the " +
      "participant confirm what you have recorded; nothing was recorded",
    { cause: error },
  );
}

async function confirm(
  { argument, tariff: agreed }: { argument: HashArgument; tariff: HashArgument | undefined },
  client: BssClient,
  reader: BssClient,
  output: Output,
): Promise<void> {
  const hash = await wholeHash(client, argument);
  const { stated, content } = await statementToConfirm(client, hash);
  const query = {
    participantId: stated.participant,
    fromS: stated.from_unix_s,
    toS: stated.to_unix_s,
    tariffHash: fromHex(stated.tariff) ?? new Uint8Array(0),
    height: stated.height,
  };
  if (agreed !== undefined && toHex(await wholeHash(reader, agreed)) !== stated.tariff) {
    const what = `the statement ${toHex(hash)} is at the tariff ${stated.tariff}`;
    throw new CliError(what, "ask the other side for one at the tariff that --tariff names");
  }
  const { tariff, record: tariffRecord } = await tariffOf(reader, query.tariffHash);
  const settled = await computeSettlement(reader, query, tariff);
  const options = { counterpartyId: stated.counterparty, named: true };
  const computed = settlementDocument(client, query, settled, options);
  const frame = frameDifferences(stated, computed);
  const days = dayDifferences(stated, computed);
  if (frame.length > 0 || days.length > 0) {
    const value = {
      statement: toHex(hash),
      confirmed: false,
      differs: frame,
      differences: differencesJson(days, computed),
    };
    output.result(value, () =>
      [
        ...frame.map(
          (name) =>
            `${name}: stated ${stated[name as "height"]}, found ${computed[name as "height"]}`,
        ),
        differencesText(days, computed, tariff.zone),
      ].join("\n"),
    );
    throw new CliError(
      `the statement ${toHex(hash)} is not what the records come to`,
      "show the differences to the other side; nothing was recorded",
    );
  }
  if (!isStatement(content, computed)) {
    const what = `the statement ${toHex(hash)} has the right numbers, but not the bytes of a statement`;
    const next = "ask the other side to make it with 'bss settle --record'; nothing was recorded";
    throw new CliError(what, next);
  }
  const confirmation = await recordOnce(client, {
    mediaType: confirmationMediaType,
    name: `confirmation of the settlement of ${stated.participant}`,
    content: canonicalJson({
      version: 1,
      statement: toHex(hash),
      participant: stated.participant,
      counterparty: stated.counterparty,
      confirmed_by: client.profile.id,
    }),
  });
  const value = {
    statement: toHex(hash),
    confirmed: true,
    confirmation: toHex(confirmation.hash),
    height: confirmation.height,
    confirmed_before: !confirmation.isNew,
    tariff: stated.tariff,
    tariff_owner: tariffRecord.content?.record.ownerId,
  };
  output.result(value, () =>
    [
      settlementText(stated, tariff.zone),
      "",
      `the records come to the same at this tariff, which ${value.tariff_owner} has recorded`,
      `${confirmation.isNew ? "" : "confirmed already: "}confirmation ` +
        `${toHex(confirmation.hash)} in block ${confirmation.height}`,
    ].join("\n"),
  );
}

/** The statement of a record, which the other side has made and the profile is to confirm. */
async function statementToConfirm(
  client: BssClient,
  hash: Uint8Array,
): Promise<{ readonly stated: StatementDocument; readonly content: Uint8Array }> {
  const record = await client.getRecord(hash);
  const document = documentOf(record);
  const parsed = document && parseStatement(document);
  if (document === undefined || parsed?.ok !== true) {
    const why =
      parsed?.ok === false ? parsed.error : "it holds no document that this profile may read";
    const next = "give the hash that 'bss settle --record' printed";
    throw new CliError(`record ${toHex(hash)} is no statement: ${why}`, next);
  }
  const { participant, counterparty } = parsed.value;
  const { id } = client.profile;
  const maker = record.content?.record.ownerId;
  const parties = [participant, counterparty];
  if (maker === undefined || !parties.includes(maker)) {
    const what = `the statement is of ${maker}, and about ${participant} and ${counterparty}`;
    throw new CliError(what, "a statement is made by one of the two that it names");
  }
  if (parties.includes(id) && id !== maker) {
    return { stated: parsed.value, content: document.content };
  }
  const other = parties.find((each) => each !== maker);
  throw new CliError(
    `the statement was made by ${maker}, and ${other} is to confirm it`,
    `use the profile of ${other}`,
  );
}
