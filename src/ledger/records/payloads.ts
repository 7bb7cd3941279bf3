/**
 * What a record can say: a meter reading, an energy trade, a charging session or a document, with
 * plain numbers and checked shapes. Energy stays a bigint, because rated power times seconds does
 * not fit a double; times are numbers, and bounded so that their milliseconds do.
 */
import { ok, type Result } from "../../base/result.js";
import {
  type ChargingSession,
  type Document,
  type EnergyTrade,
  type MeterReading,
  type Record,
  type TradeTerms,
  TradeTermsSchema,
} from "../../gen/bss/v1/record_pb.js";
import { deviceIdForm, isDeviceId, isId } from "../ids.js";
import { strictDecode } from "../strict-decode.js";
import { refuse, type Violation } from "../violation.js";
import { deliveryStartOf, type MarketGrid } from "./market-grid.js";

export const recordKinds = [
  "meter-reading",
  "energy-trade",
  "charging-session",
  "document",
] as const;

export type RecordKind = (typeof recordKinds)[number];

export type ReadingPayload = {
  readonly kind: "meter-reading";
  readonly meterId: string;
  /** Unix s, not negative; whether it is aligned is a rule. */
  readonly intervalStartS: number;
  readonly intervalS: number;
  readonly importedWh: bigint;
  readonly exportedWh: bigint;
  /** Start of the delivery interval that the reading's interval lies in. */
  readonly deliveryStartS: number;
};

export type TradePayload = {
  readonly kind: "energy-trade";
  /** The exact bytes that both parties signed. */
  readonly termsBytes: Uint8Array;
  readonly terms: TradeTerms;
  /** 16 bytes. */
  readonly tradeId: Uint8Array;
  readonly sellerId: string;
  readonly buyerId: string;
  /** Unix s, not negative; whether it is aligned is a rule. */
  readonly deliveryStartS: number;
  readonly energyWh: bigint;
  readonly priceMicroPerKwh: bigint;
  readonly sellerSignature: Uint8Array;
  readonly buyerSignature: Uint8Array;
};

export type SessionPayload = {
  readonly kind: "charging-session";
  readonly stationId: string;
  /** Unix s. */
  readonly startS: number;
  /** Unix s. */
  readonly endS: number;
  readonly energyWh: bigint;
};

export type DocumentPayload = {
  readonly kind: "document";
  readonly mediaType: string;
  readonly name: string;
  readonly content: Uint8Array;
};

export type Payload = ReadingPayload | TradePayload | SessionPayload | DocumentPayload;

export const tradeIdBytes = 16;

/**
 * The latest second that times may name, some 139,000 years ahead: its milliseconds are exact
 * in a double.
 */
export const unixSecondsMax = 2 ** 42;

/**
 * The most energy that one record or one sum of the state may hold, Wh: 9,000 TWh, a third of what
 * the world generates in a year. It keeps sums far from the end of a uint64.
 */
export const energyWhMax = 2n ** 53n - 1n;

/**
 * Takes a record's payload apart. Refuses with RECORD_MALFORMED, INTERVAL_INVALID,
 * SESSION_INVALID or ENERGY_INVALID.
 */
export function parsePayload(record: Record, grid: MarketGrid): Result<Payload, Violation> {
  const payload = record.payload;
  switch (payload.case) {
    case "meterReading":
      return parseReading(payload.value, grid);
    case "energyTrade":
      return parseTrade(payload.value, record.ownerId);
    case "chargingSession":
      return parseSession(payload.value);
    case "document":
      return ok(parseDocument(payload.value));
    default:
      return refuse("RECORD_MALFORMED", "A record has no payload.", "payload");
  }
}

