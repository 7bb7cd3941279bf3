import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readTime } from "../../../../src/cli/text/time-text.js";
import { offsetMsOf, timeZoneOf } from "../../../../src/energy-files/time-zone.js";

const nowMs = Date.UTC(2026, 10, 28);
const hour = (utcHour: number, minute = 0) => Date.UTC(2026, 10, 1, utcHour, minute);

describe("times as text", () => {
  for (const [text, ms] of [
    ["1793491200", hour(0)],
    ["1793491200250", hour(0) + 250],
    ["2026-11-01T01:00Z", hour(1)],
    ["2026-11-01t01:00z", hour(1)],
    ["2026-11-01 01:00:00Z", hour(1)],
    ["2026-11-01 01:00:00 UTC", hour(1)],
    ["2026-11-01T01:00:00.250+02:00", hour(-1) + 250],
    ["2026-11-01T01:00:00,25Z", hour(1) + 250],
    ["2026-11-01T01:00:00+00", hour(1)],
    ["2026-11-01T01:00:00+0000", hour(1)],
    ["2026-11-01T01:00:00 -0330", hour(4, 30)],
    ["2026-11-01T10:30:00+0930", hour(1)],
    ["2026-11-01T01:00:00.000000+00:00", hour(1)],
    ["2026-11-01T24:00:00Z", hour(24)],
    ["2024-02-29T00:00Z", Date.UTC(2024, 1, 29)],
  ] as const) {
    test(`${text} is ${new Date(ms).toISOString()}`, () => {
      assert.deepEqual(readTime(text, { nowMs }), { ok: true, value: { ms, isExact: true } });
    });
  }

  test("what is finer than a millisecond is cut off, and that is told", () => {
    const read = readTime("2026-11-01T01:00:00.123456+00:00", { nowMs });
    assert.deepEqual(read, { ok: true, value: { ms: hour(1) + 123, isExact: false } });
  });

  for (const [text, why] of [
    ["20261101", /8 digits look like a date without dashes; write ISO 8601/],
    ["46327", /5 digits look like a spreadsheet's number of a day/],
    ["46327.5", /spreadsheet's number of a day/],
    ["202611010100", /12 digits look like date and time without separators/],
    ["20261101010000", /14 digits look like date and time/],
    ["2026110101", /as Unix time it would be 2034-03-16, more than a year ahead/],
    ["9793491200250", /it would be 2280-\d\d-\d\d, more than a year ahead/],
    ["0", /Unix times have 10 digits in seconds and 13 in milliseconds/],
    ["360000", /Unix times have 10 digits/],
    ["17934912000", /Unix times have 10 digits/],
    ["2026-11-01", /has no time zone; write one behind it.*or give --zone/],
    ["2026-11-01T01:00:00", /has no time zone/],
    ["2026-02-30T00:00Z", /no such day/],
    ["2026-13-01T00:00Z", /no such day/],
    ["2023-02-29T00:00Z", /no such day/],
    ["0024-01-01T00:00Z", /no such day/],
    ["2026-11-01T24:01Z", /no such time of day/],
    ["2026-11-01T12:60Z", /no such time of day/],
    ["2026-11-01T12:00+15:00", /no such time zone/],
    ["2026-11-01T12:00 EST", /expected Unix seconds, or ISO 8601/],
    ["1.11.2026", /expected Unix seconds, or ISO 8601/],
    ["11/01/2026 1:00 PM", /expected Unix seconds, or ISO 8601/],
    ["NA", /expected Unix seconds/],
    ["-1793491200", /expected Unix seconds/],
  ] as const) {
    test(`${text} is refused`, () => {
      const read = readTime(text, { nowMs });
      assert.ok(!read.ok);
      assert.match(read.error, why);
    });
  }

  const berlin = timeZoneOf("Europe/Berlin");
  for (const [text, iso] of [
    ["2026-07-01 12:00", "2026-07-01T10:00:00.000Z"],
    ["2026-12-01 12:00", "2026-12-01T11:00:00.000Z"],
    ["2026-07-01", "2026-06-30T22:00:00.000Z"],
    ["2026-03-29 01:59:59", "2026-03-29T00:59:59.000Z"],
    ["2026-03-29 03:00", "2026-03-29T01:00:00.000Z"],
    ["2026-10-25 01:45", "2026-10-24T23:45:00.000Z"],
    ["2026-10-25 03:00", "2026-10-25T02:00:00.000Z"],
    // An offset that is there counts.
    ["2026-10-25T02:30+02:00", "2026-10-25T00:30:00.000Z"],
    ["2026-07-01 12:00Z", "2026-07-01T12:00:00.000Z"],
  ] as const) {
    test(`${text} of Berlin is ${iso}`, () => {
      const read = readTime(text, { nowMs, zone: berlin });
      assert.ok(read.ok, read.ok ? "" : read.error);
      assert.equal(new Date(read.value.ms).toISOString(), iso);
    });
  }

  test("an hour that clocks leave out, and one that comes twice, are refused", () => {
    const gap = readTime("2026-03-29 02:30", { nowMs, zone: berlin });
    assert.ok(!gap.ok);
    assert.match(gap.error, /clocks in Europe\/Berlin leave this time out/);
    const twice = readTime("2026-10-25 02:30", { nowMs, zone: berlin });
    assert.ok(!twice.ok);
    assert.match(twice.error, /twice in Europe\/Berlin; write \+02:00 or \+01:00 behind it/);
  });

  test("zones of half hours, of the south, and that skip a day, hold too", () => {
    const adelaide = timeZoneOf("Australia/Adelaide");
    const summer = readTime("2026-11-05 00:00", { nowMs, zone: adelaide });
    assert.deepEqual(summer.ok && summer.value.ms, Date.UTC(2026, 10, 4, 13, 30));
    // Half an hour is put back there, so 01:45 comes twice and 02:00 does not.
    const lordHowe = timeZoneOf("Australia/Lord_Howe");
    assert.equal(readTime("2026-04-05 01:45", { nowMs, zone: lordHowe }).ok, false);
    assert.equal(readTime("2026-04-05 02:00", { nowMs, zone: lordHowe }).ok, true);
    const apia = timeZoneOf("Pacific/Apia");
    assert.equal(readTime("2011-12-30 12:00", { nowMs, zone: apia }).ok, false);
    assert.equal(readTime("2011-12-31 12:00", { nowMs, zone: apia }).ok, true);
  });

  test("a zone is a name of the database or an offset, and nothing else", () => {
    for (const name of ["Europe/Berlin", "America/Argentina/Salta", "UTC", "+09:30", "-03"]) {
      assert.equal(timeZoneOf(name)?.name, name);
    }
    for (const name of ["", "Berlin", "Europe/Berlinn", "EST", "+25:00", "local"]) {
      assert.equal(timeZoneOf(name), undefined, name);
    }
    assert.equal(offsetMsOf("+0930"), 34_200_000);
  });
});
