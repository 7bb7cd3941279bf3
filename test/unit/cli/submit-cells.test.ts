import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { timeMsOf } from "../../../src/cli/client-session.js";
import { Cells, scaled } from "../../../src/cli/submit/cells.js";
import { RowProblem } from "../../../src/cli/submit/row-problem.js";

const cells = (fields: Readonly<Record<string, string>>) =>
  new Cells(
    new Map(Object.entries(fields).map(([field, text]) => [field, { column: `C ${field}`, text }])),
  );

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
    ["", 0, undefined],
    [" 1", 0, undefined],
    ["0x10", 0, undefined],
    ["NaN", 0, undefined],
    ["9".repeat(19), 0, undefined],
  ] as const) {
    test(`${JSON.stringify(text)} with ${places} places is ${value}`, () => {
      assert.equal(scaled(text, places), value);
    });
  }

  for (const [text, ms] of [
    ["1719795600", 1_719_795_600_000],
    ["2024-07-01", Date.UTC(2024, 6, 1)],
    ["2024-07-01T01:00Z", Date.UTC(2024, 6, 1, 1)],
    ["2024-07-01 01:00:00Z", Date.UTC(2024, 6, 1, 1)],
    ["2024-07-01T01:00:00.250+02:00", Date.UTC(2024, 5, 30, 23) + 250],
    ["2024-07-01T01:00:00", undefined],
    ["2024-02-30", undefined],
    ["2024-13-01", undefined],
    ["2023-02-29T00:00Z", undefined],
    ["1.7.2024", undefined],
    ["yesterday", undefined],
    ["-5", undefined],
  ] as const) {
    test(`the time ${text} is ${ms}`, () => assert.equal(timeMsOf(text), ms));
  }

  test("an energy is read from Wh or kWh, whichever there is", () => {
    assert.equal(cells({ imported_wh: "7" }).energyWh("imported"), 7n);
    assert.equal(cells({ imported_kwh: "0.007" }).energyWh("imported"), 7n);
    assert.equal(cells({ imported_wh: "", imported_kwh: "1" }).energyWh("imported"), 1000n);
  });

  const problems: readonly (readonly [string, (of: Cells) => unknown, RegExp, string])[] = [
    ["-1", (of) => of.energyWh("x"), /"-1" is not a whole number of Wh, 0 or more/, "x_wh"],
    ["", (of) => of.energyWh("x"), /is empty, expected a whole number of Wh/, "x_wh"],
    ["", (of) => of.energyWh("x"), /is empty, expected kWh with/, "x_kwh"],
    ["1,5", (of) => of.energyWh("x"), /"1,5" is not kWh .*; use a decimal point$/, "x_kwh"],
    ["1,5", (of) => of.energyWh("x"), /"1,5" is not a whole number of Wh, 0 or more$/, "x_wh"],
    ["Home 1", (of) => of.id("x"), /"Home 1" is not an id/, "x"],
    ["DE*1", (of) => of.id("x"), /"DE\*1" is not an id of a-z, 0-9 and -/, "x"],
    ["Home 1", (of) => of.deviceId("x"), /"Home 1" is not an id of 1 to 63 characters/, "x"],
    ["'0541", (of) => of.deviceId("x"), /"'0541" is not an id/, "x"],
    ["5.41449E+17", (of) => of.deviceId("x"), /a spreadsheet has rounded; format the .+ text/, "x"],
    ["5E+17", (of) => of.deviceId("x"), /a spreadsheet has rounded/, "x"],
    ["2024-07-01T01:00", (of) => of.timeS("x"), /with a time zone/, "x"],
    ["2024-07-01T01:00:00.5Z", (of) => of.timeS("x"), /is not a time/, "x"],
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
});
