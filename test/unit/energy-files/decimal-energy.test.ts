import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decimalEnergy } from "../../../src/energy-files/decimal-energy.js";

describe("exact energy", () => {
  const readable: readonly [text: string, tenPower: number, amount: bigint, perWh: bigint][] = [
    ["0", 0, 0n, 1n],
    ["12.5", 3, 12500n, 1n],
    ["0.0001", 3, 1n, 10n],
    [".75", 0, 75n, 100n],
    ["7.", 0, 7n, 1n],
    ["-3", 6, -3_000_000n, 1n],
    ["+3.25", -3, 325n, 100_000n],
    ["999999999999999999", 0, 999_999_999_999_999_999n, 1n],
  ];
  for (const [text, tenPower, amount, perWh] of readable) {
    test(`${text} of 10^${tenPower} Wh is ${amount} / ${perWh} Wh`, () => {
      assert.deepEqual(decimalEnergy(text, tenPower), { amount, perWh });
    });
  }

  for (const text of ["", ".", "-", "1e3", "1,5", "0x10", "NaN", "1 2", "1".repeat(19)]) {
    test(`"${text}" is no amount`, () => assert.equal(decimalEnergy(text, 0), undefined));
  }
});
