/**
 * The half year that is shipped. What is expected was computed apart from this code, with exact
 * fractions in Python over the CSV files: load and generation of each home, and its sums of whole
 * Wh by the formula in to-wh.ts.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { CommunitySums } from "../../../examples/energy-community/community/energy-sums.js";
import { readAll, shippedData } from "./support.js";

/** Wh: imported, exported, load, generation. */
const expected: Readonly<Record<string, readonly [bigint, bigint, bigint, bigint]>> = {
  "building-1": [4039435n, 1578096n, 5584928n, 3123589n],
  "building-2": [3686858n, 915172n, 4900622n, 2128936n],
  "building-3": [2356113n, 1195807n, 3434257n, 2273951n],
  "building-4": [2848174n, 507441n, 4714145n, 2373412n],
  "building-5": [2881659n, 755579n, 4691896n, 2565816n],
  "building-6": [5253586n, 788654n, 7206608n, 2741676n],
  "building-7": [2909878n, 1420807n, 4437673n, 2948602n],
  "building-8": [2970731n, 1582559n, 4296379n, 2908207n],
  "building-9": [2751738n, 1291177n, 3715750n, 2255189n],
  "building-10": [5451186n, 1415425n, 6822234n, 2786473n],
};

async function sumsOf(daysMax?: number) {
  const { community, days, hours, problems } = await readAll(shippedData, daysMax);
  assert.deepEqual(problems.lines(), []);
  const sums = new CommunitySums(community.homes.map(({ id }) => id));
  for (const day of days) sums.add(day);
  return { sums, hours };
}

describe("the shipped half year", () => {
  test("every home imports and exports what the data say", async () => {
    const { sums, hours } = await sumsOf();
    assert.equal(hours.length, 4416);
    for (const [homeId, [importedWh, exportedWh, loadWh, generationWh]] of Object.entries(
      expected,
    )) {
      const home = sums.byHome.get(homeId);
      assert.deepEqual([home?.profiles, home?.values], [185, 4416]);
      assert.ok(home);
      assert.deepEqual([home.importedWh, home.exportedWh], [importedWh, exportedWh], homeId);
      assert.equal(home.importedWh - home.exportedWh, loadWh - generationWh);
    }
    const { profiles, values, sales, soldWh, boughtWh } = sums.total;
    assert.deepEqual([values, soldWh, boughtWh], [44_160, 2_283_542n, 2_283_542n]);
    assert.deepEqual([sums.hoursWithTrades, sales], [1562, 13_793]);
    assert.deepEqual([sums.days, profiles, sums.records], [185, 1850, 15_643]);
    assert.equal(Math.max(...sums.whMax.values()), 8602);
  });

  test("the first week and what comes before it have 989 records", async () => {
    const { sums } = await sumsOf(8);
    const { profiles, values, sales, importedWh, exportedWh, soldWh } = sums.total;
    assert.deepEqual([importedWh, exportedWh, soldWh], [1_432_047n, 529_061n, 183_164n]);
    assert.deepEqual([sums.hours, sums.hoursWithTrades, values], [185, 102, 1850]);
    assert.deepEqual([profiles, sales, sums.records], [80, 909, 989]);
  });

  test("the files are those whose checksums stand beside their source", () => {
    const sources = readFileSync(join(shippedData, "SOURCES.md"), "utf8");
    for (const name of ["hourly", "pv_kw", "tariff"].map((part) => `homes_fontana_${part}.csv`)) {
      const digest = createHash("sha256")
        .update(readFileSync(join(shippedData, name)))
        .digest("hex");
      assert.ok(sources.includes(`${digest}  ${name}`), name);
    }
  });
});
