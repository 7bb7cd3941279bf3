import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readNem12 } from "../../../../src/energy-files/nem12/nem12-reader.js";
import { problemsOf, type Series, seriesOf } from "../support/items.js";
import { itemsOf } from "../support/reading.js";

const firstDay = Date.parse("2026-03-01T00:00:00+10:00") / 1000;

const units = [
  ["Wh", 0],
  ["kWh", 3],
  ["KWH", 3],
  ["MWh", 6],
] as const;

const flags = [
  ["A", "measured"],
  ["E52", "estimated"],
  ["S14", "substituted"],
  ["F18", "substituted"],
  ["N", undefined],
] as const;

const flag = fc.constantFrom(...flags);

const register = fc.record({
  number: fc.constantFrom("1", "2", "A"),
  letter: fc.constantFrom("E", "B"),
  unit: fc.constantFrom(...units),
  minutes: fc.constantFrom(5, 15, 30),
  days: fc.uniqueArray(
    fc.record({
      day: fc.nat({ max: 60 }),
      /** From this on values repeat, so that a day is a few numbers to generate. */
      values: fc.array(fc.nat({ max: 9_999_999 }), { minLength: 1, maxLength: 20 }),
      decimals: fc.nat({ max: 6 }),
      flag,
      /** Ends of ranges of 400 rows. */
      ranges: fc.array(fc.tuple(fc.integer({ min: 1, max: 288 }), flag), { maxLength: 4 }),
    }),
    { selector: ({ day }) => day, minLength: 1, maxLength: 3 },
  ),
});

const model = fc.record({
  registers: fc.uniqueArray(register, {
    selector: ({ letter, number }) => letter + number,
    minLength: 1,
    maxLength: 4,
  }),
  newline: fc.constantFrom("\n", "\r\n", "\r"),
  padding: fc.nat({ max: 3 }),
  chunkBytes: fc.integer({ min: 1, max: 3_000 }),
});

type Model = typeof model extends fc.Arbitrary<infer T> ? T : never;

test("what is written as NEM12 is read back exactly", async () => {
  await fc.assert(
    fc.asyncProperty(model, async ({ registers, newline, padding, chunkBytes }) => {
      const { rows, expected } = written(registers);
      const file = rows.map((row) => row + ",".repeat(padding) + newline).join("");
      const items = await itemsOf(readNem12, file, { chunkBytes });
      assert.deepEqual(problemsOf(items), []);
      assert.deepEqual(seriesOf(items), expected);
    }),
    { numRuns: 60 },
  );
});

function written(registers: Model["registers"]): { rows: string[]; expected: Series[] } {
  const rows = ["100,NEM12,202604140911,MDP4,RET7"];
  const expected: Series[] = [];
  for (const { number, letter, unit, minutes, days } of registers) {
    rows.push(`200,NFGH004417,E1,1,${letter}${number},,,${unit[0]},${minutes},`);
    const count = 1440 / minutes;
    const series: Series = {
      meter: `NFGH004417-${number}`,
      direction: letter === "E" ? "imported" : "exported",
      intervalS: minutes * 60,
      values: [],
    };
    for (const { day, values, decimals, flag, ranges } of days) {
      const digits = Array.from({ length: count }, (_, i) => values[i % values.length] ?? 0);
      const texts = digits.map((value) => decimal(BigInt(value), decimals));
      const date = new Date((firstDay + day * 86_400) * 1000 + 10 * 3_600_000);
      const yyyymmdd = date.toISOString().slice(0, 10).replaceAll("-", "");
      const { last, qualities, rangeRows } = qualified(count, flag, ranges);
      rows.push(`300,${yyyymmdd},${texts.join(",")},${last},,,,`, ...rangeRows);
      for (const [i, value] of digits.entries()) {
        const quality = qualities[i]?.[1];
        if (quality === undefined) continue;
        const startS = firstDay + day * 86_400 + i * minutes * 60;
        const wh = decimal(BigInt(value) * 10n ** BigInt(unit[1]), decimals);
        series.values.push([startS, trimmed(wh), quality]);
      }
    }
    if (series.values.length > 0) expected.push(series);
  }
  return { rows: [...rows, "900"], expected };
}

/** Ranges one after the other, and V where they cover the whole day. */
function qualified(count: number, flag: Flag, ranges: readonly (readonly [number, Flag])[]) {
  const qualities = Array<Flag>(count).fill(flag);
  const rangeRows: string[] = [];
  let from = 1;
  const ends = ranges.map(([end, other]) => [Math.min(end, count), other] as const);
  for (const [end, other] of ends.toSorted(([a], [b]) => a - b)) {
    if (end < from) continue;
    rangeRows.push(`400,${from},${end},${other[0]},,`);
    qualities.fill(other, from - 1, end);
    from = end + 1;
  }
  return { qualities, rangeRows, last: from > count ? "V" : flag[0] };
}

type Flag = (typeof flags)[number];

/** `digits` / 10^`decimals`. */
function decimal(digits: bigint, decimals: number): string {
  const text = String(digits).padStart(decimals + 1, "0");
  return decimals === 0 ? text : `${text.slice(0, -decimals)}.${text.slice(-decimals)}`;
}

function trimmed(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
