import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, fromBinary } from "@bufbuild/protobuf";
import { equalBytes } from "../../../../src/base/bytes.js";
import {
  buildSubmission,
  chargingSession,
  document,
  energyTrade,
  loadProfile,
  meterReading,
  signTrade,
  tradeTerms,
} from "../../../../src/client/index.js";
import { ed25519KeyPairFromSeed, ed25519Verify } from "../../../../src/crypto/ed25519.js";
import { type Policy, PolicySchema } from "../../../../src/gen/bss/v1/genesis_pb.js";
import { RecordSchema, ValueQuality } from "../../../../src/gen/bss/v1/record_pb.js";
import { tradeDigest } from "../../../../src/ledger/kinds/energy-trade.js";
import { parseRecord } from "../../../../src/ledger/records/records.js";
import { parseSubmission, submissionDigest } from "../../../../src/ledger/records/submissions.js";

const consortiumId = new Uint8Array(32).fill(9);
const seed = new Uint8Array(32).fill(1);
const otherSeed = new Uint8Array(32).fill(2);
const policy: Policy = create(PolicySchema, {
  recordBytesMax: 1000,
  submissionRecordsMax: 10,
  deliveryIntervalS: 3600,
});

const reading = {
  ownerId: "home-1",
  meterId: "meter-1",
  intervalStartS: 7200,
  intervalS: 3600,
  importedWh: 10,
  exportedWh: 2n ** 53n - 1n,
};

function parsed(bytes: Uint8Array) {
  const result = parseRecord(consortiumId, bytes, policy);
  assert.ok(result.ok, result.ok ? "" : result.error.message);
  return result.value;
}

