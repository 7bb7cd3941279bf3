/** `bss import` against real processes: all of a file, once and right, however often it runs. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type LoadProfile, ValueQuality } from "../../../src/gen/bss/v1/record_pb.js";
import { BssProcess } from "../../support/bss.js";
import { LiveConsortium, suiteTimeoutMs } from "../../support/live-consortium.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import {
  block,
  feed,
  meterReading,
  readingType,
  usagePoint,
} from "../../unit/energy-files/support/green-button-feed.js";

/** The clocks of Berlin went back on the second day, which has 25 hours. */
const days = ["2025-10-25", "2025-10-26", "2025-10-27"];
const mapping = `delimiter: ";"
decimal_mark: ","
zone: Europe/Berlin
time: {column: Zeit, format: dd.mm.yyyy, stamp: end}
values:
  - {column: Bezug, meter: Haus, direction: imported, unit: kW}
  - {column: PV, meter: Haus, direction: exported, unit: kWh}
meters: {Haus: meter-1}
`;

/** Hourly rows as a spreadsheet writes them, with the exact sums in Wh. */
function spreadsheet(): { readonly rows: string[]; readonly wh: readonly [number, number] } {
  const rows: string[] = [];
  let number = 0;
  for (const day of days) {
    const [year, month, date] = day.split("-").map(Number);
    for (let hour = 1; hour <= 24; hour++) {
      for (let pass = 0; pass < (day === days[1] && hour === 2 ? 2 : 1); pass++) {
        number += 1;
        const end = new Date(Date.UTC(year ?? 0, (month ?? 1) - 1, date, hour)).toISOString();
        const [y, m, d] = end.slice(0, 10).split("-");
        rows.push(`${d}.${m}.${y} ${end.slice(11, 16)};0,0004${number % 10};1,5E-4`);
      }
    }
  }
  const milli = rows.map((row) => Number(row.slice(-8, -7)));
  const importedWh = milli.reduce((sum, digit) => sum + 0.4 + digit * 0.01, 0);
  return { rows, wh: [Math.round(importedWh), Math.round(rows.length * 0.15)] };
}

