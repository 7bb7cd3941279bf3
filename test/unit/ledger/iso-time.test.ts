import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isoTimeOfMs, isoTimeOfS } from "../../../src/ledger/iso-time.js";

const isoOf = (ms: number) => new Date(ms).toISOString().replace(".000Z", "Z");

describe("times in messages", () => {
  test("are those of Date on every day of 800 years around the epoch", () => {
    for (let day = -146_097; day <= 146_097; day += 1) {
      const s = day * 86_400 + ((Math.abs(day) * 7919) % 86_400);
      assert.equal(isoTimeOfS(s), isoOf(s * 1000));
    }
  });

  for (const ms of [
    ...[0, 1, 999, 1000, -1, 951_782_399_999, 951_782_400_000, 951_868_800_000],
    ...[1_719_795_600_250, 1_822_888_800_000, 253_402_300_799_999, 253_402_300_800_000],
    ...[-62_167_219_200_000, -62_167_219_200_001, 8_640_000_000_000_000, -8_640_000_000_000_000],
  ]) {
    test(`are those of Date at ${ms} ms`, () => assert.equal(isoTimeOfMs(ms), isoOf(ms)));
  }

  test("go on where Date ends", () => {
    assert.equal(isoTimeOfMs(Number.MAX_SAFE_INTEGER), "+287396-10-12T08:59:00.991Z");
    assert.match(isoTimeOfS(Number.MAX_SAFE_INTEGER), /^\+\d{9}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });
});
