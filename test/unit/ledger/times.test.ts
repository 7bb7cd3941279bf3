import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isoTimeOfMs, isoTimeOfS } from "../../../src/ledger/times.js";

describe("times in messages", () => {
  for (const [ms, text] of [
    [0, "1970-01-01T00:00:00Z"],
    [-1, "1969-12-31T23:59:59.999Z"],
    [951_782_400_000, "2000-02-29T00:00:00Z"],
    [1_719_795_600_250, "2024-07-01T01:00:00.250Z"],
    [253_402_300_800_000, "+010000-01-01T00:00:00Z"],
    [-62_167_219_200_001, "-000001-12-31T23:59:59.999Z"],
    [8_640_000_000_000_000, "+275760-09-13T00:00:00Z"],
    [8_640_000_000_000_001, "8640000000000001 ms after 1970"],
    [Number.NaN, "NaN ms after 1970"],
    [Number.MAX_SAFE_INTEGER, "9007199254740991 ms after 1970"],
  ] as const) {
    test(`are ${text} at ${ms} ms`, () => assert.equal(isoTimeOfMs(ms), text));
  }

  test("are the same of seconds", () => {
    assert.equal(isoTimeOfS(1_719_795_600), "2024-07-01T01:00:00Z");
    assert.equal(isoTimeOfS(2 ** 53), "9007199254740992000 ms after 1970");
  });
});
