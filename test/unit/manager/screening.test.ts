import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { screenSubmission, violationNow } from "../../../src/manager/screening.js";
import { genesisMs, quarterS, startS } from "../ledger/support/consortium.js";
import { accepted, refusal } from "../ledger/support/outcome.js";
import {
  documentBytes,
  hashOf,
  readingBytes,
  submitted,
  tradeBytes,
} from "../ledger/support/records.js";
import { LedgerWorld } from "./support/ledger-world.js";

const reading = readingBytes({ exported: 100, imported: 0 });
const bought = readingBytes({ owner: "participant-2", meter: "meter-2", exported: 0 });
const sold = tradeBytes({ id: "sold", energy: 50 });
const updated = readingBytes({ exported: 110, imported: 0, parent: hashOf(reading) });

describe("a manager's own verdict on a submission", () => {
  let world: LedgerWorld;

  beforeEach(async () => {
    world = await LedgerWorld.create();
    await world.extend({
      candidates: [submitted([reading]), submitted([bought], "participant-2"), submitted([sold])],
    });
    await world.extend({ candidates: [submitted([updated])] });
  });

  const later = startS + quarterS;
  const curable: readonly (readonly [string, Uint8Array])[] = [
    ["DOUBLE_SPEND", tradeBytes({ energy: 90 })],
    ["DOUBLE_SPEND", tradeBytes({ delivery: startS + 3_600 })],
    ["TRADE_REPEATED", tradeBytes({ id: "sold" })],
    ["INTERVAL_OVERLAP", readingBytes()],
    ["PARENT_UNKNOWN", readingBytes({ parent: hashOf(documentBytes()) })],
    ["PARENT_NOT_LATEST", readingBytes({ exported: 120, parent: hashOf(reading) })],
    ["EXPORT_BELOW_SOLD", readingBytes({ exported: 10, parent: hashOf(updated) })],
  ];
  for (const [reason, record] of curable) {
    test(`leaves to the block what another record may cure: ${reason}`, async () => {
      const submission = submitted([record]);
      const screened = accepted(await screenSubmission(submission, world.ports));
      assert.deepEqual(screened.accurate, submission.records);
      assert.deepEqual(screened.refused, []);
      const [parsed] = submission.records;
      assert.ok(parsed);
      assert.equal((await violationNow(submission, parsed, world.ports))?.reason, reason);
    });
  }

  const hopeless: readonly (readonly [string, Uint8Array])[] = [
    ["METER_UNKNOWN", readingBytes({ meter: "meter-9" })],
    ["METER_OWNER_MISMATCH", readingBytes({ meter: "meter-2", start: later })],
    ["ENERGY_ABOVE_RATING", readingBytes({ start: later, exported: 251 })],
    ["PRICE_OUT_OF_BOUNDS", tradeBytes({ price: 500_001 })],
    ["TRADE_SIGNATURE_INVALID", tradeBytes({ buyerKey: "participant-3" })],
    ["TRADE_PARTY_UNKNOWN", tradeBytes({ buyer: "nobody" })],
    ["TIME_IN_FUTURE", documentBytes({}, { timeUnixMs: BigInt(genesisMs + 60_000) })],
  ];
  for (const [reason, record] of hopeless) {
    test(`refuses at once what nothing cures: ${reason}`, async () => {
      const right = documentBytes();
      const submission = submitted([record, right]);
      const screened = accepted(await screenSubmission(submission, world.ports));
      assert.deepEqual(
        screened.refused.map(({ violation }) => violation.reason),
        [reason],
      );
      assert.deepEqual(
        screened.accurate.map(({ bytes }) => bytes),
        [right],
      );
    });
  }

  test("knows what is on the ledger, and counts it neither right nor wrong", async () => {
    const screened = accepted(await screenSubmission(submitted([reading, sold]), world.ports));
    const { onLedger, accurate, refused } = screened;
    assert.deepEqual([onLedger.length, accurate.length, refused.length], [2, 0, 0]);
  });

  test("finds a record right that stands on another of the same submission", async () => {
    const first = readingBytes({ start: later, exported: 50 });
    const second = readingBytes({ start: later, exported: 60, parent: hashOf(first) });
    const screened = accepted(await screenSubmission(submitted([first, second]), world.ports));
    assert.equal(screened.accurate.length, 2);
  });

  test("is the refusal of the whole when its signature is not its submitter's", async () => {
    const { message, ...submission } = submitted([documentBytes()]);
    const forged = { ...submission, message, signature: new Uint8Array(64).fill(1) };
    assert.equal(refusal(await screenSubmission(forged, world.ports)).reason, "SIGNATURE_INVALID");
    const stranger = submitted([documentBytes({}, { ownerId: "nobody" })], "nobody");
    const refused = refusal(await screenSubmission(stranger, world.ports));
    assert.equal(refused.reason, "PARTICIPANT_UNKNOWN");
  });

  test("holds a record's time against the ledger's when this clock is behind", async () => {
    world.wallMs = 0;
    const screened = accepted(await screenSubmission(submitted([documentBytes()]), world.ports));
    assert.equal(screened.accurate.length, 1);
  });
});
