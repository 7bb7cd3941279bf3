import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decimalEnergy, exactNumber } from "../../../src/energy-files/exact-number.js";

describe("numbers of files", () => {
  for (const [text, amount, per] of [
    ["0", 0n, 1n],
    ["-1.25", -125n, 100n],
    [".5", 5n, 10n],
    ["5.", 5n, 1n],
    ["+3", 3n, 1n],
    ["1.5E3", 1500n, 1n],
    ["9.75e-08", 975n, 10n ** 10n],
  ] as const) {
    test(`${text} is read exactly`, () => {
      const number = exactNumber(text, ".");
      assert.deepEqual(number, { amount, per });
      assert.deepEqual(exactNumber(text.replace(".", ","), ","), number);
    });
  }

  test("what is no plain number is none", () => {
    const texts = ["", "-", ".", "e5", "1,5", "1.2.3", "1 000", "12kWh", "1e999", "9".repeat(41)];
    for (const text of texts) assert.equal(exactNumber(text, "."), undefined, text);
    assert.equal(exactNumber("1.234,5", ","), undefined);
  });
});

describe("exact energy", () => {
  const readable: readonly [text: string, tenPower: number, amount: bigint, perWh: bigint][] = [
    ["0", 0, 0n, 1n],
    ["12.5", 3, 12500n, 1n],
    ["0.0001", 3, 1n, 10n],
    [".75", 0, 75n, 100n],
    ["7.", 0, 7n, 1n],
    ["-3", 6, -3_000_000n, 1n],
    ["+3.25", -3, 325n, 100_000n],
    ["1.5e-4", 3, 15n, 100n],
    ["999999999999999999", 0, 999_999_999_999_999_999n, 1n],
  ];
  for (const [text, tenPower, amount, perWh] of readable) {
    test(`${text} of 10^${tenPower} Wh is ${amount} / ${perWh} Wh`, () => {
      assert.deepEqual(decimalEnergy(text, tenPower), { amount, perWh });
    });
  }

  for (const text of ["", ".", "-", "1,5", "0x10", "NaN", "1 2", "1".repeat(41)]) {
    test(`"${text}" is no amount`, () => assert.equal(decimalEnergy(text, 0), undefined));
  }
});
