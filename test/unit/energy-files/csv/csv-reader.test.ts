import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type {
  CsvMapping,
  IntervalContent,
  ValueColumn,
} from "../../../../src/energy-files/csv/csv-mapping.js";
import { csvReader } from "../../../../src/energy-files/csv/csv-reader.js";
import { timeZoneOf } from "../../../../src/energy-files/time-zone.js";
import { textOf } from "../support/items.js";
import { itemsOf } from "../support/reading.js";

const imported: ValueColumn = { columns: ["kwh"], direction: "imported", unit: "kWh" };

const content: IntervalContent = {
  kind: "intervals",
  time: { columns: ["time"], format: "iso", stamp: "start" },
  intervalS: 900,
  meterColumn: "meter",
  values: [imported],
};

function mapping(parts: Partial<CsvMapping> & { readonly of?: Partial<IntervalContent> }) {
  const { of, ...rest } = parts;
  return {
    delimiter: ",",
    decimalMark: ".",
    headerLine: 1,
    absent: ["NA"],
    content: { ...content, ...of },
    ...rest,
  } satisfies CsvMapping;
}

const facts = { intervalSOf: (name: string) => (name === "hourly" ? 3600 : undefined) };

async function texts(
  file: string | Uint8Array,
  parts: Parameters<typeof mapping>[0] = {},
  zone?: string,
): Promise<readonly string[]> {
  const options = { chunkBytes: 7, zone: zone === undefined ? undefined : timeZoneOf(zone) };
  return (await itemsOf(csvReader(mapping(parts), facts), file, options)).map(textOf);
}

