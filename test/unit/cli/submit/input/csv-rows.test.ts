import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { defined } from "../../../../../src/base/assert.js";
import { cliKinds } from "../../../../../src/cli/kinds/kinds.js";
import { findInput } from "../../../../../src/cli/sending/input.js";
import { RowProblem } from "../../../../../src/cli/sending/row-problem.js";
import {
  type CsvOptions,
  csvRows,
  surveyRows,
} from "../../../../../src/cli/submit/input/csv-rows.js";
import { CliError } from "../../../../../src/cli/text/cli-error.js";
import type { KindName } from "../../../../../src/ledger/kinds/kind.js";
import { temporaryDirectory } from "../../../../support/temporary-directory.js";

describe("csvRows", () => {
  const directory = temporaryDirectory();
  const file = join(directory, "data.csv");
  const header = "meter,start,imported_wh,exported_wh";

  type Options = Partial<Omit<CsvOptions, "kind">> & { readonly kind?: KindName };

  const optionsOf = ({ kind = "meterReading", ...others }: Options = {}): CsvOptions => ({
    kind: defined(cliKinds[kind].rows, "its files have rows"),
    columns: [],
    sums: [],
    constants: new Map(),
    delimiter: ",",
    time: { nowMs: Date.UTC(2026, 10, 28) },
    ...others,
  });

  const inputOf = async (content: string | Buffer) => {
    writeFileSync(file, content);
    return findInput(file).open(new AbortController().signal);
  };

  const read = async (content: string | Buffer, options: Options = {}) => {
    const input = await inputOf(content);
    const rows: string[] = [];
    try {
      for await (const { line, cells } of csvRows(input, optionsOf(options))) {
        const text =
          cells instanceof RowProblem
            ? `problem ${cells.message}`
            : cells.identity.map(([field, value]) => `${field}=${value}`).join(" ");
        rows.push(`${line}: ${text}`);
      }
    } finally {
      input.close();
    }
    return rows;
  };

  const mapped = (...pairs: readonly (readonly [column: string, field: string])[]) =>
    pairs.map(([column, field]) => ({ column, field }));

  const refusal = async (text: string | Buffer, options: Options = {}) => {
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
    const rows = await read(
      "\uFEFFMeter ID, Interval Start ,Imported kWh,EXPORTED-WH\r\nm,1,2,3\r\n",
    );
    assert.deepEqual(rows, ["2: exported_wh=3 imported_kwh=2 meter=m start=1"]);
  });

  test("takes the columns that it is told to take, and constants for what is no column", async () => {
    const columns = mapped(["zähler", "meter"], ["a=b", "start"]);
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
    const columns = mapped(["metre", "meter"]);
    assert.match(
      await refusal(`${header}\n`, { columns }),
      /no column "metre"; did you mean meter/,
    );
    const other = mapped(["meter", "metre"]);
    assert.match(await refusal(`${header}\n`, { columns: other }), /no field "metre".*mean meter/);
    const constants = new Map([["onwer", "x"]]);
    assert.match(await refusal(`${header}\n`, { constants }), /no field "onwer".*mean owner/);
  });

  test("a file with a header alone is refused, and one whose header cannot be read", async () => {
    assert.match(await refusal(`${header}\n\n`), /data\.csv has a header and no rows; give/);
    assert.match(await refusal(`${header},"x\nm,1,2,3\n`), /header cannot be read: .*[Qq]uot/);
  });

  test("reads a large file row by row", async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => `m,${i},1,2`).join("\n");
    assert.equal((await read(`${header}\n${rows}`)).length, 20_000);
  });

  describe("where it is open which column is meant", () => {
    const registers = "meter,start,low,normal,exported_wh\nm,1,210,100,0\n";

    test("two columns for one field are refused, or added up when that is said", async () => {
      const columns = mapped(["low", "imported_wh"], ["normal", "imported_wh"]);
      assert.match(
        await refusal(registers, { columns }),
        /gives imported_wh to 2 columns, "low" and "normal"; .*--sum imported_wh/,
      );
      assert.deepEqual(await read(registers, { columns, sums: ["imported_wh"] }), [
        "2: exported_wh=0 imported_wh=100+210 meter=m start=1",
      ]);
    });

    test("only what is an amount can be added up, and only of two columns or more", async () => {
      const columns = mapped(["low", "imported_wh"]);
      const times = await refusal(registers, { columns, sums: ["start"] });
      assert.match(times, /start cannot be added up; leave out --sum, which takes imported_wh/);
      const one = await refusal(registers, { columns, sums: ["imported_wh"] });
      assert.match(one, /--sum imported_wh needs two columns at least/);
    });

    test("what is said of one unit goes before a column of the other one", async () => {
      const ignored: string[] = [];
      const options = { onIgnored: (columns: readonly string[]) => ignored.push(...columns) };
      const text = "meter,start,imported_wh,Usage,exported_wh\nm,1,1,0.500,0\n";
      const columns = mapped(["Usage", "imported_kwh"]);
      assert.deepEqual(await read(text, { columns, ...options }), [
        "2: exported_wh=0 imported_kwh=0.500 meter=m start=1",
      ]);
      const constants = new Map([["imported_kwh", "3"]]);
      assert.deepEqual(await read(`${header}\nm,1,2,0\n`, { constants, ...options }), [
        "2: exported_wh=0 imported_kwh=3 meter=m start=1",
      ]);
      assert.deepEqual(ignored, ["imported_wh", "imported_wh"]);
    });

    test("the same of prices, and of start and end", async () => {
      const prices = "buyer,start,energy_wh,price_per_kwh,price\nb,1,2,3,4\n";
      const columns = mapped(["price", "price_micro_per_kwh"]);
      assert.deepEqual(await read(prices, { kind: "energyTrade", columns }), [
        "2: buyer=b energy_wh=2 price_micro_per_kwh=4 start=1",
      ]);
      const ends = `${header},stamp\nm,1,2,3,4\n`;
      assert.deepEqual(await read(ends, { columns: mapped(["stamp", "end"]) }), [
        "2: end=4 exported_wh=3 imported_wh=2 meter=m",
      ]);
    });

    for (const [what, text] of [
      ["two columns of one name", "meter,start,imported_wh,exported_wh,start"],
      ["two spellings of one name", "meter,Start,imported_wh,exported_wh,START"],
      ["two names of one field", "meter,meter_id,start,imported_wh,exported_wh"],
    ] as const) {
      test(`${what} are refused`, async () => {
        const message = await refusal(`${text}\nm,1,2,3,4\n`);
        assert.match(message, /data\.csv:1: (?:two columns are called|the columns .* may both)/);
      });
    }

    test("columns that are alike and not used do no harm", async () => {
      const rows = await read(`${header},quality,quality,,\nm,1,2,3,A,B,,\n`);
      assert.deepEqual(rows, ["2: exported_wh=3 imported_wh=2 meter=m start=1"]);
    });

    for (const name of ["Timestamp", "time", "Date Time", "date"]) {
      test(`a column ${name} does not say whether it is the start or the end`, async () => {
        const text = `meter,${name},imported_wh,exported_wh\nm,1,2,3\n`;
        const choices = `"${name}=start" or --column "${name}=end"`;
        assert.ok(
          (await refusal(text)).endsWith(
            `does not say which time it holds; choose with --column ${choices}`,
          ),
        );
        assert.deepEqual(await read(text, { columns: mapped([name, "end"]) }), [
          "2: end=1 exported_wh=3 imported_wh=2 meter=m",
        ]);
      });
    }

    test("--column and --set for one field are refused", async () => {
      const columns = mapped(["low", "imported_wh"]);
      const constants = new Map([["imported_wh", "0"]]);
      assert.match(await refusal(registers, { columns, constants }), /--column and --set both/);
    });
  });

  describe("files as they are", () => {
    const expected = [
      "2: exported_wh=3 imported_wh=2 meter=m start=1",
      "3: exported_wh=6 imported_wh=5 meter=n start=4",
    ];
    const plain = `${header}\nm,1,2,3\nn,4,5,6\n`;

    for (const [what, content] of [
      ["line ends of Windows", plain.replaceAll("\n", "\r\n")],
      ["line ends of old Macs", plain.replaceAll("\n", "\r")],
      ["line ends of two kinds", `${header}\r\nm,1,2,3\nn,4,5,6\r\n`],
      ["no line end at the end", plain.trimEnd()],
      ["UTF-16, as spreadsheets save it", Buffer.from(`\uFEFF${plain}`, "utf16le")],
      ["UTF-16 the other way round", Buffer.from(`\uFEFF${plain}`, "utf16le").swap16()],
      ["quotes around everything", plain.replaceAll(/[^,\n]+/g, '"$&"')],
      ["blanks around everything", plain.replaceAll(/[^,\n]+/g, " $& ")],
      ["a header that ends in commas", plain.replace(header, `${header},,`)],
      ["rows that end in commas", plain.replaceAll(/\d$/gm, "$&,,")],
      ["the header again in the middle", `${header}\nm,1,2,3\n${header}\nn,4,5,6\n`],
    ] as const) {
      test(`with ${what} are read`, async () => {
        const rows = await read(content);
        assert.deepEqual(
          rows.map((row) => row.slice(row.indexOf(" "))),
          expected.map((row) => row.slice(row.indexOf(" "))),
        );
      });
    }

    test("with no text at all, or in UTF-16 without saying so, are refused as such", async () => {
      for (const content of [Buffer.from(plain, "utf16le"), Buffer.from("PK\u0003\u0004\0\0,\n")]) {
        assert.match(await refusal(content), /is not a text in UTF-8; save it as CSV in UTF-8/);
      }
    });

    test("keep their lines where cells hold line ends, and where chunks end", async () => {
      const note = `"one\r\ntwo"`;
      const rows = await read(`${header},note\r\nm,1,2,3,${note}\r\nn,4,5,6,\r\n`);
      assert.deepEqual(
        rows.map((row) => row.split(":")[0]),
        ["3", "4"],
      );
      const cut = `${header},${"x".repeat(64 * 1024 - header.length - 2)}`;
      assert.equal(cut.length, 64 * 1024 - 1);
      const [row] = await read(`${cut}\r\nm,1,2,3,y\r\n`);
      assert.match(row ?? "", /^2: exported_wh=3/);
    });

    test("with another header in the middle are refused before any row is used", async () => {
      const swapped = "meter,start,exported_wh,imported_wh";
      const input = await inputOf(`${plain}${swapped}\no,7,8,9\n`);
      await assert.rejects(surveyRows(input, optionsOf()), {
        name: "CliError",
        message: /data\.csv:4: this line is another header.*split the file/,
      });
      input.close();
    });

    test("with lines before the header are refused at their first line", async () => {
      const message = await refusal("Name,A,,,\nAddress,B,,,\n,,,,\nmeter,start,a,b\nm,1,2,3\n");
      assert.match(
        message,
        /data\.csv:1: the header has no column for meter \(its columns: Name, A/,
      );
      assert.match(message, /or remove the lines before the header/);
    });

    test("are counted before they are used", async () => {
      const input = await inputOf(`${plain}\no,"7\n8",9,0\n`);
      assert.equal(await surveyRows(input, optionsOf()), 3);
      input.close();
    });
  });
});