describe("the record builders", () => {
  test("a meter reading is what the ledger reads, complete at its interval's end", () => {
    const { payload, ownerId, timeMs, salt } = parsed(meterReading(reading));
    assert.equal(ownerId, "home-1");
    assert.equal(timeMs, 10_800_000);
    assert.equal(salt.length, 16);
    assert.ok(payload.kind === "meterReading");
    assert.deepEqual([payload.importedWh, payload.exportedWh], [10, 2 ** 53 - 1]);
    assert.deepEqual([payload.intervalStartS, payload.intervalS], [7200, 3600]);
  });

  test("two records of one content differ by their salts, and not when the salt is given", () => {
    assert.ok(!equalBytes(meterReading(reading), meterReading(reading)));
    const salt = new Uint8Array(16).fill(5);
    assert.deepEqual(meterReading({ ...reading, salt }), meterReading({ ...reading, salt }));
  });

  test("an update names its parent", () => {
    const parent = new Uint8Array(32).fill(4);
    assert.deepEqual(parsed(meterReading({ ...reading, parent })).parent, parent);
    assert.equal(parsed(meterReading(reading)).parent, undefined);
  });

  test("a load profile has runs of one quality, and lists of what is not absent", () => {
    const values = (quality: "measured" | "estimated" | "substituted", ...imported: number[]) =>
      imported.map((importedWh) => ({ importedWh, exportedWh: 0, quality }));
    const bytes = loadProfile({
      ownerId: "home-1",
      meterId: "meter-1",
      startS: 7200,
      intervalS: 900,
      values: [
        ...values("measured", 5, 0),
        undefined,
        undefined,
        ...values("estimated", 2 ** 32 - 1),
        ...values("substituted", 7),
      ],
      registerStart: { importedWh: 10, exportedWh: 2n },
    });
    const { payload, timeMs } = parsed(bytes);
    const record = fromBinary(RecordSchema, bytes);
    assert.ok(payload.kind === "loadProfile" && record.payload.case === "loadProfile");
    assert.equal(timeMs, (7200 + 6 * 900) * 1000);
    assert.deepEqual(
      record.payload.value.runs.map(({ count, quality }) => [count, quality]),
      [
        [2, ValueQuality.MEASURED],
        [2, ValueQuality.ABSENT],
        [1, ValueQuality.ESTIMATED],
        [1, ValueQuality.SUBSTITUTED],
      ],
    );
    assert.deepEqual([...payload.importedWh], [5, 0, 2 ** 32 - 1, 7]);
    assert.deepEqual([...payload.exportedWh], []);
    const { registerStart, registerEnd } = record.payload.value;
    assert.deepEqual([registerStart?.importedWh, registerStart?.exportedWh], [10n, 2n]);
    assert.equal(registerEnd, undefined);
  });

  test("a trade carries terms that both parties have signed", () => {
    const terms = tradeTerms({
      sellerId: "home-1",
      buyerId: "home-2",
      deliveryStartS: 3600,
      energyWh: 500,
      priceMicroPerKwh: -7,
    });
    const record = parsed(
      energyTrade({
        ownerId: "home-1",
        terms,
        timeMs: 5000,
        sellerSignature: signTrade(consortiumId, terms, seed),
        buyerSignature: signTrade(consortiumId, terms, otherSeed),
      }),
    );
    const { payload } = record;
    assert.ok(payload.kind === "energyTrade");
    assert.deepEqual([payload.energyWh, payload.priceMicroPerKwh], [500, -7n]);
    assert.equal(payload.tradeId.length, 16);
    const digest = tradeDigest(consortiumId, terms);
    const key = (of: Uint8Array) => ed25519KeyPairFromSeed(of).publicKey;
    assert.ok(ed25519Verify(key(seed), digest, payload.sellerSignature));
    assert.ok(ed25519Verify(key(otherSeed), digest, payload.buyerSignature));
  });

  test("a charging session is complete at its end", () => {
    const { payload, timeMs } = parsed(
      chargingSession({
        ownerId: "ev-1",
        stationId: "station-1",
        startS: 100,
        endS: 160,
        energyWh: 3,
      }),
    );
    assert.equal(timeMs, 160_000);
    assert.ok(payload.kind === "chargingSession");
    assert.deepEqual([payload.startS, payload.endS, payload.energyWh], [100, 160, 3n]);
  });

  test("a document holds any bytes", () => {
    const content = Uint8Array.of(0, 255, 128);
    const { payload } = parsed(
      document({ ownerId: "home-1", mediaType: "application/pdf", name: "a", content, timeMs: 1 }),
    );
    assert.ok(payload.kind === "document");
    assert.deepEqual(payload.content, content);
  });
});

describe("buildSubmission", () => {
  const records = [meterReading(reading), meterReading({ ...reading, intervalStartS: 0 })];
  const parts = { consortiumId, participantId: "home-1", signingSeed: seed, records };

  test("makes what the ledger reads, signed by the submitter", () => {
    const submission = buildSubmission(parts);
    const result = parseSubmission(consortiumId, submission, policy);
    assert.ok(result.ok);
    assert.equal(result.value.participantId, "home-1");
    assert.equal(result.value.records.length, 2);
    const { publicKey } = ed25519KeyPairFromSeed(seed);
    const digest = submissionDigest(submission.header);
    assert.ok(ed25519Verify(publicKey, digest, submission.signature));
  });

  test("the same parts give the same submission, so a retry is the same submission", () => {
    assert.deepEqual(buildSubmission(parts), buildSubmission(parts));
  });
});

test("a number that is no whole one of its unit is named", () => {
  for (const [changes, message] of [
    [{ importedWh: 0.412 }, "importedWh is 0.412; it takes whole Wh"],
    [{ exportedWh: undefined }, "exportedWh is undefined; it takes whole Wh"],
    [{ intervalStartS: 0.5 }, "intervalStartS is 0.5; it takes whole seconds"],
    [{ timeMs: 1.5 }, "timeMs is 1.5; it takes whole milliseconds"],
  ] as const) {
    const parts = { ...reading, ...changes } as Parameters<typeof meterReading>[0];
    assert.throws(() => meterReading(parts), { name: "RangeError", message });
  }
});