describe("bss import", { timeout: suiteTimeoutMs }, () => {
  const parent = temporaryDirectory();
  const path = (name: string) => join(parent, name);
  const commands = new BssProcess(parent);
  let consortium: LiveConsortium;

  before(async () => {
    const sizes = { managers: 2, storage: 1, participants: 2 };
    consortium = await LiveConsortium.start(path("live"), sizes);
    writeFileSync(path("mapping.yaml"), mapping);
  });
  after(async () => {
    commands.close();
    await consortium?.close();
  });

  const importFile = async (...options: readonly string[]) => {
    const profile = join(consortium.directory, "participants/participant-1/profile.yaml");
    const { code, out, err } = await commands.run(
      ...["--json", "import", "year.csv", "--mapping", "mapping.yaml", "--profile", profile],
      ...options,
    );
    return { code, err, counts: out === "" ? undefined : JSON.parse(out) };
  };
  const countsOf = ({ counts }: Awaited<ReturnType<typeof importFile>>) => [
    counts.received,
    counts.updated,
    counts.done_before,
    counts.malformed,
    counts.refused,
  ];

  /** The profiles that stand, by the first values. */
  const standing = async (): Promise<readonly LoadProfile[]> => {
    const client = await consortium.client("participant-1");
    const profiles: LoadProfile[] = [];
    for await (const { content } of client.listRecords({ meterId: "meter-1" })) {
      if (content === undefined || content.successor !== undefined) continue;
      const { payload } = content.record;
      if (payload.case === "loadProfile") profiles.push(payload.value);
    }
    return profiles;
  };
  const sumOf = (lists: readonly (readonly number[])[]) =>
    lists.flat().reduce((sum, value) => sum + value, 0);

  test("records the days of the zone, a row that is wrong is named, and the rest goes on", async () => {
    const { rows } = spreadsheet();
    const wrong = rows.with(70, (rows[70] ?? "").replace(";0,", ";0."));
    writeFileSync(path("year.csv"), `\ufeffZeit;Bezug;PV\r\n${wrong.join("\r\n")}\r\n`);
    const ran = await importFile();
    assert.equal(ran.code, 1);
    assert.match(ran.err, /year\.csv:72: column Bezug: .* decimal mark is "\."/);
    assert.match(ran.err, /year\.csv:72: meter-1: there is no imported value/);
    assert.deepEqual(countsOf(ran), [3, 0, 0, 2, 0]);
    assert.equal(
      readFileSync(path("year.csv.receipts.jsonl.refused.csv"), "utf8").split("\n").length,
      4,
    );
    const profiles = await standing();
    const counts = profiles.map(({ runs }) => runs.map(({ count }) => count));
    assert.deepEqual(counts, [[24], [25], [21, 1, 2]]);
  });

  test("sends only what is missing or corrected, as an update, and the sums are exact", async () => {
    const { rows, wh } = spreadsheet();
    const again = await importFile();
    assert.deepEqual([again.code, ...countsOf(again)], [1, 0, 0, 3, 2, 0]);
    writeFileSync(path("year.csv"), `Zeit;Bezug;PV\n${rows.join("\n")}\n`);
    const corrected = await importFile();
    assert.equal(corrected.code, 0, corrected.err);
    assert.deepEqual(countsOf(corrected), [1, 1, 2, 0, 0]);
    const profiles = await standing();
    assert.equal(profiles.length, 3);
    const sums = [
      sumOf(profiles.map(({ importedWh }) => importedWh)),
      sumOf(profiles.map(({ exportedWh }) => exportedWh)),
    ];
    assert.deepEqual(sums, wh);
    const last = await importFile();
    assert.deepEqual(countsOf(last), [0, 0, 3, 0, 0]);
  });

  test("refuses days of another zone, which would overlap those that are recorded", async () => {
    const ran = await importFile("--zone", "UTC");
    assert.equal(ran.code, 1);
    assert.match(ran.err, /a profile for each day of Europe\/Berlin, and a day of UTC would/);
    assert.equal(ran.counts, undefined);
  });

  test("tells of another mapping, and corrects what was read by the first one", async () => {
    writeFileSync(path("mapping.yaml"), mapping.replace("kW}", "MW}"));
    const ran = await importFile();
    assert.equal(ran.code, 0, ran.err);
    assert.match(ran.err, /was last written with another mapping \(mapping\.yaml\)/);
    assert.deepEqual(countsOf(ran), [3, 3, 0, 0, 0]);
  });

  test("reads a Green Button feed without a mapping of its values", async () => {
    const noon = Date.parse("2025-11-03T12:00:00Z") / 1000;
    const readings = [0, 1, 2].map((hour) => ({
      start: noon + hour * 3600,
      duration: 3600,
      value: 7_123 + hour,
      qualities: [hour === 1 ? 8 : 17],
    }));
    const entries = [usagePoint("7"), meterReading("1", "7"), readingType()];
    const wrong = { ...readings[0], start: noon + 3 * 3600, value: -1 };
    const values = block([...readings, wrong], { usagePointId: "7" });
    writeFileSync(path("usage.xml"), feed([...entries, values]));
    const profile = join(consortium.directory, "participants/participant-1/profile.yaml");
    const ran = await commands.run(
      ...["import", "usage.xml", "--meter", "7=meter-1", "--profile", profile],
    );
    assert.equal(ran.code, 1);
    assert.match(ran.err, /usage\.xml:13: column value: "-1" is negative/);
    const profiles = await standing();
    const found = profiles.find(({ importedWh }) => importedWh.length === 3);
    assert.deepEqual(found?.importedWh, [7_123, 7_124, 7_125]);
    assert.deepEqual(
      found.runs.map(({ count, quality }) => [count, quality]),
      [
        [12, ValueQuality.ABSENT],
        [1, ValueQuality.MEASURED],
        [1, ValueQuality.ESTIMATED],
        [1, ValueQuality.MEASURED],
        [9, ValueQuality.ABSENT],
      ],
    );
  });

  test("names profiles that the ledger refuses by meter, day and reason", async () => {
    const ran = await importFile("--out", "other.jsonl");
    assert.equal(ran.code, 1);
    assert.deepEqual(countsOf(ran), [0, 0, 0, 0, 3]);
    assert.match(
      ran.err,
      /year\.csv:2: meter meter-1, 2025-10-25: refused: .*\[INTERVAL_OVERLAP\]/,
    );
  });

  test("a file that does not fit is refused before anything is sent", async () => {
    writeFileSync(path("mapping.yaml"), mapping.replace("column: PV", "column: Solar"));
    const ran = await importFile("--out", "none.jsonl");
    assert.equal(ran.code, 1);
    assert.match(
      ran.err,
      /year\.csv: there is no column \\*"Solar\\*" in line 1 \(its columns: Zeit, Bez/,
    );
  });
});
