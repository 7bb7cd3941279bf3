import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  deliverySlotOf,
  deliveryStartOf,
  isIntervalStart,
  windowSlotOf,
} from "../../../../src/ledger/kinds/market-grid.js";
import { hourS, quarterS, startS } from "../support/consortium.js";
import { Market } from "../support/market.js";
import { readingBytes, tradeBytes } from "../support/records.js";

const dayS = 86_400;
const startField = "meter_reading.interval_start_unix_s";
const unixS = (time: string) => Date.parse(time) / 1000;

describe("the grid of a market", () => {
  test("puts each time into the delivery interval that holds it", () => {
    const grid = { deliveryIntervalS: hourS, deliveryOffsetS: 1800 };
    for (const [at, start] of [
      ["2026-11-04T14:29:59Z", "2026-11-04T13:30:00Z"],
      ["2026-11-04T14:30:00Z", "2026-11-04T14:30:00Z"],
      ["2026-11-04T15:29:59Z", "2026-11-04T14:30:00Z"],
    ] as const) {
      assert.equal(deliveryStartOf(unixS(at), grid), unixS(start), at);
    }
  });

  test("has windows of 96 intervals, counted from the offset on", () => {
    const grid = { deliveryIntervalS: hourS, deliveryOffsetS: 1800 };
    for (const [at, intervalS, window, slot] of [
      [1800, hourS, 0, 0],
      [1800 + hourS - 1, hourS, 0, 0],
      [1800 + hourS, hourS, 0, 1],
      [1800 + 23 * hourS, hourS, 0, 23],
      [1800 + 96 * hourS, hourS, 1, 0],
      [1800 + 96 * hourS, quarterS, 4, 0],
      [1800 + 96 * hourS - 300, 300, 11, 95],
      [1800 + 100 * dayS, dayS, 1, 4],
      [0, hourS, 0, 0],
    ] as const) {
      assert.deepEqual(windowSlotOf(at, intervalS, grid), { window, slot }, `${at} ${intervalS}`);
      if (intervalS === hourS) assert.deepEqual(deliverySlotOf(at, grid), { window, slot });
    }
    const last = windowSlotOf(2 ** 42, 1, { deliveryIntervalS: 1, deliveryOffsetS: 0 });
    assert.deepEqual(last, { window: (2 ** 42 - 64) / 96, slot: 64 });
  });

  test("begins before 1970 with an interval that is none for records", () => {
    const grid = { deliveryIntervalS: hourS, deliveryOffsetS: 1800 };
    assert.equal(deliveryStartOf(0, grid), -1800);
    assert.equal(isIntervalStart(0, quarterS, grid), true);
    const market = new Market(grid, [
      { meterId: "m", ownerId: "participant-1", intervalS: quarterS },
    ]);
    const early = market.try(readingBytes({ meter: "m", start: quarterS, intervalS: quarterS }));
    assert.deepEqual([early?.reason, early?.field], ["INTERVAL_INVALID", startField]);
    const first = readingBytes({ meter: "m", start: 1800, intervalS: quarterS });
    assert.equal(market.try(first), undefined);
  });
});

