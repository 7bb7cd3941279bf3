import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { CoveredTime } from "../../../src/energy-files/covered-time.js";
import { FileUnreadable } from "../../../src/energy-files/file-values.js";

describe("the times that a file has given", () => {
  test("a time counts once, in whatever order and length times come", () => {
    const time = fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 8 }));
    fc.assert(
      fc.property(fc.array(time, { maxLength: 60 }), (times) => {
        const covered = new CoveredTime();
        const taken = new Set<number>();
        for (const [startS, lengthS] of times) {
          const seconds = Array.from({ length: lengthS }, (_, i) => startS + i);
          const isNew = seconds.every((second) => !taken.has(second));
          assert.equal(covered.cover("meter", startS, startS + lengthS), isNew);
          if (isNew) for (const second of seconds) taken.add(second);
        }
      }),
    );
  });

  test("each name has times of its own", () => {
    const covered = new CoveredTime();
    assert.ok(covered.cover("a", 0, 10));
    assert.ok(covered.cover("b", 0, 10));
    assert.ok(!covered.cover("a", 9, 12));
  });

  test("times without gaps are few ranges, and too many gaps are refused", () => {
    const covered = new CoveredTime(3);
    for (let i = 0; i < 1_000; i++) assert.ok(covered.cover("a", i * 10, i * 10 + 10));
    for (const startS of [20_000, 30_000]) assert.ok(covered.cover("b", startS, startS + 1));
    assert.throws(() => covered.cover("b", 40_000, 40_001), FileUnreadable);
  });
});
