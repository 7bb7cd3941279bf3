import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { energyOf } from "../../../../src/energy-files/csv/cell-number.js";
import { cellTime, exampleOf, timeFormats } from "../../../../src/energy-files/csv/cell-time.js";

describe("numbers of cells", () => {
  test("units are exact, power over its interval", () => {
    const third = { amount: 1n, per: 3n };
    assert.deepEqual(energyOf(third, "MWh", 900), { amount: 1_000_000n, perWh: 3n });
    assert.deepEqual(energyOf(third, "kW", 900), { amount: 900_000n, perWh: 10_800n });
  });
});

describe("times of cells", () => {
  for (const format of timeFormats.filter((each) => each !== "count")) {
    test(`${format}: the example reads as itself`, () => {
      const read = cellTime(exampleOf(format), format);
      assert.ok(read.ok);
      assert.equal(new Date(read.value.localMs).toISOString(), "2026-12-31T23:45:00.000Z");
    });
  }

  for (const [text, format, expected] of [
    ["2/1/2026 1:05 PM", "mm/dd/yyyy", "2026-02-01T13:05"],
    ["2/1/2026 12:05 am", "dd/mm/yyyy", "2026-01-02T00:05"],
    ["31.12.2026 24:00", "dd.mm.yyyy", "2027-01-01T00:00"],
    ["202612312345", "yyyymmdd", "2026-12-31T23:45"],
    ["2026-12-31T23:45:00.000", "iso", "2026-12-31T23:45"],
    ["2026-12-31T23:45+01:00", "iso", "2026-12-31T22:45"],
    ["31.12.2026", "dd.mm.yyyy", "2026-12-31T00:00"],
  ] as const) {
    test(`${text} is ${expected}`, () => {
      const read = cellTime(text, format);
      assert.ok(read.ok);
      assert.equal(new Date(read.value.localMs).toISOString().slice(0, 16), expected);
      assert.equal(read.value.isUnix, text.includes("+"));
    });
  }

  test("what is no time of the format is refused", () => {
    for (const [text, format] of [
      ["29.02.2026 00:00", "dd.mm.yyyy"],
      ["31.12.2026 24:15", "dd.mm.yyyy"],
      ["31.12.2026 13:00 PM", "dd.mm.yyyy"],
      ["31.12.26 10:00", "dd.mm.yyyy"],
      ["12/31/2026 10:00", "dd/mm/yyyy"],
      ["46327", "unix-s"],
      ["1798757100500", "unix-ms"],
      ["2026-12-31T23:45:30.5", "iso"],
      ["2026-12-31T23:45+99:00", "iso"],
    ] as const) {
      assert.ok(!cellTime(text, format).ok, text);
    }
  });
});
