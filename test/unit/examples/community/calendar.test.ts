import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  Calendar,
  type LabelledRow,
} from "../../../../examples/energy-community/community/calendar.js";

const sunday = { row: 1, month: 7, hour: 24, dayType: 7 };

function startOf(calendar: Calendar, row: number): string {
  return new Date(calendar.startS(row) * 1000).toISOString();
}

describe("the calendar of the data", () => {
  test("row 1 is the hour that ends on 1 August 2016 at midnight in UTC−8", () => {
    const calendar = new Calendar([sunday]);
    assert.equal(startOf(calendar, 1), "2016-08-01T07:00:00.000Z");
    assert.equal(startOf(calendar, 2), "2016-08-01T08:00:00.000Z");
    // 6 November 2016: the clocks change, the rows do not.
    assert.equal(startOf(calendar, 2400), "2016-11-09T06:00:00.000Z");
  });

  const others: readonly (readonly [title: string, rows: readonly LabelledRow[], start: string])[] =
    [
      [
        "a later part of the source keeps its row numbers",
        [{ row: 4417, month: 1, hour: 24, dayType: 2 }],
        "2017-02-01T07:00:00.000Z",
      ],
      [
        "a part that was numbered anew begins at the first hour like its first row",
        [{ row: 1, month: 3, hour: 1, dayType: 3 }],
        "2017-03-01T08:00:00.000Z",
      ],
      [
        "one wrong row does not move the others",
        [{ ...sunday, month: 9 }, sunday],
        startOf(new Calendar([]), 1),
      ],
    ];
  for (const [title, rows, start] of others) {
    test(title, () => {
      assert.equal(startOf(new Calendar(rows), rows[0]?.row ?? 0), start);
    });
  }

  test("a row that says another hour is told what it should say", () => {
    const calendar = new Calendar([sunday]);
    assert.equal(calendar.disagreement({ row: 2, month: 8, hour: 1, dayType: 1 }), undefined);
    const expected = { month: 8, hour: 1, dayType: 1 };
    for (const wrong of [{ month: 7 }, { hour: 2 }, { dayType: 2 }]) {
      assert.deepEqual(calendar.disagreement({ row: 2, ...expected, ...wrong }), expected);
    }
  });
});
