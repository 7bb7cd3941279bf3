import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { FileUnreadable } from "../../../../src/energy-files/file-values.js";
import { readNem12 } from "../../../../src/energy-files/nem12/nem12-reader.js";
import { problemsOf, seriesOf } from "../support/items.js";
import { itemsOf } from "../support/reading.js";

const vectors = "test/vectors/energy-files";

const begin = "100,NEM12,202604140911,MDP4,RET7";
const register = "200,NFGH004417,E1B1,1,E1,N1,MS40771,kWh,30,";
const values = (count = 48, value = "0.5") => Array<string>(count).fill(value).join(",");
const day = (date: string, quality = "A") => `300,${date},${values()},${quality},,,20260413021500,`;

function nem12(...rows: readonly string[]): string {
  return `${[begin, ...rows, "900"].join("\r\n")}\r\n`;
}

describe("NEM12 files", () => {
  for (const chunkBytes of [65_536, 37]) {
    test(`the sample, in chunks of ${chunkBytes} bytes, has what it was made of`, async () => {
      const items = await itemsOf(readNem12, readFileSync(`${vectors}/nem12.csv`), { chunkBytes });
      const expected = JSON.parse(readFileSync(`${vectors}/nem12.expected.json`, "utf8"));
      assert.deepEqual(seriesOf(items), expected);
      assert.deepEqual(problemsOf(items), [
        '8 UOM: register Q1 is in "VArh", no energy in Wh, kWh or MWh; the rows below it are left out',
      ]);
    });
  }

  test("a value has its place, and a day begins at 14:00 UTC of the day before", async () => {
    const items = await itemsOf(readNem12, nem12(register, day("20260704")));
    assert.equal(items.length, 48);
    assert.deepEqual(items[1], {
      kind: "value",
      place: { line: 3, column: "E1 interval 2" },
      meterName: "NFGH004417-1",
      direction: "imported",
      startS: Date.parse("2026-07-03T14:30:00Z") / 1000,
      intervalS: 1800,
      energy: { amount: 500n, perWh: 1n },
      quality: "measured",
    });
  });

  test("each suffix number is a meter, and E and B are its directions", async () => {
    const registers = ["E1", "B1", "E2", "BA"].flatMap((suffix) => [
      `200,NFGH004417,E1B1E2BA,1,${suffix},,,kWh,30,`,
      day("20260404"),
    ]);
    const items = await itemsOf(readNem12, nem12(...registers));
    assert.deepEqual(
      seriesOf(items).map(({ meter, direction }) => [meter, direction]),
      [
        ["NFGH004417-1", "imported"],
        ["NFGH004417-1", "exported"],
        ["NFGH004417-2", "imported"],
        ["NFGH004417-A", "exported"],
      ],
    );
    assert.deepEqual(problemsOf(items), []);
  });

  const flags = [
    ["A", "measured"],
    ["E52", "estimated"],
    ["S14", "substituted"],
    ["F18", "substituted"],
    ["S", "substituted"],
  ] as const;
  for (const [flag, quality] of flags) {
    test(`quality ${flag} is ${quality}`, async () => {
      const [item] = await itemsOf(readNem12, nem12(register, day("20260404", flag)));
      assert.ok(item?.kind === "value");
      assert.equal(item.quality, quality);
    });
  }

  test("null intervals give nothing, whatever stands in them", async () => {
    const empty = `300,20260405,${values(48, "")},N,,,,`;
    const items = await itemsOf(readNem12, nem12(register, day("20260404", "N"), empty));
    assert.deepEqual(items, []);
  });

  test("400 rows say the quality of ranges, also of a day that is not V", async () => {
    const rows = [register, day("20260404", "A"), "400,3,4,E52,,", "400,48,48,N,,"];
    const items = await itemsOf(readNem12, nem12(...rows));
    const qualities = items.map((item) => item.kind === "value" && item.quality);
    assert.equal(qualities.length, 47);
    assert.deepEqual(qualities.slice(1, 5), ["measured", "estimated", "estimated", "measured"]);
  });

  const problems: readonly (readonly [what: string, rows: readonly string[], said: string[]])[] = [
    [
      "a 300 row without a 200 row",
      [day("20260404"), "400,1,2,A,,"],
      ["2: a 300 row needs a 200 row above it"],
    ],
    [
      "a 400 row without a 300 row",
      [register, "400,1,2,A,,"],
      ["3: a 400 row needs a 300 row above it"],
    ],
    [
      "too few values",
      [register, `300,20260404,${values(47)},A,,,,`],
      ["3: has 47 values, a day of 30 minutes' intervals has 48"],
    ],
    [
      "too many values",
      [register, `300,20260404,${values(96)},A,,,,`],
      ["3: has 96 values, a day of 30 minutes' intervals has 48"],
    ],
    [
      "values and no quality",
      [register, `300,20260404,${values(48)}`],
      ["3: ends after 48 values without a quality; a day of 30 minutes' intervals has 48"],
    ],
    [
      "another quality",
      [register, `300,20260404,${values(48)},X9,,,,`],
      ['3 QualityMethod: "X9" is no quality: A, E, F, N, S or V, and a method'],
    ],
    [
      "fields behind the last",
      [register, `300,20260404,${values(48)},A,1,b,3,4,5`],
      ["3: has 56 fields, a row of such a day has at most 55"],
    ],
    [
      "days that no calendar has",
      [register, day("20260230"), day("20261301"), day("20260400"), day("4/4/2026")],
      ["20260230", "20261301", "20260400", "4/4/2026"].map(
        (date, i) => `${i + 3} IntervalDate: "${date}" is no date, which is written YYYYMMDD`,
      ),
    ],
    [
      "a value that is negative, none, or no number",
      [register, `300,20260404,-1,,12x,${values(45)},A,,,,`],
      [
        '3 E1 interval 1: "-1" is negative',
        "3 E1 interval 2: an empty field is no number",
        '3 E1 interval 3: "12x" is no number',
      ],
    ],
    [
      "a day that comes twice",
      [register, day("20260404"), register, day("20260404")],
      ["5 IntervalDate: the file has values of register E1 on this day already"],
    ],
    [
      "a quality V that no 400 row explains everywhere",
      [register, day("20260404", "V"), "400,1,3,A,,", "400,5,46,A,,"],
      [
        "3 E1 interval 4: no 400 row says what the quality of interval 4 is",
        "3 E1 interval 47: no 400 row says what the quality of intervals 47 to 48 is",
      ],
    ],
    [
      "400 rows that do not fit",
      [register, day("20260404"), "400,0,3,A,,", "400,1,49,A,,", "400,5,4,A,,", "400,2,3,V,,"],
      [
        '4 StartInterval: "0" is no interval of the day: 1 to 48',
        '5 EndInterval: "49" is no interval of the day: 1 to 48',
        "6 EndInterval: interval 4 is before 5",
        '7 QualityMethod: "V" is no quality of a range: A, E, F, N or S, and a method',
        "3 E1 interval 2: no 400 row says what the quality of intervals 2 to 3 is",
      ],
    ],
    [
      "400 rows that overlap",
      [register, day("20260404"), "400,1,5,A,,", "400,5,6,E52,,"],
      ["5 StartInterval: another 400 row has said the quality of interval 5"],
    ],
    [
      "registers that are not recorded, with all their days",
      [
        "200,NFGH004417,K1,1,K1,,,kVArh,30,",
        day("20260404"),
        "200,NFGH004417,F1,1,F1,,,kWh,30,",
        day("20260404"),
        "400,1,2,A,,",
        "200,NFGH004417,E1,1,E1,,,kWh,60,",
        `300,20260404,${values(24)},A,,,,`,
        "200,NMI,E1,1,E1,,,kWh,30,",
        "200,NFGH004417,E1,1,Export,,,kWh,30,",
      ],
      [
        '2 UOM: register K1 is in "kVArh", no energy in Wh, kWh or MWh; the rows below it are left out',
        "4 NMISuffix: register F1 counts neither energy from the grid (E) nor to the grid (B): " +
          "check meters, averages and net amounts are not recorded; the rows below it are left out",
        '7 IntervalLength: "60" is no interval of the format: 5, 15 or 30 minutes; ' +
          "the rows below it are left out",
        '9 NMI: "NMI" is no NMI, which has 10 letters and digits; the rows below it are left out',
        '10 NMISuffix: "Export" is no suffix, which is a letter and a number such as E1; ' +
          "the rows below it are left out",
      ],
    ],
    [
      "rows of other kinds",
      ["250,NFGH004417", "500,O,S01009,20260404120025,"],
      ['2: "250" is no kind of row: 100, 200, 300, 400, 500 or 900'],
    ],
    [
      "a file in the file",
      [register, begin, day("20260404")],
      [
        "3: another file begins, and no 900 row ended the one before",
        "4: a 300 row needs a 200 row above it",
      ],
    ],
    [
      "rows below the end",
      ["900", day("20260404")],
      ["3: stands after the 900 row that ends the file"],
    ],
  ];
  for (const [what, rows, said] of problems) {
    test(`named, with the rest read: ${what}`, async () => {
      const rest = what.startsWith("rows below") ? [begin] : [];
      const file = nem12(...rows, ...rest, register, day("20260501"));
      const items = await itemsOf(readNem12, file);
      const tail = items.slice(-48);
      assert.deepEqual(problemsOf(items), said);
      assert.ok(tail.every((item) => item.kind === "value"));
      assert.equal(tail.length, 48);
    });
  }

  test("a file that ends early is told, and what was there is read", async () => {
    const items = await itemsOf(readNem12, [begin, register, day("20260404")].join("\n"));
    assert.equal(items.filter(({ kind }) => kind === "value").length, 48);
    assert.deepEqual(problemsOf(items), [
      "3: the file ends without a 900 row, so its end may be missing",
    ]);
  });

  test("files as portals give them: joined, padded, without first rows", async () => {
    const padded = `200,NFGH004417,E1,1,E1,,,KWH,30${",".repeat(45)}`;
    const short = `300,20260404,${values()},A${",".repeat(9)}`;
    const file = `\uFEFF\n${padded}\n${short}\n900,,,\n,,,\n${padded}\n${day("20260405")}\n900\n`;
    const items = await itemsOf(readNem12, file);
    assert.equal(items.filter(({ kind }) => kind === "value").length, 96);
    assert.deepEqual(problemsOf(items), [
      "2: a file begins without a 100 row, and is read as NEM12",
      "6: a file begins without a 100 row, and is read as NEM12",
    ]);
  });

  const unreadable = [
    ["an empty file", ""],
    ["empty lines", "\n\n,,\n"],
    ["another table", "meter,start,kwh\nm,2026-01-01,1\n"],
    ["NEM13", "100,NEM13,202604140911,MDP4,RET7\n900\n"],
    ["a quote that never ends", nem12(register, day("20260404").replace("A,", '"A,'))],
    ["a row without end", `${begin}\n${"1,".repeat(100_000)}`],
    ["bytes", Buffer.from([0xff, 0xfe, 0x31, 0, 0x30, 0, 0x30, 0])],
  ] as const;
  for (const [what, file] of unreadable) {
    test(`is no NEM12 file: ${what}`, async () => {
      await assert.rejects(itemsOf(readNem12, file), (error) => {
        assert.ok(error instanceof FileUnreadable);
        assert.ok(error.next.length > 0 && !error.message.includes("\n"));
        return true;
      });
    });
  }

  test("what the source of the bytes says is passed on", async () => {
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from(begin);
      throw new Error("the disk is gone");
    };
    const reading = async () => {
      for await (const _ of readNem12(broken(), { nowMs: 0 }));
    };
    await assert.rejects(reading, /the disk is gone/);
  });
});
