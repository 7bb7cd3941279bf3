/**
 * Settlement computed by the reader itself, from the records that it may read. Each record is held
 * against its hash, and the header of the block against the block's id; so a manager cannot change
 * a number. It could leave a record out: then what others and the managers come to differs.
 */
import { toHex } from "../base/bytes.js";
import type { Settlement as SettlementMessage } from "../gen/bss/v1/query_pb.js";
import type { Document } from "../gen/bss/v1/record_pb.js";
import { parseHeader } from "../ledger/blocks/block-parsing.js";
import { RpcError } from "../rpc/rpc-error.js";
import {
  documentAmounts,
  type StatementDocument,
  type StatementFrame,
  statementDocument,
} from "../settlement/settlement-documents.js";
import { earliestTimeMs, StandingRecords } from "../settlement/standing-records.js";
import {
  type Amounts,
  amountNames,
  periodProblem,
  type Statement,
  statementOf,
} from "../settlement/statement.js";
import {
  minorUnitDigitsMax,
  parseTariff,
  type Tariff,
  tariffMediaType,
} from "../settlement/tariff.js";
import type { BssClient, SettlementQuery } from "./bss-client.js";
import { type LedgerRecord, UntrueAnswer } from "./verify/answers.js";

/** The block after which a settlement holds. */
type Place = {
  readonly height: number;
  readonly blockId: Uint8Array;
  readonly root: Uint8Array;
  readonly treeSize: number;
};

export type Settled = { readonly place: Place; readonly statement: Statement };

const pageSize = 1000;

/** The tariff of a record. Throws TARIFF_INVALID, RECORD_UNKNOWN, LISTING_NOT_ALLOWED. */
export async function tariffOf(
  client: BssClient,
  hash: Uint8Array,
): Promise<{ readonly tariff: Tariff; readonly record: LedgerRecord }> {
  const record = await client.getRecord(hash);
  if (record.content === undefined) {
    const who = `${client.profile.id} (${client.profile.role})`;
    const message = `${who} may not read the content of record ${toHex(hash)}`;
    throw new RpcError("LISTING_NOT_ALLOWED", message);
  }
  const document = documentOf(record);
  if (document?.mediaType !== tariffMediaType) {
    const message = `record ${toHex(hash)} is no document of media type ${tariffMediaType}`;
    throw new RpcError("TARIFF_INVALID", message);
  }
  const tariff = parseTariff(document.content);
  if (tariff.ok) return { tariff: tariff.value, record };
  throw new RpcError("TARIFF_INVALID", `the tariff ${toHex(hash)}: ${tariff.error}`);
}

/** The document that a record holds; undefined for others, and for those that may not be read. */
export function documentOf({ content }: LedgerRecord): Document | undefined {
  const payload = content?.record.payload;
  return payload?.case === "document" ? payload.value : undefined;
}

/**
 * Settles from records, all of which the client's profile must be able to read: it is the
 * participant's own or a manager's. Throws RANGE_INVALID, LISTING_NOT_ALLOWED, TARIFF_INVALID,
 * SETTLEMENT_TOO_LARGE, and `UntrueAnswer` when trades come without the readings that cover them.
 */
export async function computeSettlement(
  client: BssClient,
  query: SettlementQuery,
  tariff: Tariff,
): Promise<Settled> {
  const { participantId, fromS, toS, height } = query;
  const grid = client.genesis.policy;
  // A statement of the other side may name any period.
  const problem = periodProblem(query, grid);
  if (problem !== undefined) throw new RpcError("RANGE_INVALID", `the period: ${problem.why}`);
  const place = await placeAt(client, height ?? Number((await client.status()).height));
  const standing = new StandingRecords({
    participantId,
    fromS,
    toS,
    treeSize: place.treeSize,
    grid,
  });
  const listed = { participantId, fromMs: earliestTimeMs(query), pageSize };
  for await (const { hash, position, content } of client.listRecords(listed)) {
    if (content === undefined) {
      const text = `the records of ${participantId} cannot be read with this profile`;
      throw new RpcError("LISTING_NOT_ALLOWED", text);
    }
    standing.add({ hash, position, record: content.record });
  }
  const made = statementOf(standing.standing(), tariff, query, grid);
  if (made.ok) return { place, statement: made.value };
  const { of, message } = made.error;
  if (of === "records") throw new UntrueAnswer(message);
  throw new RpcError(of === "tariff" ? "TARIFF_INVALID" : "SETTLEMENT_TOO_LARGE", message);
}

/** A settlement that was computed, as it is put on the ledger. */
export function settlementDocument(
  client: BssClient,
  query: SettlementQuery,
  { place, statement }: Settled,
  options: { readonly counterpartyId: string; readonly named: boolean },
): StatementDocument {
  return statementDocument(
    {
      participant: query.participantId,
      counterparty: options.counterpartyId,
      consortium_id: toHex(client.consortiumId),
      from_unix_s: query.fromS,
      to_unix_s: query.toS,
      tariff: toHex(query.tariffHash),
      height: place.height,
      block_id: toHex(place.blockId),
      root: toHex(place.root),
      tree_size: place.treeSize,
    },
    statement,
    options,
  );
}

/** What a manager answered, in the same form; it names no records. */
export function statedDocument(
  client: BssClient,
  message: SettlementMessage,
  counterpartyId: string,
): StatementDocument {
  const { days, total, currency, minorUnitDigits } = message;
  if (minorUnitDigits > minorUnitDigitsMax) {
    throw new UntrueAnswer(`a settlement comes in units of ${minorUnitDigits} digits`);
  }
  const frame: StatementFrame = {
    participant: message.participantId,
    counterparty: counterpartyId,
    consortium_id: toHex(client.consortiumId),
    from_unix_s: Number(message.fromUnixS),
    to_unix_s: Number(message.toUnixS),
    tariff: toHex(message.tariffHash),
    height: Number(message.height),
    block_id: toHex(message.blockId),
    root: toHex(message.root),
    tree_size: Number(message.treeSize),
  };
  const empty = { currency, digits: minorUnitDigits, days: [], total: amountsOf(total) };
  return {
    ...statementDocument(frame, empty, { named: false }),
    days: days.map(({ startUnixS, amounts, recordCount, recordsDigest }) => ({
      ...documentAmounts(amountsOf(amounts)),
      start_unix_s: Number(startUnixS),
      record_count: recordCount,
      records_digest: toHex(recordsDigest),
    })),
  };
}

function amountsOf(message: SettlementMessage["total"]): Amounts {
  if (message === undefined) throw new UntrueAnswer("a settlement comes without its amounts");
  const entries = amountNames.map((name) => [name, Number(message[name])] as const);
  return Object.fromEntries(entries) as Record<(typeof amountNames)[number], number>;
}

async function placeAt(client: BssClient, height: number): Promise<Place> {
  if (height === 0) {
    throw new RpcError("BLOCK_UNKNOWN", "there is no block yet, so there is nothing to settle");
  }
  const query = { fromHeight: height, pageSize: 1, headersOnly: true };
  for await (const { block, blockId } of client.listBlocks(query)) {
    const parsed = block && parseHeader(block.header);
    if (parsed?.ok !== true || parsed.value.height !== height) break;
    const { treeSize, header } = parsed.value;
    return { height, blockId, root: header.hash1, treeSize };
  }
  throw new RpcError("BLOCK_UNKNOWN", `there is no block ${height} yet`);
}
