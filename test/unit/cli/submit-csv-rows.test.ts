import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { CliError } from "../../../src/cli/cli-error.js";
import { type CsvOptions, csvRows } from "../../../src/cli/submit/csv-rows.js";
import { rowKinds } from "../../../src/cli/submit/row-kinds.js";
import { RowProblem } from "../../../src/cli/submit/row-problem.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

describe("csvRows", () => {
  const directory = temporaryDirectory();
  const file = join(directory, "data.csv");
  const header = "meter,start,imported_wh,exported_wh";

  const read = async (text: string, options: Partial<CsvOptions> = {}) => {
    writeFileSync(file, text);
    const rows: string[] = [];
    const all = {
      ...{ kind: rowKinds["meter-readings"], columns: new Map(), constants: new Map() },
      ...{ delimiter: ",", ...options },
    };
    for await (const { line, cells } of csvRows(file, all)) {
      const text =
        cells instanceof RowProblem
          ? `problem ${cells.message}`
          : cells.identity.map(([field, value]) => `${field}=${value}`).join(" ");
      rows.push(`${line}: ${text}`);
    }
    return rows;
  };

  const refusal = async (text: string, options: Partial<CsvOptions> = {}) => {
    const error: unknown = await read(text, options).then(
      () => assert.fail("it was read"),
      (thrown) => thrown,
    );
    assert.ok(error instanceof CliError, String(error));
    return error.message;
  };

  test("gives each row by the names of the fields, with the line it stands on", async () => {
    assert.deepEqual(await read(`${header}\nm,1,2,3\n\nn,4,5,6\n`), [
      "2: exported_wh=3 imported_wh=2 meter=m start=1",
      "4: exported_wh=6 imported_wh=5 meter=n start=4",
    ]);
  });

  test("knows columns by other names, in any case, with blanks and a byte order mark", async () => {
    const rows = await read("\uFEFFMeter ID, Timestamp ,Imported kWh,EXPORTED-WH\r\nm,1,2,3\r\n");
    assert.deepEqual(rows, ["2: exported_wh=3 imported_kwh=2 meter=m start=1"]);
  });

  test("takes the columns that it is told to take, and constants for what is no column", async () => {
    const columns = new Map([
      ["zähler", "meter"],
      ["a=b", "start"],
    ]);
    const constants = new Map([
      ["exported_wh", "0"],
      ["owner", "home-1"],
    ]);
    const rows = await read("zähler,a=b,imported_wh,meter\nm,1,2,x\n", { columns, constants });
    assert.deepEqual(rows, ["2: exported_wh=0 imported_wh=2 meter=m owner=home-1 start=1"]);
  });

  test("tells which columns it does not use", async () => {
    const ignored: string[] = [];
    await read(`${header},note,weather\nm,1,2,3,a,b\n`, {
      onIgnored: (columns) => ignored.push(...columns),
    });
    assert.deepEqual(ignored, ["note", "weather"]);
  });

  test("a row with too few or too many values is a problem, and the others go on", async () => {
    const rows = await read(`${header}\nm,1,2\nm,1,2,3,4\nm,1,2,3\n`);
    assert.match(rows[0] ?? "", /^2: problem has 3 values, the header has 4 columns/);
    assert.match(rows[1] ?? "", /^3: problem has 5 values/);
    assert.match(rows[2] ?? "", /^4: exported_wh=3/);
  });

  test("a quote in the wrong place stays where it is, and the other rows go on", async () => {
    const rows = await read(`${header}\nm,1,"2"x,3\nn"n,4,5,6\no,7,8,9\n`);
    assert.deepEqual(rows, [
      '2: exported_wh=3 imported_wh="2"x meter=m start=1',
      '3: exported_wh=6 imported_wh=5 meter=n"n start=4',
      "4: exported_wh=9 imported_wh=8 meter=o start=7",
    ]);
  });

  test("a quote that never closes takes the rest of the file with it, and that is told", async () => {
    const rows = await read(`${header}\nm,1,2,3\nn,"4,5,6\no,7,8,9\n`);
    assert.match(rows[0] ?? "", /^2: exported_wh=3/);
    assert.match(rows[1] ?? "", /problem .*[Qq]uot/);
  });

  test("reads other delimiters", async () => {
    const rows = await read(`${header.replaceAll(",", ";")}\nm;1;2;3\n`, { delimiter: ";" });
    assert.equal(rows.length, 1);
  });

  for (const [text, delimiter, shown] of [
    [header.replaceAll(",", ";"), ";", "';'"],
    [header.replaceAll(",", "\t"), "\t", "$'\\t'"],
  ] as const) {
    test(`a header in one cell leads to --delimiter ${shown}, which reads it`, async () => {
      const expected = `data.csv looks separated by ${shown}; give --delimiter ${shown}`;
      assert.ok((await refusal(`${text}\n`)).endsWith(expected));
      const rows = await read(`${text}\n${["m", "1", "2", "3"].join(delimiter)}\n`, { delimiter });
      assert.deepEqual(rows, ["2: exported_wh=3 imported_wh=2 meter=m start=1"]);
    });
  }

  test("refuses a header that does not fit, and says what to do", async () => {
    assert.match(await refusal(""), /is empty; give a CSV file with a header/);
    assert.match(
      await refusal("meter,start,imported_wh\n"),
      /no column for exported_wh or exported_kwh.*--column NAME=exported_wh.*--set/,
    );
    assert.match(await refusal(`${header},start\n`), /two columns "start"/);
    const columns = new Map([["metre", "meter"]]);
    assert.match(
      await refusal(`${header}\n`, { columns }),
      /no column "metre"; did you mean meter/,
    );
    const other = new Map([["meter", "metre"]]);
    assert.match(await refusal(`${header}\n`, { columns: other }), /no field "metre".*mean meter/);
    const constants = new Map([["onwer", "x"]]);
    assert.match(await refusal(`${header}\n`, { constants }), /no field "onwer".*mean owner/);
  });

  test("a file that is not there fails as such", async () => {
    const kind = rowKinds.charging;
    const options = { kind, columns: new Map(), constants: new Map(), delimiter: "," };
    const rows = csvRows(join(directory, "absent.csv"), options);
    await assert.rejects(rows.next(), { code: "ENOENT" });
  });

  test("reads a large file row by row", async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => `m,${i},1,2`).join("\n");
    assert.equal((await read(`${header}\n${rows}`)).length, 20_000);
  });
});
