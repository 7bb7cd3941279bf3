import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  addWh,
  CarriedRounding,
  isLessWh,
  lessWh,
  roundedWh,
  whText,
} from "../../../src/energy-files/exact-wh.js";

describe("exact amounts of energy", () => {
  test("are rounded to the nearest Wh, a half upwards", () => {
    for (const [amount, perWh, expected] of [
      [0n, 1n, 0n],
      [1n, 3n, 0n],
      [1n, 2n, 1n],
      [2n, 3n, 1n],
      [-1n, 2n, 0n],
      [-2n, 3n, -1n],
      [5n, 2n, 3n],
    ] as const) {
      assert.equal(roundedWh({ amount, perWh }), expected, `${amount}/${perWh}`);
    }
  });

  test("are added exactly", () => {
    assert.deepEqual(addWh({ amount: 1n, perWh: 6n }, { amount: 1n, perWh: 4n }), {
      amount: 5n,
      perWh: 12n,
    });
  });

  test("are compared and taken from each other exactly", () => {
    const [third, half] = [
      { amount: 1n, perWh: 3n },
      { amount: 1n, perWh: 2n },
    ];
    assert.deepEqual(lessWh(third, half), { amount: -1n, perWh: 6n });
    assert.deepEqual([isLessWh(third, half), isLessWh(half, third)], [true, false]);
    assert.equal(isLessWh(half, half), false);
  });

  test("are shown to a millionth", () => {
    for (const [amount, perWh, text] of [
      [10n ** 20n + 5n, 10n, "10000000000000000000.5 Wh"],
      [-1n, 3n, "-0.333333 Wh"],
      [1n, 10n ** 7n, "0 Wh"],
    ] as const) {
      assert.equal(whText({ amount, perWh }), text);
    }
  });

  test("carry what rounding took: three thirds are one", () => {
    const rounding = new CarriedRounding();
    const third = { amount: 1n, perWh: 3n };
    assert.deepEqual(
      Array.from({ length: 6 }, () => rounding.next(third)),
      [0n, 1n, 0n, 0n, 1n, 0n],
    );
  });
});
