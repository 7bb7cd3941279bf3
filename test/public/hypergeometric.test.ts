import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { logChoose, probability, tailFrom } from "../../bench/public/hypergeometric.js";
import { divergence, measureSample } from "../../bench/public/samples.js";

/** C(n, k), exactly. */
function choose(n: bigint, k: bigint): bigint {
  return k === 0n ? 1n : (choose(n - 1n, k - 1n) * n) / k;
}

function near(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) <= 1e-9 * Math.abs(expected), `${actual} ${expected}`);
}

describe("the chances of a draw without replacement", () => {
  test("are those of counting all draws", () => {
    for (const [population, marked, drawn] of [
      [7, 2, 5],
      [30, 10, 21],
      [100, 33, 67],
    ] as const) {
      let sum = 0;
      for (let k = 0; k <= drawn; k++) {
        const rest = drawn - k;
        const possible = k <= marked && rest <= population - marked;
        const ways = possible
          ? choose(BigInt(marked), BigInt(k)) * choose(BigInt(population - marked), BigInt(rest))
          : 0n;
        const expected = Number(ways) / Number(choose(BigInt(population), BigInt(drawn)));
        near(probability({ population, marked, drawn }, k), expected);
        sum += expected;
      }
      near(sum, 1);
    }
  });

  test("of two silent nodes of seven leave a round eleven chances of 21", () => {
    near(tailFrom({ population: 7, marked: 5, drawn: 5 }, 4), 11 / 21);
  });

  test("are none where there is no such draw", () => {
    assert.equal(logChoose(3, 4), Number.NEGATIVE_INFINITY);
    assert.equal(tailFrom({ population: 10, marked: 2, drawn: 5 }, 3), 0);
  });

  test("stay below the bound of Hoeffding, for any number of nodes", () => {
    for (const nodes of [1_000, 10_000, 100_000]) {
      for (const committee of [67, 100, 200, 300]) {
        const { forgedByThirdLog2, boundLog2 } = measureSample(nodes, committee);
        assert.ok(forgedByThirdLog2 <= boundLog2, `${nodes} ${committee}`);
      }
    }
  });

  test("of a third against two thirds come to a factor of 2 for each three members", () => {
    near(divergence(2 / 3, 1 / 3), Math.log(2) / 3);
  });
});
