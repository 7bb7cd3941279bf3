/** Half a year of ten real homes, as their publisher wrote it, through reader and profiles. */
import assert from "node:assert/strict";
import { createReadStream, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { CsvMapping } from "../../../src/energy-files/csv/csv-mapping.js";
import { csvReader } from "../../../src/energy-files/csv/csv-reader.js";
import { exactNumber } from "../../../src/energy-files/exact-number.js";
import { Periods } from "../../../src/energy-files/profiles/periods.js";
import { ProfileAssembler } from "../../../src/energy-files/profiles/profile-assembler.js";
import { timeZoneOf } from "../../../src/energy-files/time-zone.js";
import { repositoryRoot } from "../../support/tree.js";

const data = join(repositoryRoot(), "examples/energy-community/data");

test("the homes' half year has the sums that exact fractions in Python have, to the Wh", async () => {
  const installed = readFileSync(join(data, "homes_fontana_pv_kw.csv"), "utf8");
  const scale = new Map(
    installed
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => {
        const [building = "", kw = ""] = line.trim().split(",");
        return [building, exactNumber(kw, ".") ?? { amount: 0n, per: 1n }] as const;
      }),
  );
  const firstS = Date.parse("2016-08-01T00:00:00-08:00") / 1000;
  const mapping: CsvMapping = {
    delimiter: ",",
    decimalMark: ".",
    headerLine: 1,
    absent: [],
    content: {
      kind: "intervals",
      time: { columns: ["row"], format: "count", stamp: "end", firstS },
      intervalS: 3600,
      meterColumn: "building",
      values: [
        { columns: ["non_shiftable_load"], direction: "imported", unit: "kWh" },
        { columns: ["solar_generation"], direction: "exported", unit: "W", scale },
      ],
    },
  };
  const read = csvReader(mapping, { intervalSOf: () => undefined });
  const assembler = new ProfileAssembler(new Periods("day", timeZoneOf("-08:00")));
  const file = createReadStream(join(data, "homes_fontana_hourly.csv"));
  for await (const item of read(file, { nowMs: Date.now() })) {
    assert.equal(item.kind, "value");
    if (item.kind === "value") assert.deepEqual(assembler.add(item.meterName, item), []);
  }
  const sums = { profiles: 0, values: 0, importedWh: 0, exportedWh: 0 };
  for (const profile of assembler.end()) {
    assert.ok(profile.kind === "profile");
    sums.profiles += 1;
    for (const value of profile.values) {
      if (value === undefined) continue;
      sums.values += 1;
      sums.importedWh += value.importedWh;
      sums.exportedWh += value.exportedWh;
    }
  }
  assert.deepEqual(sums, {
    profiles: 1850,
    values: 44_160,
    importedWh: 49_804_492,
    exportedWh: 26_105_851,
  });
});
