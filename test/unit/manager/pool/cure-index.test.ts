import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { RuleReason } from "../../../../src/ledger/violation.js";
import { CureIndex } from "../../../../src/manager/pool/cure-index.js";
import { quarterS, startS } from "../../ledger/support/consortium.js";
import {
  documentBytes,
  hashOf,
  parsed,
  profileBytes,
  readingBytes,
  tradeBytes,
} from "../../ledger/support/records.js";

const parent = documentBytes();
const child = documentBytes({}, { parent: hashOf(parent) });
const measured = readingBytes();
const boughtBy = readingBytes({ owner: "participant-2", meter: "meter-2" });
const elsewhere = readingBytes({ start: startS + 3_600 });
const update = readingBytes({ exported: 10, parent: hashOf(measured) });
const sale = tradeBytes();
const smallerSale = tradeBytes({ id: "less", energy: 1, parent: hashOf(sale) });
const nextQuarter = readingBytes({ start: startS + quarterS });

const profile = profileBytes();
const nextDay = profileBytes({ start: startS + 86_400 });
const otherHour = profileBytes({ start: startS + 3_600 * 23, values: Array(8).fill([1, 1]) });
const lower = profileBytes({ values: [[1, 1]], parent: hashOf(measured) });
const lowerDay = profileBytes({ values: Array(96).fill([1, 1]), parent: hashOf(measured) });
const saleLater = tradeBytes({ delivery: startS + 3_600 });

type Case = readonly [
  what: string,
  pending: Uint8Array,
  broken: Uint8Array,
  reason: RuleReason,
  /** Whether it keeps a record that waits. */
  cures: boolean,
  /** Whether it has a record tried that comes. */
  mightCure: boolean,
];

const cases: readonly Case[] = [
  ["a parent", parent, child, "PARENT_UNKNOWN", true, true],
  ["another parent", documentBytes(), child, "PARENT_UNKNOWN", false, false],
  ["the seller's reading", measured, sale, "DOUBLE_SPEND", true, true],
  ["the buyer's reading", boughtBy, sale, "OVER_PURCHASE", true, true],
  ["the buyer's reading, where the seller's lacks", boughtBy, sale, "DOUBLE_SPEND", false, false],
  ["a reading of another time", elsewhere, sale, "DOUBLE_SPEND", false, false],
  ["a smaller version of a sale", smallerSale, tradeBytes(), "DOUBLE_SPEND", false, true],
  ["another sale", tradeBytes({ id: "more" }), sale, "DOUBLE_SPEND", false, false],
  ["another quarter's reading", nextQuarter, update, "EXPORT_BELOW_SOLD", false, true],
  ["a smaller version of a sale", smallerSale, update, "EXPORT_BELOW_SOLD", false, true],
  ["the buyer's reading", boughtBy, update, "IMPORT_BELOW_BOUGHT", false, false],
  ["a sale", tradeBytes({ id: "more" }), update, "EXPORT_BELOW_SOLD", false, false],
  ["the seller's profile of an hour", profile, sale, "DOUBLE_SPEND", true, true],
  ["the same, and a sale of the next", profile, saleLater, "DOUBLE_SPEND", false, false],
  ["the seller's profile of that day", otherHour, sale, "DOUBLE_SPEND", true, true],
  ["the seller's profile of two days", otherHour, saleLater, "DOUBLE_SPEND", true, true],
  ["the seller's profile of the next day", nextDay, sale, "DOUBLE_SPEND", false, false],
  ["another reading, and a profile", nextQuarter, lower, "EXPORT_BELOW_SOLD", false, true],
  ["another reading, and a day's profile", elsewhere, lowerDay, "EXPORT_BELOW_SOLD", false, true],
  ["a profile of the day, and one", otherHour, lowerDay, "IMPORT_BELOW_BOUGHT", false, true],
  ["a smaller sale, and a profile", smallerSale, lowerDay, "EXPORT_BELOW_SOLD", false, true],
];

describe("what pending records may cure", () => {
  for (const [what, pending, broken, reason, cures, mightCure] of cases) {
    test(`${what} and ${reason}: ${mightCure ? (cures ? "yes" : "perhaps") : "no"}`, () => {
      const index = new CureIndex();
      const [record, cure] = [parsed(broken), parsed(pending)];
      index.add(cure);
      assert.deepEqual(
        [index.cures(record, reason), index.mightCure(record, reason)],
        [cures, mightCure],
      );
      index.remove(cure);
      assert.equal(index.mightCure(record, reason), false, "gone with what cured it");
    });
  }

  test("one of two readings that leaves does not take the other with it", () => {
    const index = new CureIndex();
    const [one, other, trade] = [parsed(measured), parsed(nextQuarter), parsed(sale)];
    for (const each of [one, other]) index.add(each);
    index.remove(one);
    assert.ok(index.cures(trade, "DOUBLE_SPEND"));
    index.remove(other);
    assert.ok(!index.cures(trade, "DOUBLE_SPEND"));
  });
});
