import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RepeatedHours } from "../../../../src/energy-files/csv/repeated-hours.js";
import { timeZoneOf } from "../../../../src/energy-files/time-zone.js";

const berlin = timeZoneOf("Europe/Berlin");

/** "00:15" UTC for each local time, or "?" for a time that is refused. */
function placed(
  day: string,
  times: readonly string[],
  { stamp = "start", minutes = 15 }: { stamp?: "start" | "end"; minutes?: number } = {},
): readonly string[] {
  assert.ok(berlin !== undefined);
  const repeated = new RepeatedHours<number>(berlin, stamp);
  const rows = times.flatMap((time, row) =>
    repeated.add("m", row, Date.parse(`${day}T${time}Z`), minutes * 60_000),
  );
  return [...rows, ...repeated.end()]
    .toSorted((a, b) => a.row - b.row)
    .map((each) => ("ms" in each ? new Date(each.ms).toISOString().slice(11, 16) : "?"));
}

const autumn = "2026-10-25";
const spring = "2026-03-29";

describe("local times around a change of clocks", () => {
  test("the first pass of the repeated hour is summer, the second is winter", () => {
    const times = ["01:45", "02:00", "02:15", "02:30", "02:45"];
    assert.deepEqual(placed(autumn, [...times, ...times.slice(1), "03:00"]), [
      ...["23:45", "00:00", "00:15", "00:30", "00:45"],
      ...["01:00", "01:15", "01:30", "01:45", "02:00"],
    ]);
  });

  test("also with gaps, and of hourly rows", () => {
    assert.deepEqual(placed(autumn, ["01:45", "02:30", "02:15", "03:00"]), [
      ...["23:45", "00:30", "01:15", "02:00"],
    ]);
    const hourly = { minutes: 60 };
    assert.deepEqual(placed(autumn, ["01:00", "02:00", "02:00", "03:00"], hourly), [
      ...["23:00", "00:00", "01:00", "02:00"],
    ]);
  });

  test("an hour that is there once belongs to the side that it joins", () => {
    assert.deepEqual(placed(autumn, ["01:45", "02:00", "02:15", "03:30"]), [
      ...["23:45", "00:00", "00:15", "02:30"],
    ]);
    assert.deepEqual(placed(autumn, ["01:30", "02:30", "02:45", "03:00"]), [
      ...["23:30", "01:30", "01:45", "02:00"],
    ]);
    assert.deepEqual(placed(autumn, ["01:45", "02:00"]), ["23:45", "00:00"]);
  });

  test("when nobody can tell it is refused", () => {
    const cases = [
      ["01:45", "02:00", "02:15", "02:30", "02:45", "03:00"],
      ["01:30", "02:15", "03:15"],
      ["02:15", "02:30"],
      ["03:00", "02:45", "02:30", "02:15", "02:00", "01:45"],
      // One row that is there twice.
      ["01:45", "02:00", "02:15", "02:15", "02:30", "02:45", "03:00"],
      ["01:45", "02:00", "02:15", "02:00", "02:15", "02:00", "02:15", "03:00"],
    ];
    for (const times of cases) {
      const ambiguous = placed(autumn, times).filter((_, i) => times[i]?.startsWith("02"));
      assert.ok(
        ambiguous.every((text) => text === "?"),
        times.join(" "),
      );
    }
  });

  test("ends of intervals, however the file names the moment of the change", () => {
    const end = { stamp: "end" } as const;
    const utc = ["23:45", "00:00", "00:15", "00:30", "00:45", "01:00", "01:15"];
    const shown = ["01:45", "02:00", "02:15", "02:30", "02:45"];
    const rest = ["01:30", "01:45", "02:00", "02:15"];
    for (const change of ["02:00", "03:00"]) {
      const times = [...shown, change, "02:15", "02:30", "02:45", "03:00", "03:15"];
      assert.deepEqual(placed(autumn, times, end), [...utc, ...rest], change);
    }
    assert.deepEqual(placed(spring, ["01:45", "02:00", "03:15"], end), ["00:45", "01:00", "01:15"]);
    assert.deepEqual(placed(spring, ["01:45", "03:00", "03:15"], end), ["00:45", "01:00", "01:15"]);
  });

  test("times that clocks leave out are refused", () => {
    assert.deepEqual(placed(spring, ["01:45", "02:00", "02:30", "03:00"]), [
      ...["00:45", "?", "?", "01:00"],
    ]);
    assert.deepEqual(placed(spring, ["02:30"], { stamp: "end" }), ["?"]);
  });

  test("rows that wait are bounded", () => {
    const times = Array.from({ length: 9000 }, () => "02:30");
    assert.equal(placed(autumn, times).length, 9000);
  });
});
