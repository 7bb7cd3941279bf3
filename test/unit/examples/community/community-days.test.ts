import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Position } from "../../../../examples/energy-community/community/clearing.js";
import { daysOf } from "../../../../examples/energy-community/community/community-days.js";
import type { CommunityHour } from "../../../../examples/energy-community/community/community-hours.js";

const hourS = 3600;
const midnightS = Date.UTC(2016, 7, 2) / 1000;

const took = (homeId: string, importedWh: number): Position => ({
  homeId,
  importedWh,
  exportedWh: 0,
});

/** An hour, counted from a midnight. */
function hourAt(hour: number, ...readings: readonly Position[]): CommunityHour {
  return { startS: midnightS + hour * hourS, readings, trades: [], priceMicroPerKwh: 1n };
}

async function daysIn(hours: readonly CommunityHour[], daysMax = 10) {
  let read = 0;
  async function* source() {
    for (const hour of hours) {
      read += 1;
      yield hour;
    }
  }
  const days = [];
  for await (const day of daysOf(source(), daysMax)) days.push(day);
  return { days, read };
}

describe("the days of a community", () => {
  test("a day ends with the last hour before midnight UTC, and with the data", async () => {
    const hours = [-2, -1, 0, 1].map((hour) => hourAt(hour, took("a", 10 + hour)));
    const { days } = await daysIn(hours);
    assert.deepEqual(
      days.map(({ profiles }) => profiles),
      [
        [{ homeId: "a", startS: midnightS - 2 * hourS, values: valuesOf(8, 9) }],
        [{ homeId: "a", startS: midnightS, values: valuesOf(10, 11) }],
      ],
    );
    assert.deepEqual(
      days.flatMap((day) => day.hours),
      hours,
    );
  });

  test("what is missing of a home, or of all, has no value and keeps its place", async () => {
    const hours = [
      hourAt(3, took("a", 1), took("b", 2)),
      hourAt(4, took("b", 3)),
      hourAt(6, took("a", 4), took("c", 5)),
    ];
    const { days } = await daysIn(hours);
    const profiles = days[0]?.profiles.map(({ homeId, values }) => [homeId, values]);
    assert.deepEqual(profiles, [
      ["a", valuesOf(1, undefined, undefined, 4)],
      ["b", valuesOf(2, 3, undefined, undefined)],
      ["c", valuesOf(undefined, undefined, undefined, 5)],
    ]);
    assert.ok(days[0]?.profiles.every(({ startS }) => startS === midnightS + 3 * hourS));
  });

  test("no more days than asked for, and no more is read than the hour that ends them", async () => {
    const hours = Array.from({ length: 72 }, (_, hour) => hourAt(hour, took("a", 1)));
    const { days, read } = await daysIn(hours, 2);
    assert.deepEqual([days.length, read], [2, 49]);
  });

  test("no day without an hour", async () => {
    assert.deepEqual((await daysIn([])).days, []);
  });
});

function valuesOf(...imported: readonly (number | undefined)[]) {
  return imported.map((wh) => (wh === undefined ? undefined : { importedWh: wh, exportedWh: 0 }));
}
