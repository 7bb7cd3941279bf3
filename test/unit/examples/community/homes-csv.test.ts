import assert from "node:assert/strict";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { dataFileNames } from "../../../../examples/energy-community/community/homes-csv.js";
import { CliError } from "../../../../src/cli/text/cli-error.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { type DataFiles, hourlyHeader, readAll, smallData, writeData } from "../support.js";

const { hourly, panels, tariff } = smallData;

/** `text` with one of its lines, from 1, replaced. */
function withLine(text: string, line: number, replacement: string): string {
  return text
    .split("\n")
    .with(line - 1, replacement)
    .join("\n");
}

describe("reading an energy community's data", () => {
  test("every home's reading of every hour, by the names of the columns", async () => {
    const { hours, problems, community } = await readAll(writeData(temporaryDirectory()));
    assert.deepEqual(problems.lines(), []);
    assert.deepEqual(
      community.homes.map(({ id }) => id),
      ["building-1", "building-2"],
    );
    const firstStartS = Date.parse("2016-07-31T23:00:00-08:00") / 1000;
    assert.deepEqual(
      hours.map(({ startS }) => startS),
      [firstStartS, firstStartS + 3600],
    );
    assert.deepEqual(hours[0]?.readings, [
      { homeId: "building-1", importedWh: 2276, exportedWh: 0 },
      { homeId: "building-2", importedWh: 0, exportedWh: 1500 },
    ]);
    assert.equal(hours[1]?.priceMicroPerKwh, 300_000n);
  });

  test("columns in another order, quotes, CRLF, byte order mark, open end", async () => {
    const row = "x,Building_1,7,1.5,0.0,1,24,7";
    const header = "x,building,month,non_shiftable_load,solar_generation,row,hour,day_type";
    const other = `\ufeff${[header, row].join("\r\n").replaceAll("Building_1", '"Building_1"')}`;
    const { hours, problems } = await readAll(writeData(temporaryDirectory(), { hourly: other }));
    assert.deepEqual(problems.lines(), []);
    assert.deepEqual(hours[0]?.readings, [
      { homeId: "building-1", importedWh: 1500, exportedWh: 0 },
    ]);
  });

  const wrongRows: readonly (readonly [title: string, row: string, reported: string])[] = [
    [
      "a text for a number",
      "Building_1,2,8,1,1,much,0",
      'non_shiftable_load: "much" is no decimal',
    ],
    ["NaN", "Building_1,2,8,1,1,NaN,0", 'non_shiftable_load: "NaN" is no decimal number'],
    ["an empty cell", "Building_1,2,8,1,1,,0", 'non_shiftable_load: "" is no decimal number'],
    ["a decimal comma", 'Building_1,2,8,1,1,"1,5",0', "8 cells, the header has 7"],
    ["a negative load", "Building_1,2,8,1,1,-0.1,0", "non_shiftable_load: -0.1 is negative"],
    ["a negative sun", "Building_1,2,8,1,1,1,-3", "solar_generation: -3 is negative"],
    ["Wh for kWh", "Building_1,2,8,1,1,1000001,0", "is more than 1000000 kWh: is the unit right?"],
    ["a missing cell", "Building_1,2,8,1,1,1", "6 cells, the header has 7"],
    ["an empty line", "", "the line is empty"],
    ["an unknown home", "Building_3,2,8,1,1,1,0", 'building: "Building_3" is no home of'],
    ["a row number with a fraction", "Building_1,2.5,8,1,1,1,0", 'row: "2.5" is no whole number'],
    ["hour 0", "Building_1,2,8,0,1,1,0", 'hour: "0" is no whole number from 1 to 24'],
    ["month 13", "Building_1,2,13,1,1,1,0", 'month: "13" is no whole number from 1 to 12'],
    [
      "another day",
      "Building_1,2,8,1,2,1,0",
      "row: row 2 is the hour of month 8, hour 1, day_type 1",
    ],
    ["an hour that has passed", "Building_1,1,7,24,7,1,0", "Building_1 has row 1 twice"],
  ];
  for (const [title, row, reported] of wrongRows) {
    test(`${title} is reported with line and column, and the rest goes on`, async () => {
      const files = { hourly: withLine(hourly, 4, row) };
      const { hours, problems } = await readAll(writeData(temporaryDirectory(), files));
      assert.equal(problems.count, 1);
      const [line = ""] = problems.lines();
      assert.ok(line.includes(`${dataFileNames.hourly}, line 4, `) || line.includes("line 4:"));
      assert.ok(line.includes(reported), line);
      assert.equal(hours.length, 2);
      assert.deepEqual(
        hours[1]?.readings.map(({ homeId }) => homeId),
        ["building-2"],
      );
    });
  }

  test("every wrong cell of a row is named", async () => {
    const files = { hourly: withLine(hourly, 2, "Building_9,x,7,24,7,-1,?") };
    const { problems } = await readAll(writeData(temporaryDirectory(), files));
    assert.equal(problems.count, 4);
  });

  test("an hour that comes after a later one is reported", async () => {
    const files = { hourly: `${hourly}Building_1,1,7,24,7,1,0\n` };
    const { hours, problems } = await readAll(writeData(temporaryDirectory(), files));
    assert.match(problems.lines().join(), /line 6, row: row 1 comes after row 2$/);
    assert.equal(hours.length, 2);
  });

  test("a file that is wrong in every row is counted and told in twenty lines", async () => {
    const rows = Array.from({ length: 50 }, () => "Building_1,1,7,24,7,x,0");
    const files = { hourly: `${hourly}${rows.join("\n")}\n` };
    const { problems } = await readAll(writeData(temporaryDirectory(), files));
    assert.equal(problems.count, 50);
    assert.equal(problems.lines().length, 21);
    assert.equal(problems.lines().at(-1), "30 more rows");
  });

  test("a home without a price trades nothing, and is reported", async () => {
    const files = { tariff: withLine(tariff, 2, "1,cheap") };
    const { hours, problems } = await readAll(writeData(temporaryDirectory(), files));
    assert.deepEqual(hours[0]?.trades, []);
    assert.equal(hours[0]?.readings.length, 2);
    assert.equal(hours[1]?.trades.length, 1);
    const [price = "", hour = ""] = problems.lines();
    assert.match(price, /tariff\.csv, line 2, electricity_pricing: "cheap" is no decimal number$/);
    assert.match(
      hour,
      /hourly\.csv, line 2, row: no price for row 1 in .*: nothing is traded, and/,
    );
  });

  const wrongOthers: readonly (readonly [string, Partial<DataFiles>, RegExp])[] = [
    ["a home twice", { panels: `${panels}building-1,3\n` }, /line 4, building: .* is there twice/],
    [
      "a home without an id",
      { panels: `${panels}Häuschen,3\n` },
      /line 4, building: .* makes no id/,
    ],
    [
      "panels of no size",
      { panels: `${panels}Building_3,-\n` },
      /pv_nominal_power_kw: "-" is no dec/,
    ],
    ["a price twice", { tariff: `${tariff}2,0.3\n` }, /line 4, row: row 2 is there twice/],
    ["a negative price", { tariff: `${tariff}3,-0.3\n` }, /electricity_pricing: -0.3 is negative/],
    [
      "cents for dollars",
      { tariff: `${tariff}3,22\n` },
      /more than 20 USD\/kWh: is the unit right/,
    ],
  ];
  for (const [title, files, reported] of wrongOthers) {
    test(`${title} is reported`, async () => {
      const { hours, problems } = await readAll(writeData(temporaryDirectory(), files));
      assert.equal(problems.count, 1);
      assert.match(problems.lines().join(), reported);
      assert.equal(hours.length, 2);
    });
  }

  const unusable: readonly (readonly [string, Partial<DataFiles>, RegExp])[] = [
    ["an empty file", { tariff: "" }, /tariff\.csv is empty; it needs a header with row, elec/],
    ["no such column", { hourly: hourly.replace("row,", "Row,") }, /has no column row; its header/],
    ["a column twice", { tariff: "row,row,electricity_pricing\n" }, /has the column row 2 times/],
    ["no home", { panels: "building,pv_nominal_power_kw\n" }, /pv_kw\.csv names no home/],
    ["one endless line", { hourly: `${hourlyHeader}\n${"1".repeat(70_000)}` }, /is not a CSV file/],
  ];
  for (const [title, files, message] of unusable) {
    test(`${title} ends the reading`, async () => {
      const reading = readAll(writeData(temporaryDirectory(), files));
      await assert.rejects(
        reading,
        (error) => error instanceof CliError && message.test(error.message),
      );
    });
  }

  for (const name of Object.values(dataFileNames)) {
    test(`a missing ${name} is named`, async () => {
      const directory = writeData(temporaryDirectory());
      rmSync(join(directory, name));
      const message = new RegExp(`${name} cannot be read; check the path`);
      await assert.rejects(readAll(directory), message);
    });
  }

  test("a directory in place of a file is no CSV file", async () => {
    const directory = writeData(temporaryDirectory());
    rmSync(join(directory, dataFileNames.tariff));
    mkdirSync(join(directory, dataFileNames.tariff));
    await assert.rejects(readAll(directory), /tariff\.csv is not a CSV file: EISDIR/);
  });
});
