/** Records as commands print them: one line in a table, all fields below each other, or JSON. */
import { toHex } from "../../base/bytes.js";
import type { LedgerRecord } from "../../client/verify/answers.js";
import {
  type EnergyTrade,
  type Record,
  type TradeTerms,
  TradeTermsSchema,
} from "../../gen/bss/v1/record_pb.js";
import { strictDecode } from "../../ledger/strict-decode.js";
import { CliError } from "../text/cli-error.js";
import { type Cell, type Column, fields, formatBytes, formatTime, table } from "../text/output.js";

type Row = readonly [name: string, value: Cell];

const columns: readonly Column[] = [
  { title: "HASH" },
  { title: "BLOCK", align: "right" },
  { title: "POSITION", align: "right" },
  { title: "TIME" },
  { title: "OWNER" },
  { title: "CONTENT" },
];

const unseen = "not visible to this profile";

/** Records as a table; hashes in full, because they are what the other commands take. */
export function recordTable(records: readonly LedgerRecord[]): string {
  return table(
    columns,
    records.map(({ hash, height, position, content }) => [
      ...[toHex(hash), height, position],
      ...(content === undefined
        ? ["-", "-", unseen]
        : [formatTime(content.record.timeUnixMs), content.record.ownerId, summary(content.record)]),
    ]),
  );
}

/** One record with all of its fields. */
export function recordFields({
  hash,
  height,
  position,
  sealDigest,
  content,
}: LedgerRecord): string {
  const place: Row[] = [
    ["record", toHex(hash)],
    ["block", height],
    ["position", position],
    ["seal digest", toHex(sealDigest)],
  ];
  if (content === undefined) return fields([...place, ["content", unseen]]);
  const { record, successor } = content;
  const versions: Row[] = [];
  if (record.parent.length > 0) versions.push(["updates", toHex(record.parent)]);
  versions.push(["updated by", successor === undefined ? "nothing: the latest" : toHex(successor)]);
  return fields([
    ...place,
    ["owner", record.ownerId],
    ["time", formatTime(record.timeUnixMs)],
    ...versions,
    ...payloadRows(record).map(([name, value]) => forPeople(name, value)),
  ]);
}

/** One record for `--json`. */
export function recordJson({ hash, height, position, sealDigest, content }: LedgerRecord): object {
  const place = { record_hash: hash, height, position, seal_digest: sealDigest };
  if (content === undefined) return place;
  const { record, successor } = content;
  return {
    ...place,
    owner_id: record.ownerId,
    time_unix_ms: Number(record.timeUnixMs),
    parent: record.parent.length > 0 ? record.parent : null,
    successor: successor ?? null,
    kind: kindOf(record),
    ...payloadJson(record),
  };
}

/** "meter-reading" and so on, as `--kind` and the ledger call them. */
function kindOf({ payload }: Record): string {
  return (payload.case ?? "unknown").replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function summary(record: Record): string {
  const { payload } = record;
  switch (payload.case) {
    case "meterReading": {
      const { meterId, importedWh, exportedWh } = payload.value;
      return `${meterId}: ${importedWh} Wh imported, ${exportedWh} Wh exported`;
    }
    case "energyTrade": {
      const { sellerId, buyerId, energyWh } = termsOf(payload.value);
      return `trade: ${sellerId} sold ${energyWh} Wh to ${buyerId}`;
    }
    case "chargingSession":
      return `charging at ${payload.value.stationId}: ${payload.value.energyWh} Wh`;
    case "document": {
      const { name, mediaType, content } = payload.value;
      const size = formatBytes(content.length);
      return `document: ${name || "unnamed"}, ${mediaType}, ${size}`;
    }
    default:
      return "unknown";
  }
}

/** Terms come from whoever answers: they are measured before they are decoded. */
function termsOf({ terms }: EnergyTrade): TradeTerms {
  const decoded = strictDecode(TradeTermsSchema, terms);
  if (decoded.ok) return decoded.value;
  const what = `the terms of a trade do not decode: ${decoded.error}`;
  throw new CliError(what, "ask another manager");
}

function payloadJson(record: Record): object {
  const { payload } = record;
  if (payload.case !== "document") return Object.fromEntries(payloadRows(record));
  const { mediaType, name, content } = payload.value;
  return { media_type: mediaType, name, content_base64: Buffer.from(content).toString("base64") };
}

/** Names as in the API's schema; energies and times as numbers, which their bounds allow. */
function payloadRows({ payload }: Record): readonly Row[] {
  switch (payload.case) {
    case "meterReading": {
      const { meterId, intervalStartUnixS, intervalS, importedWh, exportedWh } = payload.value;
      return [
        ["meter_id", meterId],
        ["interval_start_unix_s", Number(intervalStartUnixS)],
        ["interval_s", intervalS],
        ["imported_wh", Number(importedWh)],
        ["exported_wh", Number(exportedWh)],
      ];
    }
    case "energyTrade": {
      const terms = termsOf(payload.value);
      return [
        ["trade_id", toHex(terms.tradeId)],
        ["seller_id", terms.sellerId],
        ["buyer_id", terms.buyerId],
        ["delivery_start_unix_s", Number(terms.deliveryStartUnixS)],
        ["energy_wh", Number(terms.energyWh)],
        ["price_micro_per_kwh", Number(terms.priceMicroPerKwh)],
      ];
    }
    case "chargingSession": {
      const { stationId, startUnixS, endUnixS, energyWh } = payload.value;
      return [
        ["station_id", stationId],
        ["start_unix_s", Number(startUnixS)],
        ["end_unix_s", Number(endUnixS)],
        ["energy_wh", Number(energyWh)],
      ];
    }
    case "document": {
      const { mediaType, name, content } = payload.value;
      return [
        ["media_type", mediaType],
        ["name", name],
        ["content", `${formatBytes(content.length)}; --content FILE writes it`],
      ];
    }
    default:
      return [];
  }
}

/**
 * "interval_start_unix_s" and a number become "interval start" and a time; units stand behind
 * values.
 */
function forPeople(name: string, value: Cell): Row {
  const [, base = name, unit] = /^(.+?)_(unix_s|wh|s)$/.exec(name) ?? [];
  const label = base.replaceAll("_", " ");
  if (unit === "unix_s") return [label, formatTime(Number(value) * 1000)];
  if (unit === "wh") return [label, `${value} Wh`];
  return [label, unit === "s" ? `${value} s` : value];
}
