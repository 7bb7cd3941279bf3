/** Records and submissions with right values, for tests that change one of them. */
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { emptyBytes, utf8 } from "../../../../src/base/bytes.js";
import { ed25519KeyPairFromSeed, ed25519Sign } from "../../../../src/crypto/ed25519.js";
import { sha256 } from "../../../../src/crypto/hash.js";
import {
  type LoadProfileSchema,
  RecordSchema,
  SubmissionHeaderSchema,
  SubmissionSchema,
  TradeTermsSchema,
  ValueQuality,
} from "../../../../src/gen/bss/v1/record_pb.js";
import { tradeDigest } from "../../../../src/ledger/kinds/energy-trade.js";
import { recordHash } from "../../../../src/ledger/records/record-hash.js";
import { type ParsedRecord, parseRecord } from "../../../../src/ledger/records/records.js";
import {
  type ParsedSubmission,
  parseSubmission,
  submissionDigest,
} from "../../../../src/ledger/records/submissions.js";
import { consortiumId, policy, quarterS, startS } from "./consortium.js";
import { accepted } from "./outcome.js";

type RecordInit = MessageInitShape<typeof RecordSchema>;

/** 32 bytes that are the same for the same name. */
export function seedOf(name: string): Uint8Array {
  return sha256(utf8(name));
}

/** A salt or trade id that is the same for the same name. */
export function sixteen(name: string): Uint8Array {
  return seedOf(name).subarray(0, 16);
}

export function publicKeyOf(id: string): Uint8Array {
  return ed25519KeyPairFromSeed(seedOf(id)).publicKey;
}

export function sign(id: string, digest: Uint8Array): Uint8Array {
  return ed25519Sign(seedOf(id), digest);
}

let saltCount = 0;

export type ReadingOptions = {
  readonly owner?: string;
  readonly meter?: string;
  readonly start?: number;
  readonly intervalS?: number;
  readonly imported?: number | bigint;
  readonly exported?: number | bigint;
  readonly parent?: Uint8Array;
  readonly timeMs?: number;
};

/** Bytes of a reading: participant-1's meter-1 in the first quarter of the day, 100 Wh each way. */
export function readingBytes(options: ReadingOptions = {}): Uint8Array {
  const { owner = "participant-1", meter = "meter-1", start = startS } = options;
  const { intervalS = quarterS, imported = 100, exported = 100 } = options;
  return recordBytes({
    ownerId: owner,
    timeUnixMs: BigInt(options.timeMs ?? (start + intervalS) * 1000),
    parent: options.parent ?? emptyBytes,
    payload: {
      case: "meterReading",
      value: {
        meterId: meter,
        intervalStartUnixS: BigInt(start),
        intervalS,
        importedWh: BigInt(imported),
        exportedWh: BigInt(exported),
      },
    },
  });
}

/** A value of a profile, Wh imported and exported; undefined for an absent one. */
export type ProfileValue = readonly [imported: number, exported: number] | undefined;

export type ProfileOptions = {
  readonly owner?: string;
  readonly meter?: string;
  readonly start?: number;
  readonly intervalS?: number;
  readonly values?: readonly ProfileValue[];
  readonly parent?: Uint8Array;
  readonly timeMs?: number;
  /** In place of what follows from `values`. */
  readonly message?: MessageInitShape<typeof LoadProfileSchema>;
};

/** Bytes of a profile: participant-1's meter-1 in the first four quarters, 100 Wh each way. */
export function profileBytes(options: ProfileOptions = {}): Uint8Array {
  const { owner = "participant-1", meter = "meter-1", start = startS } = options;
  const { intervalS = quarterS, values = Array<ProfileValue>(4).fill([100, 100]) } = options;
  const present = values.filter((value) => value !== undefined);
  const runs: { count: number; readonly quality: ValueQuality }[] = [];
  for (const value of values) {
    const quality = value === undefined ? ValueQuality.ABSENT : ValueQuality.MEASURED;
    const last = runs.at(-1);
    if (last?.quality === quality) last.count += 1;
    else runs.push({ count: 1, quality });
  }
  return recordBytes({
    ownerId: owner,
    timeUnixMs: BigInt(options.timeMs ?? (start + values.length * intervalS) * 1000),
    parent: options.parent ?? emptyBytes,
    payload: {
      case: "loadProfile",
      value: {
        meterId: meter,
        startUnixS: BigInt(start),
        intervalS,
        runs,
        importedWh: present.map(([imported]) => imported),
        exportedWh: present.map(([, exported]) => exported),
        ...options.message,
      },
    },
  });
}

