import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RowProblem } from "../../../../../src/cli/sending/row-problem.js";
import { Cells, decimal, wholeNumber } from "../../../../../src/cli/submit/input/cell-values.js";
import type { TimeOptions } from "../../../../../src/cli/text/time-text.js";
import { timeZoneOf } from "../../../../../src/energy-files/time-zone.js";

const time: TimeOptions = { nowMs: Date.UTC(2026, 10, 28) };

const cells = (fields: Readonly<Record<string, string | readonly string[]>>, options = time) => {
  const sources = Object.entries(fields).map(([field, texts]) => {
    const each = [texts].flat();
    return [field, each.map((text) => ({ column: `C ${field}`, text }))] as const;
  });
  return new Cells(new Map(sources), options, ["start", "end"]);
};

describe("the cells of a row", () => {
  for (const [text, places, value] of [
    ["0", 0, 0n],
    ["12", 0, 12n],
    ["+12", 3, 12_000n],
    ["-0.5", 6, -500_000n],
    ["1.250", 3, 1250n],
    ["1.2500", 3, 1250n],
    ["0.0001", 3, undefined],
    ["1.5", 0, undefined],
    ["1.0", 0, 1n],
    ["1e3", 0, undefined],
    ["1,5", 3, undefined],
    ["1,234", 3, undefined],
    ["1'234", 3, undefined],
    ["1.234.567", 3, undefined],
    ["0.412 kWh", 3, undefined],
    ["", 0, undefined],
    [" 1", 0, undefined],
    ["0x10", 0, undefined],
    ["NaN", 0, undefined],
    ["NA", 0, undefined],
    ["-", 0, undefined],
    ["−1", 0, undefined],
    ["9".repeat(19), 0, undefined],
  ] as const) {
    test(`${JSON.stringify(text)} with ${places} places is ${value}`, () => {
      assert.equal(decimal(text, places), value);
    });
  }

  test("a whole number with three zeros behind a point may be thousands, and is refused", () => {
    assert.equal(wholeNumber("412.0"), 412n);
    assert.equal(wholeNumber("1.000"), undefined);
    assert.equal(decimal("1.000", 3), 1000n);
  });

  test("an energy is read from Wh or kWh, whichever there is", () => {
    assert.equal(cells({ imported_wh: "7" }).energyWh("imported"), 7n);
    assert.equal(cells({ imported_kwh: "0.007" }).energyWh("imported"), 7n);
    assert.equal(cells({ imported_wh: "", imported_kwh: "1" }).energyWh("imported"), 1000n);
    assert.equal(cells({ imported_wh: "1000", imported_kwh: "1" }).energyWh("imported"), 1000n);
  });

  test("columns of one field are added up, and none of them may be empty", () => {
    assert.equal(cells({ imported_kwh: ["0.210", "0.1"] }).energyWh("imported"), 310n);
    assert.throws(() => cells({ imported_kwh: ["0.210", ""] }).energyWh("imported"), /is empty/);
    assert.deepEqual(cells({ x_kwh: ["2", "1"] }).identity, cells({ x_kwh: ["1", "2"] }).identity);
  });

  const problems: readonly (readonly [string, (of: Cells) => unknown, RegExp, string])[] = [
    ["-1", (of) => of.energyWh("x"), /"-1" is not a whole number of Wh, 0 or more/, "x_wh"],
    ["", (of) => of.energyWh("x"), /is empty, expected a whole number of Wh/, "x_wh"],
    ["", (of) => of.energyWh("x"), /is empty, expected kWh with/, "x_kwh"],
    ["1,5", (of) => of.energyWh("x"), /"1,5" is not kWh .*; use a decimal point$/, "x_kwh"],
    ["1,234", (of) => of.energyWh("x"), /without separators between thousands/, "x_kwh"],
    ["1.000", (of) => of.energyWh("x"), /without separators between thousands/, "x_wh"],
    ["0.4 kWh", (of) => of.energyWh("x"), /"0.4 kWh" is not kWh .*; leave the unit out/, "x_kwh"],
    ["NA", (of) => of.energyWh("x"), /"NA" is not kWh with at most three decimal places/, "x_kwh"],
    ["Home 1", (of) => of.id("x"), /"Home 1" is not an id/, "x"],
    ["DE*1", (of) => of.id("x"), /"DE\*1" is not an id of a-z, 0-9 and -/, "x"],
    ["Home 1", (of) => of.deviceId("x"), /"Home 1" is not an id of 1 to 63 characters/, "x"],
    ["'0541", (of) => of.deviceId("x"), /"'0541" is not an id/, "x"],
    ["5.41449E+17", (of) => of.deviceId("x"), /a spreadsheet has rounded; format the .+ text/, "x"],
    ["5E+17", (of) => of.deviceId("x"), /a spreadsheet has rounded/, "x"],
    ["", (of) => of.idOr("x", "home-1"), /is empty, expected an id/, "x"],
    ["2024-07-01T01:00", (of) => of.timeS("x"), /is not a time; it has no time zone/, "x"],
    ["20261101", (of) => of.timeMs("x"), /"20261101" is not a time; 8 digits look like/, "x"],
    ["2024-07-01T01:00:00.5Z", (of) => of.timeS("x"), /is not a time; expected whole sec/, "x"],
    ["2024-07-01T01:00:00.0000001Z", (of) => of.timeS("x"), /expected whole seconds/, "x"],
    ["0", (of) => of.seconds("x"), /1 or more/, "x"],
    ["abc", (of) => of.bytes("x", 32), /64 hex digits/, "x"],
    ["abc", (of) => of.bytes("x"), /hex digits/, "x"],
    [`1${"0".repeat(100)}`, (of) => of.seconds("x"), /"10{39}…" is not/, "x"],
  ];
  for (const [text, read, message, field] of problems) {
    test(`${JSON.stringify(text.slice(0, 30))} in ${field} is a problem of its column`, () => {
      assert.throws(
        () => read(cells({ [field]: text })),
        (error) => {
          assert.ok(error instanceof RowProblem);
          assert.match(error.message, message);
          assert.equal(error.column, `C ${field}`);
          assert.match(error.at("f.csv", 17), /^f\.csv:17: column C x/);
          return true;
        },
      );
    });
  }

  for (const id of ["DE*ABC*E1", "000541448820070000", "61028E7", "meter-1"]) {
    test(`${id} is read as it is, as a meter or station`, () => {
      assert.equal(cells({ meter: id }).deviceId("meter"), id);
    });
  }

  test("two units that contradict each other are a problem, in energies and prices", () => {
    const row = cells({ x_wh: "1", x_kwh: "0.5", price_micro_per_kwh: "1", price_per_kwh: "1" });
    const contradicts = (column: string) => ({ name: "RowProblem", column, message: /else than/ });
    assert.throws(() => row.energyWh("x"), contradicts("C x_kwh"));
    assert.throws(() => row.priceMicroPerKwh(), contradicts("C price_per_kwh"));
  });

  test("a price is read in millionths or in units, exactly, and may be negative", () => {
    assert.equal(cells({ price_micro_per_kwh: "-5" }).priceMicroPerKwh(), -5n);
    assert.equal(cells({ price_per_kwh: "0.123456" }).priceMicroPerKwh(), 123_456n);
    assert.throws(() => cells({ price_per_kwh: "0.1234567" }).priceMicroPerKwh(), /six decimal/);
  });

  test("what makes a row this row does not depend on columns' order or names", () => {
    const one = cells({ b: "2", a: "1", empty: "" });
    assert.deepEqual(one.identity, [
      ["a", "1"],
      ["b", "2"],
    ]);
  });

  test("a local time makes another row in another zone, a time with an offset does not", () => {
    const inZone = (text: string, zone: string) =>
      cells({ start: text }, { ...time, zone: timeZoneOf(zone) }).identity;
    const local = "2026-07-01 12:00";
    assert.notDeepEqual(inZone(local, "Europe/Berlin"), inZone(local, "Europe/London"));
    assert.deepEqual(inZone("2026-07-01T12:00Z", "Europe/Berlin"), [
      ["start", "2026-07-01T12:00Z"],
    ]);
  });
});