describe("a market on its own clock", () => {
  // What its hours are called there, and how they begin in UTC.
  const zones = [
    ["Adelaide", "2024-07-05T00:00:00+09:30", 1800],
    ["India", "2024-07-05T00:00:00+05:30", 1800],
    ["Nepal", "2024-07-05T00:00:00+05:45", 900],
    ["Newfoundland", "2024-01-05T00:00:00-03:30", 1800],
    ["the Chatham Islands", "2024-07-05T00:00:00+12:45", 900],
    ["the Marquesas", "2024-07-05T00:00:00-09:30", 1800],
    ["Lisbon", "2024-01-05T00:00:00+00:00", 0],
  ] as const;
  for (const [place, midnight, deliveryOffsetS] of zones) {
    test(`reads and trades the local hours: ${place}`, () => {
      const grid = { deliveryIntervalS: hourS, deliveryOffsetS };
      const market = new Market(grid, [
        { meterId: "hourly", ownerId: "participant-1", intervalS: hourS },
        { meterId: "quarters", ownerId: "participant-2", intervalS: quarterS },
      ]);
      const from = unixS(midnight);
      for (let hour = 0; hour < 24; hour++) {
        const start = from + hour * hourS;
        const reading = { meter: "hourly", start, intervalS: hourS, exported: 100, imported: 0 };
        assert.equal(market.try(readingBytes(reading)), undefined, `hour ${hour}`);
        for (let quarter = 0; quarter < 4; quarter++) {
          const of = { owner: "participant-2", meter: "quarters", imported: 25, exported: 0 };
          const at = start + quarter * quarterS;
          assert.equal(market.try(readingBytes({ ...of, start: at })), undefined);
        }
        assert.equal(market.try(tradeBytes({ delivery: start, energy: 100 })), undefined);
        const more = market.try(tradeBytes({ delivery: start, energy: 1 }));
        assert.equal(more?.reason, "DOUBLE_SPEND");
      }
    });
  }

  test("may read days that all begin at one time of UTC's", () => {
    const midnight = unixS("2023-11-05T00:00:00+09:30");
    const grid = { deliveryIntervalS: dayS, deliveryOffsetS: midnight % dayS };
    const market = new Market(grid, [{ meterId: "m", ownerId: "participant-1", intervalS: dayS }]);
    const reading = (start: number, intervalS = dayS) =>
      readingBytes({ meter: "m", start, intervalS, timeMs: (start + 2 * dayS) * 1000 });
    for (let day = 0; day < 3; day++) {
      assert.equal(market.try(reading(midnight + day * dayS)), undefined);
    }
    // The days on which clocks change.
    for (const intervalS of [dayS - hourS, dayS + hourS]) {
      const changed = market.try(reading(midnight + 3 * dayS, intervalS));
      assert.deepEqual(
        [changed?.reason, changed?.field],
        ["INTERVAL_INVALID", "meter_reading.interval_s"],
      );
    }
  });
});

describe("what is off the grid", () => {
  const hourly = (deliveryOffsetS: number) =>
    new Market({ deliveryIntervalS: hourS, deliveryOffsetS }, [
      { meterId: "m", ownerId: "participant-1", intervalS: hourS },
    ]);
  const reading = (start: number) => readingBytes({ meter: "m", start, intervalS: hourS });

  test("is told where intervals start", () => {
    const refused = hourly(0).try(reading(startS + 1800));
    assert.deepEqual([refused?.reason, refused?.field], ["INTERVAL_INVALID", startField]);
    assert.equal(
      refused?.message,
      "Intervals of 3600 s start at 2024-10-04T00:00:00Z and 2024-10-04T01:00:00Z, " +
        "not at 2024-10-04T00:30:00Z (the policy's delivery_offset_s is 0).",
    );
    const other = hourly(1800).try(reading(startS));
    assert.equal(
      other?.message,
      "Intervals of 3600 s start at 2024-10-03T23:30:00Z and 2024-10-04T00:30:00Z, " +
        "not at 2024-10-04T00:00:00Z (the policy's delivery_offset_s is 1800).",
    );
  });

  test("is told so of a trade, too", () => {
    const refused = hourly(1800).try(tradeBytes({ delivery: startS }));
    const field = "energy_trade.terms.delivery_start_unix_s";
    assert.deepEqual([refused?.reason, refused?.field], ["INTERVAL_INVALID", field]);
    assert.match(
      refused?.message ?? "",
      /T23:30:00Z and 2024-10-04T00:30:00Z, not at .*T00:00:00Z/,
    );
  });

  test("is never beside what is on it: two readings of a meter do not overlap", () => {
    for (const deliveryOffsetS of [0, 1800]) {
      const market = hourly(deliveryOffsetS);
      assert.equal(market.try(reading(startS + deliveryOffsetS)), undefined);
      for (let away = -3300; away < hourS; away += 300) {
        const overlapping = market.try(reading(startS + deliveryOffsetS + away));
        const reason = away === 0 ? "INTERVAL_OVERLAP" : "INTERVAL_INVALID";
        assert.equal(overlapping?.reason, reason, `${away} s away`);
      }
    }
  });
});
