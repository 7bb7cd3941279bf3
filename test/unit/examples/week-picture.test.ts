import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { addTo, type EnergyByHour } from "../../../examples/energy-community/home-energy.js";
import { element, text } from "../../../examples/energy-community/picture/svg.js";
import { weekPicture } from "../../../examples/energy-community/picture/week-picture.js";
import { readAll, shippedData } from "./support.js";

const hourS = 3600;
/** A Monday's midnight where the homes are. */
const mondayS = Date.parse("2016-08-01T00:00:00-08:00") / 1000;

/** Hours from one to another, counted from that midnight, of which all are alike. */
function hoursFrom(first: number, end: number): EnergyByHour {
  const hour = { importedWh: 3000, exportedWh: 2000, soldWh: 500, boughtWh: 500 };
  return new Map(
    Array.from({ length: end - first }, (_, i) => [mondayS + (first + i) * hourS, hour]),
  );
}

const wordsOf = (svg: string) =>
  [...svg.matchAll(/<text [^>]*>([^<]*)<\/text>/g)].map(([, words = ""]) => words);
/** What each layer is drawn as: the x and y at which its outline has corners. */
const outlinesOf = (svg: string) =>
  [...svg.matchAll(/<path d="([^"]*)"/g)].map(([, path = ""]) =>
    [...path.matchAll(/[ML](-?[\d.]+),(-?[\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]),
  );

describe("the picture of a week", () => {
  test("shows the first seven days from midnight to midnight, and what they sum up to", () => {
    const words = wordsOf(weekPicture(hoursFrom(-1, 400), 10));
    assert.match(words[0] ?? "", /^10 homes with solar panels/);
    assert.match(words[1] ?? "", /^Mon 1 Aug to Sun 7 Aug 2016, in hours of UTC−8\./);
    const sums = words.filter((each) => each.endsWith(" kWh"));
    // 168 hours of 0.5, 2.5, 0.5 and 1.5 kWh.
    assert.deepEqual(sums, [
      "bought from neighbours: 84 kWh",
      "from the grid: 420 kWh",
      "sold to neighbours: 84 kWh",
      "to the grid: 252 kWh",
    ]);
    const days = words.filter((each) => /^[A-Z][a-z]{2} \d Aug$/.test(each));
    assert.deepEqual([days.length, days[0], days[6]], [14, "Mon 1 Aug", "Sun 7 Aug"]);
  });

  test("stacks the grid's part upon the neighbours', on one scale", () => {
    const [bought, fromGrid, sold, toGrid] = outlinesOf(weekPicture(hoursFrom(0, 168), 10)).map(
      (points) => points.map(([, y = 0]) => y),
    );
    const levels = [bought, fromGrid, sold, toGrid].map((ys = []) => [
      Math.max(...ys),
      Math.min(...ys),
    ]);
    const [[axis = 0, half = 0] = [], loadPart, soldPart, sunPart] = levels;
    const perKwh = (axis - half) / 0.5;
    assert.ok(perKwh > 0);
    assert.deepEqual(soldPart, [axis, half]);
    for (const [part, topKwh] of [
      [loadPart, 3],
      [sunPart, 2],
    ] as const) {
      const [lower = 0, upper = 0] = part ?? [];
      assert.equal(lower, half);
      assert.ok(Math.abs(axis - upper - topKwh * perKwh) < 1, `${upper}`);
    }
  });

  test("less than a week is shown from its first hour on", () => {
    const words = wordsOf(weekPicture(hoursFrom(-1, 16), 1));
    assert.match(words[1] ?? "", /^Sun 31 Jul to Mon 1 Aug 2016/);
    // The one hour of Sunday has no room for its name.
    assert.ok(words.includes("Mon 1 Aug") && !words.includes("Sun 31 Jul"));
    assert.ok(words.includes("from the grid: 43 kWh"));
  });

  test("an hour of which the ledger has nothing is a gap, and not 0", () => {
    const hours = hoursFrom(0, 12);
    const paths = (svg: string) => outlinesOf(svg).map((points) => points.length);
    const whole = paths(weekPicture(hours, 1));
    hours.delete(mondayS + 5 * hourS);
    const svg = weekPicture(hours, 1);
    assert.deepEqual(
      paths(svg),
      whole.map((points) => points - 4),
    );
    assert.equal([...svg.matchAll(/d="M[^"]*ZM[^"]*Z"/g)].length, 4);
  });
});

test("the README shows what the demo draws of the shipped data", async () => {
  const { days, community } = await readAll(shippedData, 9);
  const energy: EnergyByHour = new Map();
  for (const { startS, readings, trades } of days.flatMap(({ hours }) => hours)) {
    for (const reading of readings) addTo(energy, startS, reading);
    for (const { energyWh } of trades)
      addTo(energy, startS, { soldWh: energyWh, boughtWh: energyWh });
  }
  const shown = readFileSync(join(shippedData, "..", "week.svg"), "utf8");
  const isSame = shown === weekPicture(energy, community.homes.length);
  assert.ok(isSame, "look at .demo/week.svg after make demo, and copy it to week.svg");
});

describe("SVG as text", () => {
  test("words and attributes cannot end what they stand in", () => {
    assert.equal(text("text", { x: 1 / 3 }, '<&">'), '<text x="0.33">&lt;&amp;&quot;&gt;</text>');
    assert.equal(element("g", { id: '"' }, ["<a/>"]), '<g id="&quot;"><a/></g>');
  });
});
