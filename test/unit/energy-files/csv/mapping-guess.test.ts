import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { guessMapping } from "../../../../src/energy-files/csv/mapping-guess.js";

function guessed(text: string | Uint8Array): Readonly<Record<string, unknown>> {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  const findings = guessMapping(bytes, true);
  return Object.fromEntries(
    findings.map(({ key, value, certainty }) => [certainty === "open" ? `${key}?` : key, value]),
  );
}

const hours = (count: number) =>
  Array.from({ length: count }, (_, i) => String(i % 24).padStart(2, "0"));

describe("the mapping that is proposed for a CSV file", () => {
  test("of a spreadsheet: UTF-16, semicolons, decimal commas, meters as columns", () => {
    const rows = hours(20).map((hour) => `13.01.2026 ${hour}:00;1,5;0,25`);
    const text = `\ufeffZeit von;Bezug [kWh];Einspeisung [kWh]\r\n${rows.join("\r\n")}\r\n`;
    assert.deepEqual(guessed(new Uint8Array(Buffer.from(text, "utf16le"))), {
      encoding: "utf-16le",
      delimiter: ";",
      header_line: 1,
      decimal_mark: ",",
      time: { column: "Zeit von", format: "dd.mm.yyyy", stamp: "start" },
      "zone?": "Europe/Berlin",
      interval_s: 3600,
      values: [
        { column: "Bezug [kWh]", direction: "imported", unit: "kWh" },
        { column: "Einspeisung [kWh]", direction: "exported", unit: "kWh" },
      ],
    });
  });

  test("of meters as rows, signed power without a unit, and times with an offset", () => {
    const rows = hours(12).flatMap((hour) =>
      ["a1", "a2"].map(
        (meter) => `2026-01-13T${hour}:00Z,${meter},${meter === "a1" ? "-" : ""}1.5`,
      ),
    );
    assert.deepEqual(guessed(`end,identifier,meterPower\n${rows.join("\n")}\n`), {
      encoding: "utf-8",
      delimiter: ",",
      header_line: 1,
      decimal_mark: ".",
      time: { column: "end", format: "iso", stamp: "end" },
      interval_s: 3600,
      meter_column: "identifier",
      values: [{ column: "meterPower", direction: "net" }],
    });
  });

  test("leaves open what the file does not tell", () => {
    const rows = hours(9).map((hour) => `0${Number(hour) + 1}/02/2026 00:00,1,2`);
    const found = guessed(`a,,\nb,,\nwhen,load kW,x\n${rows.join("\n")}\n`);
    assert.equal(found.header_line, 3);
    assert.deepEqual(found.time, { column: "when" });
    assert.ok("zone?" in found);
    assert.deepEqual(found.values, [{ column: "load kW", direction: "imported", unit: "kW" }]);
    const numbers = guessed("row,load\n1,2\n2,3\n");
    assert.ok("time?" in numbers);
  });

  test("of charging sessions", () => {
    const rows = hours(9).map((hour, i) => `${i + 1},p${i % 2},13.01.2026 ${hour}:00,NA,${i}.5`);
    const text = `session_ID,Point_station,Start,End,El_kWh\n${rows.join("\n")}\n`;
    const found = guessed(text.replaceAll("NA", "13.01.2026 23:00"));
    assert.deepEqual(found.sessions, {
      station_column: "Point_station",
      session_column: "session_ID",
      start_column: "Start",
      end_column: "End",
      energy_column: "El_kWh",
      unit: "kWh",
      time_format: "dd.mm.yyyy",
    });
  });

  test("other encodings, date and time apart, and files with nothing in them", () => {
    const rows = hours(5).map((hour) => `13.01.2026;${hour}:00;1,5`);
    const text = `Datum;Uhrzeit;Zähler kWh\n${rows.join("\n")}\n`;
    const found = guessed(new Uint8Array(Buffer.from(text, "latin1")));
    assert.equal(found.encoding, "windows-1252");
    assert.deepEqual(found.time, { columns: ["Datum", "Uhrzeit"], format: "dd.mm.yyyy" });
    for (const nothing of ["", "\n", "one\n", "\0\0\0\0"])
      assert.ok("delimiter" in guessed(nothing));
  });
});
