/**
 * Making records. A record is its exact bytes: they are hashed, sealed and kept, so whoever makes
 * one keeps the bytes and sends the same ones again after a failure. A record that is built anew
 * has another salt and is another record.
 *
 * The builders check nothing that the ledger's rules check; a wrong record comes back from the
 * managers with its reason.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { emptyBytes } from "../../base/bytes.js";
import { ed25519Sign } from "../../crypto/ed25519.js";
import { randomBytes } from "../../crypto/random.js";
import { RecordSchema, TradeTermsSchema, ValueQuality } from "../../gen/bss/v1/record_pb.js";
import { tradeDigest, tradeIdBytes } from "../../ledger/kinds/energy-trade.js";
import { saltBytes } from "../../ledger/records/records.js";
import { encode } from "../../ledger/wire.js";

export { saltBytes, tradeIdBytes };

/** What every kind of record has. */
export type RecordParts = {
  /** 32 bytes: the hash of the version that this record updates. */
  readonly parent?: Uint8Array;
  /** 16 bytes that nobody can guess; drawn when left out. */
  readonly salt?: Uint8Array;
};

export type MeterReadingParts = RecordParts & {
  readonly ownerId: string;
  readonly meterId: string;
  /** Unix s; the policy's delivery offset after a multiple of `intervalS`. */
  readonly intervalStartS: number;
  /** The meter's registered interval, s. */
  readonly intervalS: number;
  readonly importedWh: number | bigint;
  readonly exportedWh: number | bigint;
  /** Unix ms; the interval's end when left out. */
  readonly timeMs?: number;
};

/** One interval of a load profile; `undefined` in a list of them is an interval without a value. */
export type ProfileValueParts = {
  /** Wh, below 2^32. */
  readonly importedWh: number;
  /** Wh, below 2^32. */
  readonly exportedWh: number;
  readonly quality: "measured" | "estimated" | "substituted";
};

export type RegisterParts = {
  /** Wh. */
  readonly importedWh: number | bigint;
  /** Wh. */
  readonly exportedWh: number | bigint;
};

export type LoadProfileParts = RecordParts & {
  readonly ownerId: string;
  readonly meterId: string;
  /** Unix s; the policy's delivery offset after a multiple of `intervalS`. */
  readonly startS: number;
  /** The meter's registered interval, s. */
  readonly intervalS: number;
  /** One for each interval, in order: up to 8,928 within 31 days. */
  readonly values: readonly (ProfileValueParts | undefined)[];
  readonly registerStart?: RegisterParts;
  readonly registerEnd?: RegisterParts;
  /** Unix ms; the end of the last interval when left out. */
  readonly timeMs?: number;
};

export type TradeTermsParts = {
  /** 16 bytes; drawn when left out. */
  readonly tradeId?: Uint8Array;
  readonly sellerId: string;
  readonly buyerId: string;
  /** Unix s; the policy's delivery offset after a multiple of its delivery interval. */
  readonly deliveryStartS: number;
  readonly energyWh: number | bigint;
  /** Millionths of the market's currency per kWh. */
  readonly priceMicroPerKwh: number | bigint;
};

export type EnergyTradeParts = RecordParts & {
  /** The seller. */
  readonly ownerId: string;
  /** The exact bytes that both parties signed. */
  readonly terms: Uint8Array;
  /** 64 bytes each, by `signTrade`. */
  readonly sellerSignature: Uint8Array;
  readonly buyerSignature: Uint8Array;
  /** Unix ms. */
  readonly timeMs: number;
};

export type ChargingSessionParts = RecordParts & {
  readonly ownerId: string;
  readonly stationId: string;
  /** Unix s. */
  readonly startS: number;
  /** Unix s, after the start. */
  readonly endS: number;
  readonly energyWh: number | bigint;
  /** Unix ms; the session's end when left out. */
  readonly timeMs?: number;
};

export type DocumentParts = RecordParts & {
  readonly ownerId: string;
  /** IANA media type, such as "application/pdf". */
  readonly mediaType: string;
  /** For people; may be empty. */
  readonly name: string;
  readonly content: Uint8Array;
  /** Unix ms. */
  readonly timeMs: number;
};

/** Throws `RangeError` for 0.412, which is somebody's kWh, and for what was forgotten. */
function whole(value: number | bigint, name: string, unit: string): bigint {
  if (typeof value === "bigint" || Number.isSafeInteger(value)) return BigInt(value);
  throw new RangeError(`${name} is ${value}; it takes whole ${unit}`);
}

type Payload = NonNullable<MessageInitShape<typeof RecordSchema>["payload"]>;

