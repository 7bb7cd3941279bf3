import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { moneyText, roundedAmount, roundHalfToEven } from "../../../src/settlement/money.js";

describe("rounding half to even", () => {
  const cases: readonly (readonly [numerator: bigint, denominator: bigint, rounded: bigint])[] = [
    [0n, 2n, 0n],
    [1n, 2n, 0n],
    [3n, 2n, 2n],
    [5n, 2n, 2n],
    [-1n, 2n, 0n],
    [-3n, 2n, -2n],
    [-5n, 2n, -2n],
    [-7n, 4n, -2n],
    [-6n, 4n, -2n],
    [-5n, 4n, -1n],
    [499n, 1000n, 0n],
    [501n, 1000n, 1n],
    [10n ** 30n + 5n, 10n, 10n ** 29n],
  ];
  for (const [numerator, denominator, rounded] of cases) {
    test(`${numerator} / ${denominator} is ${rounded}`, () => {
      assert.equal(roundHalfToEven(numerator, denominator), rounded);
    });
  }

  test("is the nearest, of two the even one, and the same in both directions", () => {
    const denominators = fc.bigInt({ min: 1n, max: 10n ** 12n });
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), denominators, (a, b) => {
        const rounded = roundHalfToEven(a, b);
        const twice = 2n * (rounded * b - a);
        assert.ok(twice <= b && twice >= -b);
        if (twice === b || twice === -b) assert.equal(rounded % 2n, 0n);
        assert.equal(roundHalfToEven(-a, b), -rounded);
      }),
    );
  });
});

test("Wh at a price become minor units of any number of digits", () => {
  // 1,234 Wh at 0.285 per kWh are 0.35169.
  const exact = { sum: 1_234n * 285_000n, per: 1n };
  assert.deepEqual(
    [0, 2, 4, 6].map((digits) => roundedAmount(exact, digits)),
    [0n, 35n, 3_517n, 351_690n],
  );
  // The mean of three prices, 0.10, 0.20 and 0.20, of 3 kWh.
  assert.equal(roundedAmount({ sum: 3_000n * 500_000n, per: 3n }, 2), 50n);
});

test("money is shown with its digits", () => {
  assert.deepEqual(
    [
      [0, 2],
      [5, 2],
      [-5, 2],
      [-1_205, 2],
      [7, 0],
      [-7, 0],
      [1, 3],
    ].map(([units = 0, digits = 0]) => moneyText(units, digits)),
    ["0.00", "0.05", "-0.05", "-12.05", "7", "-7", "0.001"],
  );
});