export type TradeOptions = {
  readonly id?: string;
  readonly seller?: string;
  readonly buyer?: string;
  readonly delivery?: number;
  readonly energy?: number | bigint;
  readonly price?: number | bigint;
  readonly parent?: Uint8Array;
  readonly owner?: string;
  readonly timeMs?: number;
  /** Whose key signs as the buyer's; the buyer's own when left out. */
  readonly buyerKey?: string;
};

/**
 * Bytes of a trade, signed by both: participant-1 sells 10 Wh of the first delivery
 * interval to participant-2.
 */
export function tradeBytes(options: TradeOptions = {}): Uint8Array {
  const { seller = "participant-1", buyer = "participant-2", delivery = startS } = options;
  const terms = toBinary(
    TradeTermsSchema,
    create(TradeTermsSchema, {
      tradeId: sixteen(options.id ?? `trade ${saltCount}`),
      sellerId: seller,
      buyerId: buyer,
      deliveryStartUnixS: BigInt(delivery),
      energyWh: BigInt(options.energy ?? 10),
      priceMicroPerKwh: BigInt(options.price ?? 200_000),
    }),
  );
  const digest = tradeDigest(consortiumId, terms);
  return recordBytes({
    ownerId: options.owner ?? seller,
    timeUnixMs: BigInt(options.timeMs ?? delivery * 1000),
    parent: options.parent ?? emptyBytes,
    payload: {
      case: "energyTrade",
      value: {
        terms,
        sellerSignature: sign(seller, digest),
        buyerSignature: sign(options.buyerKey ?? buyer, digest),
      },
    },
  });
}

export function documentBytes(
  value: { mediaType?: string; name?: string; content?: Uint8Array } = {},
  rest: RecordInit = {},
): Uint8Array {
  const { mediaType = "text/plain", name = "note.txt", content = utf8("note") } = value;
  return recordBytes({
    payload: { case: "document", value: { mediaType, name, content } },
    ...rest,
  });
}

export function sessionBytes(
  value: { stationId?: string; start?: number; end?: number; energy?: number | bigint } = {},
  rest: RecordInit = {},
): Uint8Array {
  const { stationId = "station-1", start = startS, end = startS + 3600, energy = 7_000 } = value;
  return recordBytes({
    timeUnixMs: BigInt(Math.max(end, 1) * 1000),
    payload: {
      case: "chargingSession",
      value: {
        stationId,
        startUnixS: BigInt(start),
        endUnixS: BigInt(end),
        energyWh: BigInt(energy),
      },
    },
    ...rest,
  });
}

/**
 * Bytes of any record; participant-1 is the owner, and the salt is new each time,
 * unless said otherwise.
 */
export function recordBytes(init: RecordInit): Uint8Array {
  saltCount += 1;
  const record = create(RecordSchema, {
    ownerId: "participant-1",
    salt: sixteen(`salt ${saltCount}`),
    timeUnixMs: BigInt(startS * 1000),
    ...init,
  });
  return toBinary(RecordSchema, record);
}

export function hashOf(bytes: Uint8Array): Uint8Array {
  return recordHash(consortiumId, bytes);
}

/** The parsed record; fails when it does not parse. */
export function parsed(bytes: Uint8Array): ParsedRecord {
  return accepted(parseRecord(consortiumId, bytes, policy));
}

/** A signed submission message of the records. */
export function submissionOf(records: readonly Uint8Array[], submitter = "participant-1") {
  const header = toBinary(
    SubmissionHeaderSchema,
    create(SubmissionHeaderSchema, {
      consortiumId,
      participantId: submitter,
      recordHashes: records.map(hashOf),
    }),
  );
  const signature = sign(submitter, submissionDigest(header));
  return create(SubmissionSchema, { header, signature, records: [...records] });
}

/** The parsed submission of the records; fails when it does not parse. */
export function submitted(
  records: readonly Uint8Array[],
  submitter = "participant-1",
): ParsedSubmission {
  return accepted(parseSubmission(consortiumId, submissionOf(records, submitter), policy));
}
