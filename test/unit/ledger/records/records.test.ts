import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { concatBytes, toHex, utf8 } from "../../../../src/base/bytes.js";
import { sealRecord, unsealRecord } from "../../../../src/crypto/seal.js";
import { RecordSchema, TradeTermsSchema } from "../../../../src/gen/bss/v1/record_pb.js";
import { recordHash } from "../../../../src/ledger/records/record-hash.js";
import { parseRecord, sealLeaf } from "../../../../src/ledger/records/records.js";
import { consortiumId, epochKey, hourS, policy, quarterS, startS } from "../support/consortium.js";
import { accepted, refusal } from "../support/outcome.js";
import {
  documentBytes,
  parsed,
  readingBytes,
  recordBytes,
  seedOf,
  sessionBytes,
  sixteen,
  tradeBytes,
} from "../support/records.js";

const parse = (bytes: Uint8Array) => parseRecord(consortiumId, bytes, policy);

/** A trade with these terms, whoever signs them. */
function withTerms(terms: Uint8Array): Uint8Array {
  const value = { terms, sellerSignature: new Uint8Array(64), buyerSignature: new Uint8Array(64) };
  return recordBytes({ payload: { case: "energyTrade", value } });
}

function termsBytes(change: object): Uint8Array {
  const terms = {
    tradeId: sixteen("trade"),
    sellerId: "participant-1",
    buyerId: "participant-2",
    deliveryStartUnixS: BigInt(startS),
    energyWh: 10n,
    priceMicroPerKwh: 200_000n,
    ...change,
  };
  return toBinary(TradeTermsSchema, create(TradeTermsSchema, terms));
}

describe("a record's hash", () => {
  test("is SHA-256 over tag, consortium id and the exact bytes", () => {
    const bytes = readingBytes();
    const expected = createHash("sha256")
      .update("bss/v1/record")
      .update(consortiumId)
      .update(bytes)
      .digest("hex");
    assert.equal(toHex(recordHash(consortiumId, bytes)), expected);
    assert.equal(parsed(bytes).hashHex, expected);
  });

  test("depends on the order in which a library wrote the fields, as the bytes do", () => {
    const owner = concatBytes(Uint8Array.of(10, 1), utf8("a"));
    const document = Uint8Array.of((13 << 3) | 2, 0);
    const one = accepted(parse(concatBytes(owner, document)));
    const other = accepted(parse(concatBytes(document, owner)));
    assert.deepEqual(one.payload, other.payload);
    assert.notEqual(one.hashHex, other.hashHex);
    assert.deepEqual(one.bytes, concatBytes(owner, document));
  });
});

describe("a parsed record", () => {
  test("of a reading knows the delivery interval that its interval lies in", () => {
    for (const [start, delivery] of [
      [startS, startS],
      [startS + 3 * quarterS, startS],
      [startS + hourS, startS + hourS],
      [0, 0],
    ] as const) {
      const { payload } = parsed(readingBytes({ start }));
      assert.ok(payload.kind === "meterReading");
      assert.equal(payload.deliveryStartS, delivery);
      assert.equal(payload.intervalStartS, start);
    }
  });

  test("of a trade holds the terms, decoded and as signed", () => {
    const { payload } = parsed(tradeBytes({ energy: 12 }));
    assert.ok(payload.kind === "energyTrade");
    assert.equal(payload.energyWh, 12);
    const { tradeId, buyerId } = fromBinary(TradeTermsSchema, payload.termsBytes);
    assert.deepEqual([payload.tradeId, payload.buyerId], [tradeId, buyerId]);
  });

  test("has a parent only if it names one", () => {
    assert.ok(!("parent" in parsed(documentBytes())));
    assert.deepEqual(parsed(documentBytes({}, { parent: seedOf("p") })).parent, seedOf("p"));
  });
});

