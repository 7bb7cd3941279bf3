import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  add,
  type Decimal,
  isAbove,
  isNegative,
  multiply,
  parseDecimal,
  round,
  subtractInteger,
} from "../../../../examples/energy-community/community/decimal.js";

function parsed(text: string): Decimal {
  const value = parseDecimal(text);
  assert.ok(value !== undefined, text);
  return value;
}

describe("decimal numbers", () => {
  const readable: readonly (readonly [text: string, digits: bigint, scale: number])[] = [
    ["0", 0n, 0],
    ["2.2758", 22758n, 4],
    ["9.7529096e-08", 97529096n, 15],
    ["1E3", 1000n, 0],
    ["1.5e+1", 15n, 0],
    ["-0.25", -25n, 2],
    ["007", 7n, 0],
    ["5.", 5n, 0],
    ["5e-324", 5n, 324],
  ];
  for (const [text, digits, scale] of readable) {
    test(`${text} is ${digits} × 10^−${scale}`, () => {
      assert.deepEqual(parsed(text), { digits, scale });
    });
  }

  const others = [
    "",
    " ",
    "1,5",
    " 1",
    "1 ",
    "NaN",
    "nan",
    "Infinity",
    "-",
    ".",
    ".5",
    "1e",
    "0x1",
  ];
  for (const text of [...others, "1.2.3", "1e401", "1e-401", "1".repeat(401), "1_000", "½"]) {
    test(`${JSON.stringify(text.slice(0, 20))} is no decimal number`, () => {
      assert.equal(parseDecimal(text), undefined);
    });
  }

  test("halves are rounded up, on both sides of zero", () => {
    const rounded = ["0.5", "0.49999", "1.5", "2.5", "-0.5", "-0.50001", "-1.5", "7"];
    assert.deepEqual(
      rounded.map((text) => round(parsed(text))),
      [1n, 0n, 2n, 3n, 0n, -1n, -1n, 7n],
    );
  });

  test("sums and products are those of the numbers over a common denominator", () => {
    const decimal = fc.record({ digits: fc.bigInt(-(10n ** 20n), 10n ** 20n), scale: fc.nat(30) });
    // 10^−60 divides every product of two of them.
    const units = ({ digits, scale }: Decimal) => digits * 10n ** BigInt(60 - scale);
    fc.assert(
      fc.property(decimal, decimal, fc.bigInt(-1000n, 1000n), (a, b, integer) => {
        assert.equal(units(add(a, b)), units(a) + units(b));
        assert.equal(units(multiply(a, b)) * 10n ** 60n, units(a) * units(b));
        assert.equal(units(subtractInteger(a, integer)), units(a) - integer * 10n ** 60n);
        assert.equal(isNegative(a), a.digits < 0n);
        assert.equal(isAbove(a, 7), units(a) > 7n * 10n ** 60n);
      }),
    );
  });

  test("rounding is never further away than a half", () => {
    const decimal = fc.record({ digits: fc.bigInt(-(10n ** 20n), 10n ** 20n), scale: fc.nat(30) });
    fc.assert(
      fc.property(decimal, (value) => {
        const { digits, scale } = subtractInteger(value, round(value));
        const one = 10n ** BigInt(scale);
        assert.ok(2n * digits >= -one && 2n * digits < one);
      }),
    );
  });
});
