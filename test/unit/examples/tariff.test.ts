import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CommunityDay } from "../../../examples/energy-community/community/community-days.js";
import { TariffPrices } from "../../../examples/energy-community/settlement/tariff.js";
import { parseTariff } from "../../../src/settlement/tariff.js";

const hourS = 3600;
const startS = Date.UTC(2016, 7, 1, 7) / 1000;

/** Hours, counted from the first one of the data, with their prices in micro-USD. */
function dayOf(prices: readonly (readonly [hour: number, price: bigint])[]): CommunityDay {
  const hours = prices.map(([hour, priceMicroPerKwh]) => {
    return { startS: startS + hour * hourS, priceMicroPerKwh, readings: [], trades: [] };
  });
  return { profiles: [], hours };
}

function tariffOf(...days: readonly CommunityDay[]) {
  const prices = new TariffPrices();
  for (const day of days) prices.add(day);
  const parsed = parseTariff(prices.document());
  assert.ok(parsed.ok, parsed.ok ? "" : parsed.error);
  return { tariff: parsed.value, period: prices.period, bytes: prices.document().length };
}

describe("the community's tariff", () => {
  test("has the price of each hour, and none where the data have no hour", () => {
    const first = dayOf([
      [0, 220_000n],
      [1, 540_000n],
    ]);
    const { tariff, period } = tariffOf(first, dayOf([[4, 210_000n]]));
    assert.deepEqual(tariff.from_grid, {
      kind: "series",
      start: startS,
      interval_s: hourS,
      prices: [220_000n, 540_000n, null, null, 210_000n],
    });
    assert.deepEqual(period, { fromS: startS, toS: startS + 5 * hourS });
    assert.deepEqual(tariff.to_grid, { kind: "flat", price: 50_000n });
    assert.deepEqual([tariff.currency, tariff.minor_unit_digits], ["USD", 2]);
  });

  test("ends after a year, or where a record would be too long", () => {
    const years = (price: bigint) =>
      Array.from({ length: 800 }, (_, day) =>
        dayOf(Array.from({ length: 24 }, (_, hour) => [24 * day + hour, price])),
      );
    const { period } = tariffOf(...years(90_000n));
    assert.equal(period.toS - period.fromS, 365 * 24 * hourS);
    const dear = tariffOf(...years(20_000_000n));
    const hours = (dear.period.toS - dear.period.fromS) / hourS;
    assert.ok(hours > 200 * 24 && dear.bytes < 64 * 1024 - 500, `${hours} ${dear.bytes}`);
  });
});