/** The exact bytes of a record with a meter reading. */
export function meterReading(parts: MeterReadingParts): Uint8Array {
  const { meterId, intervalStartS, intervalS, importedWh, exportedWh } = parts;
  const value = {
    meterId,
    intervalStartUnixS: whole(intervalStartS, "intervalStartS", "seconds"),
    intervalS,
    importedWh: whole(importedWh, "importedWh", "Wh"),
    exportedWh: whole(exportedWh, "exportedWh", "Wh"),
  };
  const timeMs = parts.timeMs ?? (intervalStartS + intervalS) * 1000;
  return recordBytes(parts, timeMs, { case: "meterReading", value });
}

/** The exact bytes of a record with a load profile. */
export function loadProfile(parts: LoadProfileParts): Uint8Array {
  const { meterId, startS, intervalS, values, registerStart, registerEnd } = parts;
  const present = values.filter((value) => value !== undefined);
  const runs: { count: number; readonly quality: ValueQuality }[] = [];
  for (const value of values) {
    const quality = value === undefined ? ValueQuality.ABSENT : qualities[value.quality];
    const last = runs.at(-1);
    if (last?.quality === quality) last.count += 1;
    else runs.push({ count: 1, quality });
  }
  const value = {
    meterId,
    startUnixS: whole(startS, "startS", "seconds"),
    intervalS,
    runs,
    importedWh: allOrNone(present.map(({ importedWh }) => importedWh)),
    exportedWh: allOrNone(present.map(({ exportedWh }) => exportedWh)),
    ...(registerStart === undefined ? {} : { registerStart: registerOf(registerStart) }),
    ...(registerEnd === undefined ? {} : { registerEnd: registerOf(registerEnd) }),
  };
  const timeMs = parts.timeMs ?? (startS + values.length * intervalS) * 1000;
  return recordBytes(parts, timeMs, { case: "loadProfile", value });
}

/** The exact bytes of the terms of a trade, which seller and buyer sign. */
export function tradeTerms(parts: TradeTermsParts): Uint8Array {
  const { tradeId, sellerId, buyerId, deliveryStartS, energyWh, priceMicroPerKwh } = parts;
  const terms = create(TradeTermsSchema, {
    tradeId: tradeId ?? randomBytes(tradeIdBytes),
    sellerId,
    buyerId,
    deliveryStartUnixS: whole(deliveryStartS, "deliveryStartS", "seconds"),
    energyWh: whole(energyWh, "energyWh", "Wh"),
    priceMicroPerKwh: whole(priceMicroPerKwh, "priceMicroPerKwh", "millionths"),
  });
  return encode(TradeTermsSchema, terms);
}

/**
 * One party's signature under the terms of a trade, 64 bytes. Each party makes it with its own seed
 * of 32 bytes.
 */
export function signTrade(
  consortiumId: Uint8Array,
  terms: Uint8Array,
  signingSeed: Uint8Array,
): Uint8Array {
  return ed25519Sign(signingSeed, tradeDigest(consortiumId, terms));
}

/** The exact bytes of a record with a trade that both parties have signed. */
export function energyTrade(parts: EnergyTradeParts): Uint8Array {
  const { terms, sellerSignature, buyerSignature } = parts;
  const value = { terms, sellerSignature, buyerSignature };
  return recordBytes(parts, parts.timeMs, { case: "energyTrade", value });
}

/** The exact bytes of a record with a charging session. */
export function chargingSession(parts: ChargingSessionParts): Uint8Array {
  const { stationId, startS, endS, energyWh } = parts;
  const value = {
    stationId,
    startUnixS: whole(startS, "startS", "seconds"),
    endUnixS: whole(endS, "endS", "seconds"),
    energyWh: whole(energyWh, "energyWh", "Wh"),
  };
  return recordBytes(parts, parts.timeMs ?? endS * 1000, { case: "chargingSession", value });
}

/** The exact bytes of a record with a document: any bytes up to the policy's length of a record. */
export function document(parts: DocumentParts): Uint8Array {
  const { mediaType, name, content } = parts;
  return recordBytes(parts, parts.timeMs, {
    case: "document",
    value: { mediaType, name, content },
  });
}

const qualities = {
  measured: ValueQuality.MEASURED,
  estimated: ValueQuality.ESTIMATED,
  substituted: ValueQuality.SUBSTITUTED,
} as const;

/** A list of nothing but 0 is left out. */
function allOrNone(list: readonly number[]): number[] {
  return list.every((value) => value === 0) ? [] : [...list];
}

function registerOf({ importedWh, exportedWh }: RegisterParts) {
  return {
    importedWh: whole(importedWh, "importedWh", "Wh"),
    exportedWh: whole(exportedWh, "exportedWh", "Wh"),
  };
}

function recordBytes(
  { ownerId, parent, salt }: RecordParts & { readonly ownerId: string },
  timeMs: number,
  payload: Payload,
): Uint8Array {
  const record = create(RecordSchema, {
    ownerId,
    salt: salt ?? randomBytes(saltBytes),
    timeUnixMs: whole(timeMs, "timeMs", "milliseconds"),
    parent: parent ?? emptyBytes,
    payload,
  });
  return encode(RecordSchema, record);
}
