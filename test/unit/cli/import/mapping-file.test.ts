import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Command } from "commander";
import {
  csvMappingOf,
  mergedMapping,
  readMappingFile,
} from "../../../../src/cli/import/mapping-file.js";
import {
  addMappingOptions,
  type MappingOptions,
  mappingOfOptions,
} from "../../../../src/cli/import/mapping-options.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const complete = `delimiter: ";"
decimal_mark: ","
encoding: windows-1252
header_line: 2
absent: ["-"]
zone: Europe/Berlin
time: {columns: [Datum, Zeit], format: dd.mm.yyyy, stamp: end}
interval_s: 900
meter_column: Zähler
values:
  - {columns: [T1, T2], direction: imported, unit: kWh}
  - {column: PV, direction: exported, unit: W, scale: {H1: 4.5, H2: "0.1"}}
quality: {column: Q, measured: [A], estimated: [E], absent: [N]}
meters: {H1: meter-1}
stations: {L1: station-1}
`;

describe("a mapping", () => {
  const file = join(temporaryDirectory(), "mapping.yaml");
  const read = (text: string) => {
    writeFileSync(file, text);
    return readMappingFile(file);
  };
  const optionsOf = (...args: readonly string[]) => {
    const command = new Command().exitOverride();
    addMappingOptions(command);
    command.parse(args, { from: "user" });
    return mappingOfOptions(command.opts<MappingOptions>());
  };
  const noOptions = optionsOf();

  test("of a file says what the columns mean", () => {
    const mapping = mergedMapping(file, read(complete), noOptions);
    assert.deepEqual(csvMappingOf(mapping), {
      delimiter: ";",
      decimalMark: ",",
      encoding: "windows-1252",
      headerLine: 2,
      absent: ["-"],
      content: {
        kind: "intervals",
        time: { columns: ["Datum", "Zeit"], format: "dd.mm.yyyy", stamp: "end" },
        intervalS: 900,
        meterColumn: "Zähler",
        values: [
          { columns: ["T1", "T2"], direction: "imported", unit: "kWh" },
          {
            columns: ["PV"],
            direction: "exported",
            unit: "W",
            scale: new Map([
              ["H1", { amount: 45n, per: 10n }],
              ["H2", { amount: 1n, per: 10n }],
            ]),
          },
        ],
        quality: {
          column: "Q",
          words: new Map([
            ["A", "measured"],
            ["E", "estimated"],
            ["N", "absent"],
          ]),
        },
      },
    });
    assert.deepEqual(
      [...mapping.meterIds, ...mapping.stationIds],
      [
        ["H1", "meter-1"],
        ["L1", "station-1"],
      ],
    );
  });

  test("of options says the same", () => {
    const options = optionsOf(
      ...["--delimiter", ";", "--decimal-mark", ",", "--encoding", "windows-1252"],
      ...["--header-line", "2", "--absent", "-", "--zone", "Europe/Berlin", "--time", "Datum"],
      ...["--time", "Zeit", "--time-format", "dd.mm.yyyy", "--stamp", "end", "--interval", "900"],
      ...["--meter-column", "Zähler", "--imported", "T1", "--exported", "PV", "--unit", "kWh"],
      ...["--scale", "PV=4.5", "--quality", "Q", "--quality-word", "A=measured"],
      ...["--quality-word", "N=absent", "--meter", "H1=meter-1", "--station", "L1=station-1"],
    );
    const fromFile = read(
      complete
        .replace("columns: [T1, T2]", "column: T1")
        .replace('unit: W, scale: {H1: 4.5, H2: "0.1"}', "unit: kWh, scale: 4.5")
        .replace("estimated: [E], ", ""),
    );
    assert.deepEqual(
      csvMappingOf(mergedMapping(undefined, {}, options)),
      csvMappingOf(mergedMapping(file, fromFile, noOptions)),
    );
  });

  test("options go before the file, key by key, and names are joined", () => {
    const options = optionsOf("--stamp", "start", "--meter", "H2=meter-2", "--decimal-mark", ".");
    const mapping = mergedMapping(file, read(complete), options);
    const { decimalMark, content } = csvMappingOf(mapping);
    assert.equal(decimalMark, ".");
    assert.ok(content.kind === "intervals");
    assert.deepEqual(content.time, {
      columns: ["Datum", "Zeit"],
      format: "dd.mm.yyyy",
      stamp: "start",
    });
    assert.deepEqual([...mapping.meterIds.keys()], ["H1", "H2"]);
  });

  test("has one digest, however it is written, and another one when it says something else", () => {
    const digestOf = (text: string) => mergedMapping(file, read(text), noOptions).digest;
    const other = complete.split("\n").toReversed().join("\n");
    const reordered = `${other.slice(0, 0)}zone: Europe/Berlin\n${complete.replace("zone: Europe/Berlin\n", "")}`;
    assert.equal(digestOf(reordered), digestOf(complete));
    assert.notEqual(digestOf(complete.replace("end}", "start}")), digestOf(complete));
  });

  test("of sessions", () => {
    const sessions =
      "sessions: {station_column: P, session_column: S, owner_column: O, start_column: A, " +
      "end_column: B, energy_column: E, unit: kWh, time_format: iso}\n";
    const options = optionsOf(
      ...["--station-column", "P", "--session-column", "S", "--start-column", "A"],
      ...[
        "--owner-column",
        "O",
        "--end-column",
        "B",
        "--energy-column",
        "E",
        "--unit",
        "kWh",
        "--time-format",
        "iso",
      ],
    );
    const fromFile = csvMappingOf(mergedMapping(file, read(sessions), noOptions));
    assert.deepEqual(csvMappingOf(mergedMapping(undefined, {}, options)), fromFile);
    assert.throws(() => optionsOf("--station-column", "P"), /need all of their options/);
  });

  for (const [text, message] of [
    ["delimeter: ';'\nzone: UTC", /:1: .*delimeter.* did you mean `delimiter`/],
    ["zone: Berlin", /zone.*a time zone such as Europe\/Berlin/],
    ["time: {column: T, format: dd.mm.yy}", /time\.format.*one of iso, dd\.mm\.yyyy/],
    ["values:\n  - {column: T, direction: in}", /:2: .*values\[0\]\.direction.*one of imported/],
    ["values:\n  - {column: T, direction: net, scale: -1}", /values\[0\]\.scale/],
    ["meters: {a: 'b c'}", /meters\.a.*an id of 1 to 63 characters/],
    ["meters: {a: 5414}", /meters\.a.*quotes around it/],
    ["delimiter: ';;'", /delimiter.*one character/],
  ] as const) {
    test(`names what is wrong: ${text.replaceAll("\n", " ")}`, () => {
      assert.throws(() => read(`${text}\n`), { name: "ConfigError", message });
    });
  }

  for (const [without, message] of [
    [/format: dd\.mm\.yyyy, /, /does not say time\.format; give --time-format/],
    [/, stamp: end/, /does not say time\.stamp; give --stamp/],
    [/columns: \[Datum, Zeit\], /, /does not say time\.column; give --time COLUMN/],
    [/, unit: kWh/, /does not say values\[0\]\.unit; give --unit/],
    [/values:\n.*\n.*\n/, /does not say values; give --imported/],
  ] as const) {
    test(`tells what is not said: ${message.source}`, () => {
      const mapping = mergedMapping(file, read(complete.replace(without, "")), noOptions);
      assert.throws(() => csvMappingOf(mapping), { name: "CliError", message });
    });
  }

  test("counts from a moment, not from a local time", () => {
    const counting = (first: string) =>
      csvMappingOf(
        mergedMapping(
          file,
          read(
            complete.replace(/time: .*/, `time: {column: n, format: count, stamp: end${first}}`),
          ),
          noOptions,
        ),
      ).content;
    const content = counting(", first: '2016-08-01T00:00:00-08:00'");
    assert.ok(content.kind === "intervals");
    assert.equal(content.time.firstS, 1_470_038_400);
    assert.throws(() => counting(", first: '2016-08-01T00:00:00'"), /no time zone/);
    assert.throws(() => counting(""), /does not say time\.first/);
  });
});