describe("a record is refused that", () => {
  const cases: readonly (readonly [
    what: string,
    bytes: Uint8Array,
    reason: string,
    field?: string,
  ])[] = [
    ["does not decode", Uint8Array.of(0xff), "RECORD_MALFORMED"],
    [
      "holds an unknown field",
      concatBytes(documentBytes(), Uint8Array.of(40, 1)),
      "RECORD_MALFORMED",
    ],
    ["says nothing", recordBytes({}), "RECORD_MALFORMED", "payload"],
    ["is empty", new Uint8Array(), "RECORD_MALFORMED", "owner_id"],
    [
      "has an owner that is no id",
      documentBytes({}, { ownerId: "Eve" }),
      "RECORD_MALFORMED",
      "owner_id",
    ],
    [
      "has a parent of 31 bytes",
      documentBytes({}, { parent: new Uint8Array(31) }),
      "RECORD_MALFORMED",
      "parent",
    ],
    [
      "has a time beyond 2^53",
      documentBytes({}, { timeUnixMs: 2n ** 53n }),
      "TIME_INVALID",
      "time_unix_ms",
    ],
    [
      "has a time before -2^53",
      documentBytes({}, { timeUnixMs: -(2n ** 63n) }),
      "TIME_INVALID",
      "time_unix_ms",
    ],
    ["reads no meter", readingBytes({ meter: "" }), "RECORD_MALFORMED", "meter_reading.meter_id"],
    [
      "reads a meter that is a path",
      readingBytes({ meter: "a/b" }),
      "RECORD_MALFORMED",
      "meter_reading.meter_id",
    ],
    [
      "reads before the epoch",
      readingBytes({ start: -quarterS }),
      "INTERVAL_INVALID",
      "meter_reading.interval_start_unix_s",
    ],
    [
      "reads in a far future",
      readingBytes({ start: 2 ** 42 + 1, timeMs: 1 }),
      "INTERVAL_INVALID",
      "meter_reading.interval_start_unix_s",
    ],
    [
      "imports 2^53 Wh",
      readingBytes({ imported: 2n ** 53n }),
      "ENERGY_INVALID",
      "meter_reading.imported_wh",
    ],
    [
      "exports 2^64-1 Wh",
      readingBytes({ exported: 2n ** 64n - 1n }),
      "ENERGY_INVALID",
      "meter_reading.exported_wh",
    ],
    [
      "sells 2^64-1 Wh",
      tradeBytes({ energy: 2n ** 64n - 1n }),
      "ENERGY_INVALID",
      "energy_trade.terms.energy_wh",
    ],
    [
      "sells before the epoch",
      tradeBytes({ delivery: -hourS }),
      "INTERVAL_INVALID",
      "energy_trade.terms.delivery_start_unix_s",
    ],
    [
      "is not the seller's",
      tradeBytes({ owner: "participant-2" }),
      "RECORD_MALFORMED",
      "energy_trade.terms.seller_id",
    ],
    [
      "has terms that do not decode",
      withTerms(Uint8Array.of(0xff)),
      "RECORD_MALFORMED",
      "energy_trade.terms",
    ],
    [
      "has terms with more in them",
      withTerms(concatBytes(termsBytes({}), Uint8Array.of(64, 1))),
      "RECORD_MALFORMED",
      "energy_trade.terms",
    ],
    [
      "has a trade id of 15 bytes",
      withTerms(termsBytes({ tradeId: new Uint8Array(15) })),
      "RECORD_MALFORMED",
      "energy_trade.terms.trade_id",
    ],
    [
      "has a seller that is no id",
      withTerms(termsBytes({ sellerId: "" })),
      "RECORD_MALFORMED",
      "energy_trade.terms.seller_id",
    ],
    [
      "has a buyer that is no id",
      withTerms(termsBytes({ buyerId: "B" })),
      "RECORD_MALFORMED",
      "energy_trade.terms.buyer_id",
    ],
    [
      "charges 2^64-1 Wh",
      sessionBytes({ energy: 2n ** 64n - 1n }),
      "ENERGY_INVALID",
      "charging_session.energy_wh",
    ],
    [
      "charges before the epoch",
      sessionBytes({ start: -1 }),
      "SESSION_INVALID",
      "charging_session.start_unix_s",
    ],
    [
      "charges into a far future",
      sessionBytes({ end: 2 ** 42 + 1 }),
      "SESSION_INVALID",
      "charging_session.end_unix_s",
    ],
  ];
  for (const [what, bytes, reason, field] of cases) {
    test(what, () => {
      const violation = refusal(parse(bytes));
      assert.equal(violation.reason, reason, violation.message);
      assert.equal(violation.field, field);
      assert.match(violation.message, /^[A-Z].*\.$/);
    });
  }

  test("names a second after the last one, and none that names the last one", () => {
    const last = 2 ** 42;
    accepted(parse(sessionBytes({ start: last, end: last })));
    accepted(parse(readingBytes({ start: last, timeMs: 1 })));
    refusal(parse(sessionBytes({ start: last, end: last + 1 })));
    refusal(parse(readingBytes({ start: last + 1, timeMs: 1 })));
  });

  test("holds more than 2^53-1, and none that holds as much", () => {
    const most = 2n ** 53n - 1n;
    accepted(parse(readingBytes({ imported: most, exported: most })));
    accepted(parse(tradeBytes({ energy: most })));
    accepted(parse(sessionBytes({ energy: most })));
    for (const timeUnixMs of [most, -most]) accepted(parse(documentBytes({}, { timeUnixMs })));
    refusal(parse(documentBytes({}, { timeUnixMs: -most - 1n })));
  });

  test("is longer than the policy allows, and none that is as long", () => {
    const bytes = documentBytes({ content: new Uint8Array(500) });
    const within = { ...policy, recordBytesMax: bytes.length };
    accepted(parseRecord(consortiumId, bytes, within));
    const below = { ...policy, recordBytesMax: bytes.length - 1 };
    assert.equal(refusal(parseRecord(consortiumId, bytes, below)).reason, "RECORD_TOO_LARGE");
  });
});

describe("sealing a record", () => {
  test("gives a leaf over the sealed bytes, which only the epoch key opens", () => {
    const record = parsed(readingBytes());
    const { leaf, sealed } = sealLeaf(epochKey, record);
    assert.deepEqual(sealed, sealRecord(epochKey, record.hash, record.bytes));
    assert.deepEqual(leaf.recordHash, record.hash);
    assert.equal(toHex(leaf.sealDigest), createHash("sha256").update(sealed).digest("hex"));
    assert.deepEqual(unsealRecord(epochKey, record.hash, sealed), record.bytes);
    assert.equal(unsealRecord(seedOf("other"), record.hash, sealed), undefined);
  });
});

test("a record keeps to the API's field numbers", () => {
  const bytes = documentBytes();
  assert.deepEqual(toBinary(RecordSchema, fromBinary(RecordSchema, bytes)), bytes);
});
