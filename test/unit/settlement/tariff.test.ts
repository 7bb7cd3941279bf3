import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { utf8 } from "../../../src/base/bytes.js";
import { parseTariff } from "../../../src/settlement/tariff.js";

const flat = (price: unknown) => ({ kind: "flat", price });
const right = {
  currency: "EUR",
  minor_unit_digits: 2,
  zone: "Europe/Berlin",
  from_grid: flat("0.285"),
  to_grid: flat(-20_000),
};
const series = {
  kind: "series",
  start: "2026-01-01T00:00:00Z",
  interval_s: 3600,
  prices: [1, null],
};
const use = {
  kind: "time_of_use",
  periods: [{ days: ["mon"], from: "06:00", to: "22:00", price: "0.3" }],
  otherwise: "0.2",
};

const parse = (value: unknown) => parseTariff(utf8(JSON.stringify(value)));

describe("a tariff", () => {
  test("is read, with prices in millionths", () => {
    const tariff = parse(right);
    assert.ok(tariff.ok);
    assert.deepEqual(tariff.value.from_grid, flat(285_000n));
    assert.deepEqual(tariff.value.to_grid, flat(-20_000n));
  });
  test("counts in UTC unless it says otherwise", () => {
    const { zone, ...rest } = right;
    const tariff = parse(rest);
    assert.equal(tariff.ok && tariff.value.zone, "UTC");
  });
  test("may have prices by time of use and by series", () => {
    const tariff = parse({ ...right, from_grid: use, to_grid: series });
    assert.ok(tariff.ok && tariff.value.to_grid.kind === "series");
    assert.deepEqual(tariff.value.to_grid.prices, [1n, null]);
    assert.equal(tariff.value.to_grid.start, Date.UTC(2026, 0, 1) / 1000);
    assert.deepEqual(tariff.value.from_grid, {
      kind: "time_of_use",
      periods: [{ days: [1], from: 360, to: 1320, price: 300_000n }],
      otherwise: 200_000n,
    });
  });

  const wrong: readonly (readonly [what: string, value: unknown, said: RegExp])[] = [
    ["no object", [], /expected object/],
    ["an unknown field", { ...right, surcharge: 1 }, /surcharge/],
    ["another currency", { ...right, currency: "eur" }, /^currency: three capitals/],
    ["too many digits", { ...right, minor_unit_digits: 7 }, /^minor_unit_digits: /],
    ["an unknown zone", { ...right, zone: "Mars/Base" }, /^zone: a name of the IANA/],
    ["an abbreviated zone", { ...right, zone: "EST" }, /^zone: a name of the IANA/],
    ["an unknown kind", { ...right, to_grid: { kind: "free" } }, /^to_grid\.kind: kind is "flat"/],
    ["a fraction of a millionth", { ...right, to_grid: flat("0.1234567") }, /^to_grid\.price: a/],
    ["a price that is no whole number", { ...right, to_grid: flat(0.5) }, /^to_grid\.price: a/],
    ["a decimal comma", { ...right, to_grid: flat("0,5") }, /^to_grid\.price: a price is per kWh/],
    [
      "a price of another type",
      { ...right, to_grid: flat(true) },
      /^to_grid\.price: a price is per kWh/,
    ],
    ["a price without bounds", { ...right, to_grid: flat("1000001") }, /at most a million/],
    [
      "a period over midnight",
      { ...right, to_grid: { ...use, periods: [{ from: "22:00", to: "06:00", price: 1 }] } },
      /^to_grid\.periods\[0\]: a period ends after it begins/,
    ],
    [
      "no time of day",
      { ...right, to_grid: { ...use, periods: [{ from: "7:00", to: "24:30", price: 1 }] } },
      /^to_grid\.periods\[0\]\.from: a time of day/,
    ],
    [
      "no day",
      {
        ...right,
        to_grid: { ...use, periods: [{ days: ["Monday"], from: "07:00", to: "08:00", price: 1 }] },
      },
      /^to_grid\.periods\[0\]\.days\[0\]: a day is one of/,
    ],
    [
      "a start without a zone",
      { ...right, to_grid: { ...series, start: "2026-01-01T00:00:00" } },
      /^to_grid\.start: start is ISO 8601/,
    ],
    [
      "a wrong price in a series",
      { ...right, to_grid: { ...series, prices: ["0.1", null, "x"] } },
      /^to_grid\.prices\[2\]: a price is per kWh/,
    ],
    ["no prices", { ...right, to_grid: { ...series, prices: [] } }, /^to_grid\.prices: /],
  ];
  for (const [what, value, said] of wrong) {
    test(`is refused with ${what}, and the place is named`, () => {
      const tariff = parse(value);
      assert.ok(!tariff.ok);
      assert.match(tariff.error, said);
    });
  }
  test("is refused when it is no JSON or no UTF-8", () => {
    const [text, bytes] = [parseTariff(utf8("{")), parseTariff(Uint8Array.of(0xff))];
    assert.match(text.ok ? "" : text.error, /^it is not JSON/);
    assert.equal(bytes.ok ? "" : bytes.error, "it is not UTF-8");
  });
});
