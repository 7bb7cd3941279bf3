import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { localClock } from "../../../src/settlement/local-clock.js";
import { pricesOf } from "../../../src/settlement/prices.js";
import type { Pricing } from "../../../src/settlement/tariff.js";

const secondsOf = (text: string) => Date.parse(text) / 1000;
const clockOf = (zone: string) => localClock(zone) ?? assert.fail(zone);
const hours = { deliveryIntervalS: 3600, deliveryOffsetS: 0 };
const day = (text: string) => secondsOf(`${text}T00:00Z`) / 86_400;

describe("a local clock", () => {
  const cases: readonly (readonly [zone: string, at: string, local: readonly [string, number]])[] =
    [
      ["UTC", "2026-03-29T01:00Z", ["2026-03-29", 60]],
      // Clocks go from 02:00 to 03:00, and back from 03:00 to 02:00.
      ["Europe/Berlin", "2026-03-29T00:30Z", ["2026-03-29", 90]],
      ["Europe/Berlin", "2026-03-29T01:00Z", ["2026-03-29", 180]],
      ["Europe/Berlin", "2026-10-25T00:30Z", ["2026-10-25", 150]],
      ["Europe/Berlin", "2026-10-25T01:30Z", ["2026-10-25", 150]],
      ["America/Los_Angeles", "2026-01-01T07:59Z", ["2025-12-31", 1439]],
      ["America/Los_Angeles", "2026-07-01T07:00Z", ["2026-07-01", 0]],
      // Clocks change by half an hour there.
      ["Australia/Lord_Howe", "2026-04-04T15:00Z", ["2026-04-05", 90]],
      ["Asia/Kathmandu", "2026-01-01T00:00Z", ["2026-01-01", 345]],
    ];
  for (const [zone, at, [date, minute]] of cases) {
    test(`shows minute ${minute} of ${date} in ${zone} at ${at}`, () => {
      const local = clockOf(zone)(secondsOf(at));
      assert.deepEqual([local.day, local.minute], [day(date), minute]);
    });
  }
  test("knows weekdays, before 1970 too", () => {
    const clock = clockOf("UTC");
    const days = ["1970-01-01", "2026-11-29", "1969-12-31"].map((text) => day(text) * 86_400);
    assert.deepEqual(
      days.map((unixS) => clock(unixS).weekday),
      [4, 0, 3],
    );
  });
});

describe("prices by time of use", () => {
  const pricing: Pricing = {
    kind: "time_of_use",
    periods: [
      { days: [0, 6], from: 0, to: 1440, price: 1n },
      { from: 120, to: 180, price: 2n },
      { from: 0, to: 180, price: 3n },
    ],
    otherwise: 4n,
  };
  const prices = pricesOf(pricing, clockOf("Europe/Berlin"), hours);
  const at = (text: string) => prices.ok && prices.value.at(secondsOf(text));

  test("are those of the first period that the local start lies in", () => {
    // A Monday: 00:00 is 23:00 in UTC.
    assert.deepEqual(
      ["2026-11-22T22:00Z", "2026-11-22T23:00Z", "2026-11-23T01:00Z", "2026-11-23T02:00Z"].map(at),
      [1n, 3n, 2n, 4n],
    );
  });
  test("follow the clocks when they change, on a weekday as on any other day", () => {
    const weekdays: Pricing = { ...pricing, periods: pricing.periods.slice(1) };
    const made = pricesOf(weekdays, clockOf("Europe/Berlin"), hours);
    const of = (text: string) => made.ok && made.value.at(secondsOf(text));
    // There is no 02:00 on 29 March, and two of them on 25 October.
    assert.deepEqual(["2026-03-29T00:00Z", "2026-03-29T01:00Z"].map(of), [3n, 4n]);
    assert.deepEqual(
      ["2026-10-24T23:00Z", "2026-10-25T00:00Z", "2026-10-25T01:00Z", "2026-10-25T02:00Z"].map(of),
      [3n, 2n, 2n, 4n],
    );
  });
});

describe("prices of a series", () => {
  const start = secondsOf("2026-01-01T00:00Z");
  const utc = clockOf("UTC");
  const seriesOf = (
    intervalS: number,
    prices: readonly (bigint | null)[],
    from = start,
  ): Pricing => ({
    kind: "series",
    start: from,
    interval_s: intervalS,
    prices: [...prices],
  });
  const valuesOf = (
    pricing: Pricing,
    grid: { deliveryIntervalS: number; deliveryOffsetS: number },
  ) => {
    const made = pricesOf(pricing, utc, grid);
    assert.ok(made.ok);
    const { at, per } = made.value;
    const starts = [-1, 0, 1, 2].map((i) => start + i * grid.deliveryIntervalS);
    return { per, values: starts.map(at) };
  };

  test("of the market's intervals are taken as they are, and end where they end", () => {
    assert.deepEqual(valuesOf(seriesOf(3600, [5n, -7n]), hours), {
      per: 1n,
      values: [undefined, 5n, -7n, undefined],
    });
  });
  test("of shorter intervals are their mean, and none where one is missing", () => {
    const fives = [...Array.from({ length: 12 }, (_, i) => BigInt(i - 8)), ...Array(11).fill(1n)];
    assert.deepEqual(valuesOf(seriesOf(300, [...fives, null]), hours), {
      per: 12n,
      values: [undefined, -30n, undefined, undefined],
    });
  });
  test("of longer intervals hold for all that lies in them", () => {
    const quarters = { deliveryIntervalS: 900, deliveryOffsetS: 0 };
    assert.deepEqual(valuesOf(seriesOf(1800, [5n, null]), quarters), {
      per: 1n,
      values: [undefined, 5n, 5n, undefined],
    });
  });
  test("are refused where their intervals cut those of the market", () => {
    const odd = pricesOf(seriesOf(2400, [1n]), utc, hours);
    assert.match(
      odd.ok ? "" : odd.error,
      /interval_s 2400 does not fit delivery intervals of 3600/,
    );
    const shifted = pricesOf(seriesOf(3600, [1n], start + 900), utc, hours);
    assert.match(shifted.ok ? "" : shifted.error, /starts at 2026-01-01T00:15:00Z, within one/);
  });
});
