import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fairOrder } from "../../../src/manager/fair-order.js";

const order = (...pieces: readonly (readonly [causer: string, cost: number])[]) =>
  fairOrder(pieces, { causerOf: ([causer]) => causer, costOf: ([, cost]) => cost }).map(
    ([causer, cost]) => `${causer}${cost}`,
  );

describe("the fair order", () => {
  test("serves causers in turn, by what their pieces cost", () => {
    assert.deepEqual(order(["a", 5], ["a", 5], ["b", 1], ["b", 6]), ["b1", "a5", "b6", "a5"]);
  });

  test("keeps each causer's order, whatever the pieces cost", () => {
    assert.deepEqual(order(["a", 9], ["a", 1], ["b", 2]), ["b2", "a9", "a1"]);
  });

  test("is the order of arrival for equal times, and for one causer alone", () => {
    assert.deepEqual(order(["b", 1], ["a", 1], ["c", 1]), ["b1", "a1", "c1"]);
    assert.deepEqual(order(["a", 3], ["a", 1], ["a", 2]), ["a3", "a1", "a2"]);
    assert.deepEqual(order(), []);
  });
});
