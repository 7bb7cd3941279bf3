/**
 * What a row of a CSV file can become. Each kind names its fields, the columns that they are found
 * under when nothing else is said, and how a row becomes the bytes of a record.
 */
import { fromBinary } from "@bufbuild/protobuf";
import { equalBytes } from "../../../base/bytes.js";
import {
  chargingSession,
  energyTrade,
  meterReading,
  signTrade,
  tradeIdBytes,
  tradeTerms,
} from "../../../client/submit/records.js";
import { RecordSchema, type TradeTerms, TradeTermsSchema } from "../../../gen/bss/v1/record_pb.js";
import type { GenesisState } from "../../../ledger/genesis.js";
import { foldedId } from "../../../ledger/ids.js";
import type { Cells } from "./cells.js";
import { RowProblem } from "./row-problem.js";

export type RowContext = {
  readonly genesis: GenesisState;
  /** Who submits: the owner of rows that name none. */
  readonly submitterId: string;
  /** Seeds of those whose profiles are at hand, by participant id: they can sign trades. */
  readonly signingSeeds: ReadonlyMap<string, Uint8Array>;
  /** Unix ms; the time of trades that name none. */
  readonly nowMs: number;
};

export type RowKind = {
  /** By field: the names under which a column is taken for it. */
  readonly columns: Readonly<Record<string, readonly string[]>>;
  /** Fields that say the same thing in other words. */
  readonly alternatives: readonly (readonly string[])[];
  /** Fields whose columns may be added up. */
  readonly summable: readonly string[];
  /** Names of columns that may hold either of the fields, so that somebody has to say which. */
  readonly ambiguous: { readonly names: readonly string[]; readonly fields: readonly string[] };
  /** Each group needs one of its fields, from a column or from --set. */
  readonly required: readonly (readonly string[])[];
  /** The exact bytes of the row's record. Throws `RowProblem`. */
  readonly build: (cells: Cells, context: RowContext) => Uint8Array;
  /**
   * The same thing once more, made of a record that was refused for what this machine and not the
   * row had put into it: a wrong clock, a wrong key. Undefined when all of it is the row's.
   */
  readonly rebuild?: (
    record: Uint8Array,
    cells: Cells,
    context: RowContext,
  ) => Uint8Array | undefined;
};

const shared = { parent: ["parent"], recorded_at: ["recorded_at"] };
const unclearTimes = ["timestamp", "time", "datetime", "date_time", "date"];
const energyFields = ["energy_wh", "energy_kwh"];
const energyColumns = { energy_wh: ["energy_wh"], energy_kwh: ["energy_kwh"] };
const owners = ["owner", "owner_id", "participant", "participant_id"];

const importedFields = ["imported_wh", "imported_kwh"];
const exportedFields = ["exported_wh", "exported_kwh"];

const meterReadings: RowKind = {
  columns: {
    owner: owners,
    meter: ["meter", "meter_id"],
    start: ["start", "interval_start", "start_unix_s", "interval_start_unix_s"],
    end: ["end", "interval_end", "end_unix_s", "interval_end_unix_s"],
    interval_s: ["interval_s"],
    imported_wh: ["imported_wh"],
    imported_kwh: ["imported_kwh"],
    exported_wh: ["exported_wh"],
    exported_kwh: ["exported_kwh"],
    ...shared,
  },
  alternatives: [["start", "end"], importedFields, exportedFields],
  summable: [...importedFields, ...exportedFields],
  ambiguous: { names: unclearTimes, fields: ["start", "end"] },
  // A direction that is not there may be a column with a typing error, so zero has to be said.
  required: [["meter"], ["start", "end"], importedFields, exportedFields],
  build: (cells, context) => {
    const meterId = cells.deviceId("meter");
    const intervalS = cells.has("interval_s")
      ? cells.seconds("interval_s")
      : registeredInterval(context.genesis, meterId);
    return meterReading({
      ...partsOf(cells, context),
      meterId,
      intervalStartS: intervalStart(cells, intervalS),
      intervalS,
      importedWh: cells.energyWh("imported"),
      exportedWh: cells.energyWh("exported"),
    });
  },
};

const charging: RowKind = {
  columns: {
    owner: owners,
    station: ["station", "station_id"],
    start: ["start", "start_unix_s"],
    end: ["end", "end_unix_s"],
    ...energyColumns,
    ...shared,
  },
  alternatives: [energyFields],
  summable: energyFields,
  ambiguous: { names: unclearTimes, fields: ["start", "end"] },
  required: [["station"], ["start"], ["end"], energyFields],
  build: (cells, context) =>
    chargingSession({
      ...partsOf(cells, context),
      stationId: cells.deviceId("station"),
      startS: cells.timeS("start"),
      endS: cells.timeS("end"),
      energyWh: cells.energyWh("energy"),
    }),
};

const priceFields = ["price_micro_per_kwh", "price_per_kwh"];

const trades: RowKind = {
  columns: {
    seller: ["seller", "seller_id"],
    buyer: ["buyer", "buyer_id"],
    start: ["start", "delivery_start", "delivery_start_unix_s"],
    ...energyColumns,
    price_micro_per_kwh: ["price_micro_per_kwh"],
    price_per_kwh: ["price_per_kwh"],
    trade_id: ["trade_id"],
    terms: ["terms"],
    seller_signature: ["seller_signature"],
    buyer_signature: ["buyer_signature"],
    ...shared,
  },
  alternatives: [energyFields, priceFields],
  summable: energyFields,
  ambiguous: { names: unclearTimes, fields: ["start"] },
  required: [
    ["terms", "buyer"],
    ["terms", "start"],
    ["terms", ...energyFields],
    ["terms", ...priceFields],
  ],
  build: (cells, context) => tradeOf(termsOf(cells, context), cells, context),
  rebuild: (record, cells, context) => {
    const { payload } = fromBinary(RecordSchema, record);
    if (payload.case !== "energyTrade") return undefined;
    // With the terms it had: its trade id sees to it that the trade does not count twice.
    return tradeOf(payload.value.terms, cells, context);
  },
};

