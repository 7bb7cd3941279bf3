import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readGreenButton } from "../../../../src/energy-files/green-button/green-button-reader.js";
import {
  block,
  type Entry,
  feed,
  meterReading,
  readingType,
  usagePoint,
} from "../support/green-button-feed.js";
import { problemsOf, type Series, seriesOf } from "../support/items.js";
import { itemsOf } from "../support/reading.js";

const qualities = [
  [undefined, "measured"],
  [17, "measured"],
  [8, "estimated"],
  [7, "substituted"],
] as const;

const series = fc.record({
  usagePoint: fc.nat({ max: 2 }),
  forward: fc.boolean(),
  power: fc.integer({ min: -6, max: 6 }),
  intervalS: fc.constantFrom(300, 900, 1800, 3600),
  firstS: fc.nat({ max: 4_000_000_000 }),
  blocks: fc.array(
    fc.array(
      fc.record({
        value: fc.bigInt({ min: 0n, max: 2n ** 47n }),
        quality: fc.constantFrom(...qualities),
        gap: fc.nat({ max: 2 }),
      }),
      { minLength: 1, maxLength: 6 },
    ),
    { minLength: 1, maxLength: 3 },
  ),
});

const model = fc.record({
  all: fc.uniqueArray(series, {
    selector: ({ usagePoint, forward }) => `${usagePoint} ${forward}`,
    minLength: 1,
    maxLength: 4,
  }),
  /** Decides the order of the entries. */
  shuffle: fc.array(fc.nat(), { minLength: 30, maxLength: 30 }),
  atomPrefix: fc.constantFrom("", "atom", "a.b"),
  espiPrefix: fc.constantFrom("espi", "ns0"),
  linksLast: fc.boolean(),
  chunkBytes: fc.integer({ min: 1, max: 3_000 }),
});

type Model = typeof model extends fc.Arbitrary<infer T> ? T : never;

test("what is written as Green Button is read back exactly, in any order of entries", async () => {
  await fc.assert(
    fc.asyncProperty(model, async ({ all, shuffle, chunkBytes, ...style }) => {
      const { entries, expected } = written(all);
      const order = [...entries.keys()].toSorted((a, b) => (shuffle[a] ?? 0) - (shuffle[b] ?? 0));
      const shuffled = order.map((i) => entries[i] as Entry);
      const items = await itemsOf(readGreenButton, feed(shuffled, style), { chunkBytes });
      assert.deepEqual(problemsOf(items), []);
      assert.deepEqual(sorted(seriesOf(items)), sorted(expected));
    }),
    { numRuns: 150 },
  );
});

function written(all: Model["all"]): { entries: Entry[]; expected: Series[] } {
  const entries = [0, 1, 2].map((id) => usagePoint(`p${id}`));
  const expected: Series[] = [];
  for (const [
    id,
    { usagePoint: point, forward, power, intervalS, firstS, blocks },
  ] of all.entries()) {
    const fields = {
      flowDirection: forward ? "1" : "19",
      powerOfTenMultiplier: String(power),
      intervalLength: String(intervalS),
    };
    const ids = { meterReadingId: `m${id}`, usagePointId: `p${point}` };
    entries.push(meterReading(`m${id}`, `p${point}`, `t${id}`), readingType(fields, `t${id}`));
    const direction = forward ? "imported" : "exported";
    const series: Series = { meter: `p${point}`, direction, intervalS, values: [] };
    expected.push(series);
    let start = firstS;
    for (const [blockId, readings] of blocks.entries()) {
      const written = readings.map(({ value, quality, gap }) => {
        start += gap * intervalS;
        series.values.push([start, scaled(value, power), quality[1]]);
        const codes = quality[0] === undefined ? [] : [quality[0]];
        const reading = { start, value, duration: intervalS, qualities: codes };
        start += intervalS;
        return reading;
      });
      entries.push(block(written, { id: `b${blockId}`, ...ids }));
    }
  }
  return { entries, expected };
}

function scaled(value: bigint, power: number): string {
  if (power >= 0) return String(value * 10n ** BigInt(power));
  const text = String(value).padStart(1 - power, "0");
  return `${text.slice(0, power)}.${text.slice(power)}`.replace(/\.?0+$/, "");
}

/** Blocks may come in any order, so values do. */
function sorted(all: readonly Series[]): Series[] {
  return all
    .map((one) => ({ ...one, values: one.values.toSorted(([a], [b]) => a - b) }))
    .toSorted((a, b) => `${a.meter} ${a.direction}`.localeCompare(`${b.meter} ${b.direction}`));
}