function parseReading(reading: MeterReading, grid: MarketGrid): Result<ReadingPayload, Violation> {
  const { meterId, intervalStartUnixS, intervalS, importedWh, exportedWh } = reading;
  if (!isDeviceId(meterId)) {
    const message = `The meter id is not ${deviceIdForm}.`;
    return refuse("RECORD_MALFORMED", message, "meter_reading.meter_id");
  }
  const intervalStartS = Number(intervalStartUnixS);
  const deliveryStartS = deliveryStartOf(intervalStartS, grid);
  // The first seconds of 1970 may lie in a delivery interval that starts before them.
  if (!isUnixSeconds(intervalStartUnixS) || deliveryStartS < 0) {
    return refuse(
      "INTERVAL_INVALID",
      "The interval's start is out of range.",
      "meter_reading.interval_start_unix_s",
    );
  }
  if (importedWh > energyWhMax || exportedWh > energyWhMax) {
    const name = importedWh > energyWhMax ? "imported_wh" : "exported_wh";
    return refuse("ENERGY_INVALID", "The energy is out of range.", `meter_reading.${name}`);
  }
  return ok({
    kind: "meter-reading",
    meterId,
    intervalStartS,
    intervalS,
    importedWh,
    exportedWh,
    deliveryStartS,
  });
}

function parseTrade(trade: EnergyTrade, ownerId: string): Result<TradePayload, Violation> {
  const decoded = strictDecode(TradeTermsSchema, trade.terms);
  if (!decoded.ok) {
    return refuse(
      "RECORD_MALFORMED",
      `The terms do not decode: ${decoded.error}.`,
      "energy_trade.terms",
    );
  }
  const terms = decoded.value;
  const malformed = (name: string, message: string) =>
    refuse("RECORD_MALFORMED", message, `energy_trade.terms.${name}`);
  if (terms.tradeId.length !== tradeIdBytes) {
    return malformed("trade_id", "A trade id has 16 bytes.");
  }
  if (!isId(terms.buyerId)) return malformed("buyer_id", "The buyer id is not an id.");
  if (terms.sellerId !== ownerId) {
    return malformed(
      "seller_id",
      `The record's owner is ${ownerId}, the seller ${terms.sellerId}.`,
    );
  }
  if (!isUnixSeconds(terms.deliveryStartUnixS)) {
    return refuse(
      "INTERVAL_INVALID",
      "The delivery interval's start is out of range.",
      "energy_trade.terms.delivery_start_unix_s",
    );
  }
  if (terms.energyWh > energyWhMax) {
    return refuse("ENERGY_INVALID", "The energy is out of range.", "energy_trade.terms.energy_wh");
  }
  return ok({
    kind: "energy-trade",
    termsBytes: trade.terms,
    terms,
    tradeId: terms.tradeId,
    sellerId: terms.sellerId,
    buyerId: terms.buyerId,
    deliveryStartS: Number(terms.deliveryStartUnixS),
    energyWh: terms.energyWh,
    priceMicroPerKwh: terms.priceMicroPerKwh,
    sellerSignature: trade.sellerSignature,
    buyerSignature: trade.buyerSignature,
  });
}

function parseSession(session: ChargingSession): Result<SessionPayload, Violation> {
  const { stationId, startUnixS, endUnixS, energyWh } = session;
  if (!isUnixSeconds(startUnixS) || !isUnixSeconds(endUnixS)) {
    const name = isUnixSeconds(startUnixS) ? "end_unix_s" : "start_unix_s";
    return refuse(
      "SESSION_INVALID",
      "The session's times are out of range.",
      `charging_session.${name}`,
    );
  }
  if (energyWh > energyWhMax) {
    return refuse("ENERGY_INVALID", "The energy is out of range.", "charging_session.energy_wh");
  }
  return ok({
    kind: "charging-session",
    stationId,
    startS: Number(startUnixS),
    endS: Number(endUnixS),
    energyWh,
  });
}

function parseDocument({ mediaType, name, content }: Document): DocumentPayload {
  return { kind: "document", mediaType, name, content };
}

function isUnixSeconds(value: bigint): boolean {
  return value >= 0n && value <= BigInt(unixSecondsMax);
}
