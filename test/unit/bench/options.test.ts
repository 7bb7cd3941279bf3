import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { numberOf } from "../../../bench/options.js";

describe("the number of an option", () => {
  test("is at least the least", () => {
    assert.equal(numberOf("seconds", "120", 0.5), 120);
    assert.equal(numberOf("seconds", "0.5", 0.5), 0.5);
  });

  for (const text of ["", " ", "0.4", "-1", "1,2", "a minute", "NaN", "Infinity"]) {
    test(`is not "${text}"`, () => {
      const said = { message: `--seconds takes a number from 0.5 on, not "${text}"` };
      assert.throws(() => numberOf("seconds", text, 0.5), said);
    });
  }
});