describe("the CSV reader", () => {
  test("reads a spreadsheet's file: UTF-16, semicolons, decimal commas, CRLF", async () => {
    const text =
      "Zählpunkt;Zeit;Bezug\r\nm1;29.03.2026 00:15;1.0E-1\r\nm1;29.03.2026 00:30;0,25\r\n";
    const utf16 = new Uint8Array(
      Buffer.from(`\ufeff${text.replace("1.0E-1", "1,0E-1")}`, "utf16le"),
    );
    const parts = {
      delimiter: ";",
      decimalMark: ",",
      of: {
        time: { columns: ["Zeit"], format: "dd.mm.yyyy", stamp: "end" },
        meterColumn: "Zählpunkt",
        values: [{ ...imported, columns: ["Bezug"] }],
      },
    } as const;
    assert.deepEqual(await texts(utf16, parts, "Europe/Berlin"), [
      "m1 imported 2026-03-28T23:00:00Z 900 s: 100 Wh",
      "m1 imported 2026-03-28T23:15:00Z 900 s: 250 Wh",
    ]);
    assert.deepEqual(await texts(`\ufeff${text}`, parts, "Europe/Berlin"), [
      '2 Bezug: "1.0E-1" is no number; its decimal mark is ".", and "," is expected',
      "m1 imported 2026-03-28T23:15:00Z 900 s: 250 Wh",
    ]);
  });

  test("reads other encodings when it is told, and refuses the file when it is not", async () => {
    const latin1 = new Uint8Array(
      Buffer.from("Zähler,time,kwh\nm1,2026-01-01T00:00Z,1\n", "latin1"),
    );
    const of = { meterColumn: "Zähler" };
    assert.deepEqual(await texts(latin1, { encoding: "windows-1252", of }), [
      "m1 imported 2026-01-01T00:00:00Z 900 s: 1000 Wh",
    ]);
    await assert.rejects(texts(latin1, { of }), /not text in utf-8/);
  });

  test("takes power as an average over the interval, and a factor by meter", async () => {
    const file = "meter,time,kwh\nm1,2026-01-01T00:00Z,1.2\nm2,2026-01-01T00:00Z,1.2\n";
    const scale = new Map([["m1", { amount: 4n, per: 1n }]]);
    assert.deepEqual(await texts(file, { of: { values: [{ ...imported, unit: "kW", scale }] } }), [
      "m1 imported 2026-01-01T00:00:00Z 900 s: 1200 Wh",
      "3 kwh: the mapping has no scale for the meter",
    ]);
  });

  test("keeps numbers exactly", async () => {
    const file = "meter,time,kwh\nm1,2026-01-01T00:00Z,9.7529096e-08\n";
    const [item] = await itemsOf(csvReader(mapping({}), facts), file, { chunkBytes: 7 });
    assert.ok(item?.kind === "value");
    const { amount, perWh } = item.energy;
    assert.equal(amount * 10n ** 12n, 97_529_096n * perWh);
  });

  test("reads meters as columns, all that nothing else names", async () => {
    const file = "time,m1,m2,note\n2026-01-01T00:00Z,1,NA,\n2026-01-01T00:15Z,,2,\n";
    const { meterColumn: _, ...rest } = content;
    const values = [{ ...imported, columns: ["*"] }];
    const of = { ...rest, values };
    assert.deepEqual(await texts(file, { content: of }), [
      "m1 imported 2026-01-01T00:00:00Z 900 s: 1000 Wh",
      "m2 imported 2026-01-01T00:15:00Z 900 s: 2000 Wh",
    ]);
  });

  test("adds up columns that are named together, and knows when one is missing", async () => {
    const file = "meter,time,low,high\nm1,2026-01-01T00:00Z,1,2\nm1,2026-01-01T00:15Z,1,\n";
    assert.deepEqual(
      await texts(file, { of: { values: [{ ...imported, columns: ["low", "high"] }] } }),
      [
        "m1 imported 2026-01-01T00:00:00Z 900 s: 3000 Wh",
        "3 low + high: some of the columns that are added up have no value",
      ],
    );
  });

  test("takes a sign for a direction only when it is told", async () => {
    const file = "meter,time,kwh\nm1,2026-01-01T00:00Z,-1.5\nm1,2026-01-01T00:15Z,0.5\n";
    const [refused] = await texts(file);
    assert.match(refused ?? "", /^2 kwh: is negative; .*"net"/);
    for (const [direction, first] of [
      ["net", "exported"],
      ["net-exported", "imported"],
    ] as const) {
      const items = await texts(file, { of: { values: [{ ...imported, direction }] } });
      const second = first === "imported" ? "exported" : "imported";
      const whOf = (way: string, time: string) =>
        items.find((item) => item.startsWith(`m1 ${way} 2026-01-01T${time}`))?.split(": ")[1];
      assert.equal(whOf(first, "00:00"), "1500 Wh");
      assert.equal(whOf(second, "00:00"), "0 Wh");
      assert.equal(whOf(second, "00:15"), "500 Wh");
      assert.equal(whOf(first, "00:15"), "0 Wh");
    }
  });

  test("reads the quality of rows, and refuses one that it was not told", async () => {
    const words = new Map([
      ["A", "measured"],
      ["E", "estimated"],
      ["N", "absent"],
    ] as const);
    const file =
      "meter,time,kwh,q\nm1,2026-01-01T00:00Z,1,A\nm1,2026-01-01T00:15Z,1,E\n" +
      "m1,2026-01-01T00:30Z,1,N\nm1,2026-01-01T00:45Z,1,X\n";
    assert.deepEqual(await texts(file, { of: { quality: { column: "q", words } } }), [
      "m1 imported 2026-01-01T00:00:00Z 900 s: 1000 Wh",
      "m1 imported 2026-01-01T00:15:00Z 900 s: 1000 Wh estimated",
      '5 q: "X" is no quality that the mapping names',
    ]);
  });

  test("counts intervals, and takes the registered length where none is said", async () => {
    const { intervalS: _, ...rest } = content;
    const time = { columns: ["time"], format: "count", stamp: "end", firstS: 3600 } as const;
    const file = "meter,time,kwh\nhourly,1,1\nhourly,25,2\nhourly,0,3\n";
    assert.deepEqual(await texts(file, { content: { ...rest, time } }), [
      "hourly imported 1970-01-01T00:00:00Z 3600 s: 1000 Wh",
      "hourly imported 1970-01-02T00:00:00Z 3600 s: 2000 Wh",
      '4 time: "0" is no time: expected a whole number, 1 or more',
    ]);
  });

  test("finds the table below other lines, and passes over a header that comes again", async () => {
    const file =
      "Name,A,,\n,,,\nmeter,time,kwh\nm1,2026-01-01T00:00Z,1\nmeter,time,kwh\n" +
      "m1,2026-01-01T00:15Z\nm1,2026-01-01T00:30Z,1,\nm1,2026-01-01T00:45Z,1,9\n";
    assert.deepEqual(await texts(file, { headerLine: 3 }), [
      "m1 imported 2026-01-01T00:00:00Z 900 s: 1000 Wh",
      "6: has 2 cells, the header has 3",
      "m1 imported 2026-01-01T00:30:00Z 900 s: 1000 Wh",
      "8: has 4 cells, the header has 3",
    ]);
  });

  test("refuses cells that could mean two things, and goes on", async () => {
    const row = (time: string, kwh: string) => `m1,${time},${kwh}\n`;
    const file =
      `meter,time,kwh\n${row("2026-02-30T00:00Z", "1")}${row("2026-01-01T00:00", "1")}` +
      `${row("46327", "1")}${row("2026-01-01T00:15Z", '"1,234"')}${row("2026-01-01T00:30Z", "1")}`;
    const items = await texts(file);
    assert.match(items[0] ?? "", /^2 time: .* there is no such day/);
    assert.match(items[1] ?? "", /^3 time: .* no time zone/);
    assert.match(items[2] ?? "", /^4 time: .* expected a time such as 2026-12-31 23:45/);
    assert.match(items[3] ?? "", /^5 kwh: .* without separators between thousands/);
    assert.match(items[4] ?? "", /^m1 imported/);
  });

  test("refuses a file that lacks a column, or has it twice", async () => {
    await assert.rejects(texts("meter;time;kwh\nm1;2026-01-01T00:00Z;1\n"), {
      name: "FileUnreadable",
      message: /no column "time" in line 1 \(its columns: meter;time;kwh\)/,
    });
    await assert.rejects(texts("meter,time,kwh,kwh\n"), /two columns are called "kwh"/);
    await assert.rejects(texts(""), /no header/);
  });

  test("reads charging sessions by the clocks of their zone", async () => {
    const file =
      "id;point;from;to;kWh\n1;p1;26.10.2019 22:31;27.10.2019 09:51;7,5\n" +
      "2;p1;27.10.2019 02:30;27.10.2019 09:51;7\n3;p1;28.10.2019 02:30;NA;7\n";
    const sessions = {
      kind: "sessions",
      stationColumn: "point",
      sessionColumn: "id",
      startColumn: "from",
      endColumn: "to",
      timeFormat: "dd.mm.yyyy",
      energyColumn: "kWh",
      unit: "kWh",
    } as const;
    const parts = { delimiter: ";", decimalMark: ",", content: sessions } as const;
    assert.deepEqual(await texts(file, parts, "Europe/Oslo"), [
      "p1 1 2019-10-26T20:31:00Z 2019-10-27T08:51:00Z: 7500 Wh",
      '3 from: "27.10.2019 02:30": clocks in Europe/Oslo show this time twice',
      "4 to: has no time",
    ]);
    const owned = { ...parts, content: { ...sessions, ownerColumn: "who" } } as const;
    const rows =
      "id;point;who;from;to;kWh\n1;p1;home-1;26.10.2019 22:31;26.10.2019 23:51;7,5\n" +
      "2;p1;;26.10.2019 22:31;26.10.2019 23:51;7,5\n";
    const ofOwners = await texts(rows, owned, "Europe/Oslo");
    assert.match(ofOwners[0] ?? "", /^p1 1 of home-1 2019/);
    assert.equal(ofOwners[1], "3 who: is empty");
  });
});
