import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { quantile } from "../../../../bench/report/statistics.js";
import {
  countDueBefore,
  dueMs,
  latenciesMs,
  type Timing,
} from "../../../../src/cli/bench/schedule.js";

describe("a schedule", () => {
  const schedule = { startMs: 1_000, perS: 20 };

  test("is even, and does not drift", () => {
    assert.deepEqual(
      [0, 1, 2, 1_000].map((index) => dueMs(schedule, index)),
      [1_000, 1_050, 1_100, 51_000],
    );
  });

  test("counts what is due before a moment, and not at it", () => {
    const moments = [900, 1_000, 1_000.1, 1_050, 1_051, 51_000];
    const counts = moments.map((endMs) => countDueBefore(schedule, endMs));
    assert.deepEqual(counts, [0, 0, 1, 1, 2, 1_000]);
  });
});

describe("latencies of an open loop", () => {
  /**
   * A server answers in 1 ms, but stands still from 500 to 1,500 ms. The client waits for each
   * answer before it sends on, as a blocked one does.
   */
  function answersOfBlockedClient(): readonly (Timing & { readonly sentMs: number })[] {
    const schedule = { startMs: 0, perS: 100 };
    let freeMs = 0;
    return Array.from({ length: 200 }, (_, index) => {
      const due = dueMs(schedule, index);
      const sentMs = Math.max(due, freeMs);
      const begun = sentMs >= 500 && sentMs < 1_500 ? 1_500 : sentMs;
      freeMs = begun + 1;
      return { dueMs: due, sentMs, answeredMs: freeMs };
    });
  }
  const all = { fromMs: 0, toMs: 2_000, endMs: 10_000 };

  test("run from when a submission was due, so that a pause shows as what it was", () => {
    const timings = answersOfBlockedClient();
    const fromSent = timings.map(({ sentMs, answeredMs }) => (answeredMs ?? 0) - sentMs);
    const uncorrected = quantile(
      fromSent.toSorted((a, b) => a - b),
      0.99,
    );
    const corrected = latenciesMs(timings, all);
    assert.equal(uncorrected, 1, "one late answer hides the pause");
    assert.ok(quantile(corrected, 0.99) > 900);
    assert.ok(quantile(corrected, 0.75) > 400, "half of all were due in the pause");
  });

  test("count a submission without an answer with the time that it has waited", () => {
    const timings = [{ dueMs: 0, answeredMs: 5 }, { dueMs: 10 }];
    assert.deepEqual(latenciesMs(timings, all), [5, 9_990]);
  });

  test("leave out what was due before or after the time that is measured", () => {
    const timings = [1, 2, 3, 4].map((due) => ({ dueMs: due, answeredMs: 100 }));
    assert.deepEqual(latenciesMs(timings, { fromMs: 2, toMs: 4, endMs: 200 }), [97, 98]);
  });
});