function tradeOf(terms: Uint8Array, cells: Cells, context: RowContext): Uint8Array {
  const { sellerId, buyerId } = decodedTerms(terms);
  const { ownerId: _, timeMs = context.nowMs, ...parts } = partsOf(cells, context);
  return energyTrade({
    ...parts,
    ownerId: sellerId,
    timeMs,
    terms,
    sellerSignature: signatureOf("seller", sellerId, terms, cells, context),
    buyerSignature: signatureOf("buyer", buyerId, terms, cells, context),
  });
}

/** By the name that `--kind` takes. */
export const rowKinds = {
  "meter-readings": meterReadings,
  trades,
  charging,
} as const satisfies Record<string, RowKind>;
export type RowKindName = keyof typeof rowKinds;

/** Owner, parent and time: what every kind has. */
function partsOf(cells: Cells, { submitterId }: RowContext) {
  return {
    ownerId: cells.idOr("owner", submitterId),
    ...(cells.has("parent") ? { parent: cells.bytes("parent", 32) } : {}),
    ...(cells.has("recorded_at") ? { timeMs: cells.timeMs("recorded_at") } : {}),
  };
}

/** The start, or what lies an interval before the end. Where both are given they have to fit. */
function intervalStart(cells: Cells, intervalS: number): number {
  const isByEnd = cells.has("end") || !cells.isMapped("start");
  if (!isByEnd) return cells.timeS("start");
  const startS = cells.timeS("end") - intervalS;
  if (!cells.has("start") || cells.timeS("start") === startS) return startS;
  const message =
    `is not ${intervalS} s after the start, as the meter's interval is; ` +
    `to go by the start alone, give --column ${JSON.stringify(`${cells.columnOf("start")}=start`)}`;
  throw new RowProblem(message, cells.columnOf("end"));
}

/** The interval that genesis registers for the meter. A meter that joined later needs the field. */
function registeredInterval({ operations }: GenesisState, meterId: string): number {
  const known = intervalsByMeter.get(operations) ?? new Map<string, number>();
  if (!intervalsByMeter.has(operations)) {
    for (const { operation } of operations) {
      if (operation.case === "registerMeter") {
        known.set(foldedId(operation.value.meterId), operation.value.intervalS);
      }
    }
    intervalsByMeter.set(operations, known);
  }
  const intervalS = known.get(foldedId(meterId));
  if (intervalS !== undefined) return intervalS;
  const message = `genesis knows no meter ${meterId}, so give its interval: --set interval_s=3600`;
  throw new RowProblem(message, "interval_s");
}

const intervalsByMeter = new WeakMap<GenesisState["operations"], Map<string, number>>();

/** The terms that the row brings along signed, or those made of its other values. */
function termsOf(cells: Cells, context: RowContext): Uint8Array {
  if (cells.has("terms")) {
    const terms = cells.bytes("terms");
    refuseContradiction(decodedTerms(terms), cells);
    return terms;
  }
  return tradeTerms({
    sellerId: cells.idOr("seller", context.submitterId),
    buyerId: cells.id("buyer"),
    deliveryStartS: cells.timeS("start"),
    energyWh: cells.energyWh("energy"),
    priceMicroPerKwh: cells.priceMicroPerKwh(),
    ...(cells.has("trade_id") ? { tradeId: cells.bytes("trade_id", tradeIdBytes) } : {}),
  });
}

/** What stands beside signed terms has to be what they say. */
function refuseContradiction(terms: TradeTerms, cells: Cells): void {
  const claims: readonly (readonly [fields: readonly string[], isTrue: () => boolean])[] = [
    [["seller"], () => cells.id("seller") === terms.sellerId],
    [["buyer"], () => cells.id("buyer") === terms.buyerId],
    [["start"], () => BigInt(cells.timeS("start")) === terms.deliveryStartUnixS],
    [energyFields, () => cells.energyWh("energy") === terms.energyWh],
    [priceFields, () => cells.priceMicroPerKwh() === terms.priceMicroPerKwh],
    [["trade_id"], () => equalBytes(cells.bytes("trade_id", tradeIdBytes), terms.tradeId)],
  ];
  for (const [fields, isTrue] of claims) {
    const field = fields.find((each) => cells.has(each));
    if (field === undefined || isTrue()) continue;
    throw new RowProblem("says something else than the signed terms", cells.columnOf(field));
  }
}

function decodedTerms(terms: Uint8Array): TradeTerms {
  try {
    return fromBinary(TradeTermsSchema, terms);
  } catch {
    throw new RowProblem("is not the bytes of a bss.v1.TradeTerms in hex", "terms");
  }
}

/** A party's signature: from the row, or made here when the party's profile is at hand. */
function signatureOf(
  party: "seller" | "buyer",
  id: string,
  terms: Uint8Array,
  cells: Cells,
  { signingSeeds, genesis }: RowContext,
): Uint8Array {
  const field = `${party}_signature`;
  if (cells.has(field)) {
    // Terms that are made here have a new trade id, which nobody can have signed before.
    if (cells.has("terms")) return cells.bytes(field, 64);
    throw new RowProblem("a signature needs the terms that were signed, in a column terms", field);
  }
  const seed = signingSeeds.get(id);
  if (seed !== undefined) return signTrade(genesis.consortiumId, terms, seed);
  const message =
    `the ${party} ${id} has not signed: give its profile with --counterparty-profile, ` +
    `or columns terms and ${field}`;
  throw new RowProblem(message, party);
}
