import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { WaitingCosts, wholeCost } from "../../../../src/manager/pool/waiting-costs.js";
import { Random } from "../../../simulation/random.js";

function costsOf(...each: readonly (readonly [causer: string, cost: number])[]): WaitingCosts {
  const costs = new WaitingCosts();
  for (const [causer, cost] of each) costs.add(causer, cost);
  return costs;
}

describe("what waits, in turn of its causers", () => {
  test("is served of every other causer as far as of the one, and as far as it goes", () => {
    const costs = costsOf(["a", 10], ["large", 1_000], ["small", 3]);
    assert.equal(costs.until("a", 6), 16 + 16 + 3);
    assert.equal(costs.until("new", 5), 5 + 5 + 5 + 3);
    assert.equal(costs.until("large", 24), 1_024 + 10 + 3);
  });

  test("is nothing once all has gone, parts of a record included", () => {
    const costs = costsOf(["a", wholeCost(0.1)], ["a", wholeCost(1 / 3)], ["b", 1]);
    assert.deepEqual(costs.ofEach, [costs.of("a"), 1]);
    costs.add("a", -wholeCost(0.1));
    costs.add("a", -wholeCost(1 / 3));
    assert.deepEqual([costs.of("a"), costs.ofEach, costs.until("new", 2)], [0, [1], 3]);
    costs.add("b", -1);
    assert.deepEqual([costs.ofEach, costs.until("new", 2)], [[], 2]);
  });

  test("is never said to be less than it is, nor twice as much", () => {
    const random = new Random(1);
    for (let run = 0; run < 200; run++) {
      const exact = new Map<string, number>();
      const costs = new WaitingCosts();
      for (let i = 0; i < 60; i++) {
        const causer = `causer-${random.below(20)}`;
        const before = exact.get(causer) ?? 0;
        const change = random.below(3) === 0 ? -before : 1 + random.below(2 ** random.below(14));
        exact.set(causer, before + change);
        costs.add(causer, change);
      }
      const [one, more] = [`causer-${random.below(25)}`, 1 + random.below(1_000)];
      const own = (exact.get(one) ?? 0) + more;
      let all = own;
      for (const [causer, cost] of exact) if (causer !== one) all += Math.min(cost, own);
      const said = costs.until(one, more);
      assert.ok(said >= all && said < 2 * all, `run ${run}: ${said} of ${all}`);
    }
  });
});
