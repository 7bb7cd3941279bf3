import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  median,
  quantile,
  quantileEstimate,
  ratioEstimate,
  timesOf,
} from "../../../bench/report/statistics.js";

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

describe("a quantile is the smallest value that its share of the values does not exceed", () => {
  const cases: readonly (readonly [n: number, share: number, value: number])[] = [
    [1, 0.5, 1],
    [2, 0.5, 1],
    [3, 0.5, 2],
    [100, 0.5, 50],
    [100, 0.95, 95],
    [100, 0.99, 99],
    [101, 0.99, 100],
    [10, 0.99, 10],
    [10, 0, 1],
    [10, 1, 10],
  ];
  for (const [n, share, value] of cases) {
    test(`${share} of 1 to ${n} is ${value}`, () => assert.equal(quantile(upTo(n), share), value));
  }

  test("of nothing is not a number", () => assert.ok(Number.isNaN(quantile([], 0.5))));

  test("of times is in whole ms, and needs no order", () => {
    const ms = upTo(100).map((n) => 100.4 - n);
    assert.deepEqual(timesOf(ms), { p50Ms: 49, p99Ms: 98 });
  });

  test("the median does not need an order", () => assert.equal(median([9, 1, 5]), 5));
});

describe("the range of a quantile", () => {
  test("holds the value, and narrows with the number of values", () => {
    const widths = [20, 200, 2_000].map((n) => {
      const { value, low, high } = quantileEstimate(upTo(n), 0.5);
      assert.ok(low <= value && value <= high);
      return (high - low) / n;
    });
    assert.deepEqual(
      widths.toSorted((a, b) => b - a),
      widths,
    );
  });

  test("of 100 values goes from rank 40 to rank 61 for the median", () => {
    assert.deepEqual(quantileEstimate(upTo(100), 0.5), { value: 50, low: 40, high: 61 });
  });

  test("ends at the values that there are", () => {
    const { low, high } = quantileEstimate(upTo(5), 0.99);
    assert.ok(low >= 1);
    assert.equal(high, 5);
  });
});

describe("a ratio over slices of the time", () => {
  test("is that of the sums, not the mean of the ratios", () => {
    assert.equal(ratioEstimate([10, 0], [1, 9]).value, 1);
  });

  test("has no range when every slice has the same ratio", () => {
    assert.deepEqual(ratioEstimate([2, 4, 6], [1, 2, 3]), { value: 2, low: 2, high: 2 });
  });

  test("has the range of Student's t for slices of one length", () => {
    // Mean 3, standard deviation sqrt(2.5), so 2.78 * sqrt(2.5 / 5) on each side.
    const { value, low, high } = ratioEstimate([1, 2, 3, 4, 5], [1, 1, 1, 1, 1]);
    assert.equal(value, 3);
    assert.ok(Math.abs(high - 3 - 2.78 * Math.sqrt(0.5)) < 1e-9);
    assert.ok(Math.abs(3 - low - 2.78 * Math.sqrt(0.5)) < 1e-9);
  });

  test("survives slices in which nothing became final", () => {
    const { value, low, high } = ratioEstimate([4, 4, 4], [0, 6, 0]);
    assert.equal(value, 2);
    assert.ok(low >= 0 && high >= 2 && Number.isFinite(high));
    assert.ok(Number.isNaN(ratioEstimate([1], [0]).value));
  });
});
