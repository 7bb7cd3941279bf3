import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { recordFields, recordJson, recordTable } from "../../../../src/cli/records/record-view.js";
import { toJson } from "../../../../src/cli/text/output.js";
import {
  chargingSession,
  document,
  energyTrade,
  meterReading,
  tradeTerms,
} from "../../../../src/client/submit/records.js";
import type { LedgerRecord } from "../../../../src/client/verify/answers.js";
import { RecordSchema } from "../../../../src/gen/bss/v1/record_pb.js";

const place = { hash: new Uint8Array(32).fill(1), height: 7, position: 9 };
const sealDigest = new Uint8Array(32).fill(2);
const ownerId = "home-1";

const seen = (bytes: Uint8Array, successor?: Uint8Array): LedgerRecord => ({
  ...place,
  sealDigest,
  content: {
    bytes,
    record: fromBinary(RecordSchema, bytes),
    ...(successor === undefined ? {} : { successor }),
  },
});

const reading = meterReading({
  ownerId,
  meterId: "meter-1",
  intervalStartS: 3600,
  intervalS: 3600,
  importedWh: 5,
  exportedWh: 6,
});
const terms = tradeTerms({
  tradeId: new Uint8Array(16).fill(3),
  sellerId: ownerId,
  buyerId: "home-2",
  deliveryStartS: 3600,
  energyWh: 8,
  priceMicroPerKwh: -4,
});
const signature = new Uint8Array(64);
const trade = energyTrade({
  ownerId,
  terms,
  sellerSignature: signature,
  buyerSignature: signature,
  timeMs: 1,
});
const session = chargingSession({
  ownerId,
  stationId: "station-1",
  startS: 10,
  endS: 20,
  energyWh: 3,
});
const hostile = document({
  ownerId,
  mediaType: "text/plain",
  name: "a\u001B[31m\u202Eb",
  timeMs: 1,
  content: Uint8Array.of(1, 2, 3),
});

describe("a record as commands print it", () => {
  for (const [title, bytes, line, fields, json] of [
    [
      "a meter reading",
      reading,
      /meter-1: 5 Wh imported, 6 Wh exported/,
      /interval start +1970-01-01 01:00:00 UTC\ninterval +3600 s\nimported +5 Wh/,
      { kind: "meter-reading", interval_start_unix_s: 3600, imported_wh: 5 },
    ],
    [
      "a trade",
      trade,
      /trade: home-1 sold 8 Wh to home-2/,
      /delivery start +1970-01-01 01:00:00 UTC\nenergy +8 Wh/,
      { kind: "energy-trade", trade_id: "03".repeat(16), price_micro_per_kwh: -4 },
    ],
    [
      "a charging session",
      session,
      /charging at station-1: 3 Wh/,
      /station id +station-1\nstart +1970/,
      { kind: "charging-session", start_unix_s: 10, end_unix_s: 20 },
    ],
    [
      "a document",
      hostile,
      /document: a.\[31m.b, text\/plain, 3 B/,
      /content +3 B; --content FILE writes it/,
      { kind: "document", media_type: "text/plain", content_base64: "AQID" },
    ],
  ] as const) {
    test(`${title} has a line, fields and JSON`, () => {
      const record = seen(bytes);
      assert.match(recordTable([record]), line);
      assert.match(recordFields(record), fields);
      const printed = JSON.parse(toJson(recordJson(record)));
      for (const [key, value] of Object.entries(json)) assert.deepEqual(printed[key], value, key);
      assert.equal(printed.owner_id, ownerId);
    });
  }

  test("a name from the ledger cannot move the cursor or turn the line around", () => {
    const text = recordTable([seen(hostile)]) + recordFields(seen(hostile));
    for (const sign of ["\u001B", "\u202E"]) assert.ok(!text.includes(sign));
  });

  test("versions are told from each other", () => {
    const later = new Uint8Array(32).fill(4);
    assert.match(recordFields(seen(reading)), /updated by +nothing: the latest/);
    assert.match(recordFields(seen(reading, later)), /updated by +0404/);
    const parent = new Uint8Array(32).fill(5);
    const update = document({
      ownerId,
      parent,
      mediaType: "a/b",
      name: "",
      content: parent,
      timeMs: 1,
    });
    assert.match(recordFields(seen(update)), /updates +0505/);
    assert.match(recordTable([seen(update)]), /document: unnamed/);
  });

  test("without its content there is its place alone", () => {
    const record = { ...place, sealDigest };
    assert.match(recordTable([record]), /7 +9 +- +- +not visible/);
    assert.match(recordFields(record), /content +not visible to this profile/);
  });
});
