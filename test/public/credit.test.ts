import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { measureLazy, measureLossy } from "../../bench/public/credit.js";

describe("credit", () => {
  for (const [nodes, credit, blocks] of [
    [7, 100, 60],
    [7, 1_000, 150],
    [30, 100, 200],
    [30, 1_000, 600],
  ] as const) {
    test(`of a node that stores nothing falls: ${nodes} nodes, from ${credit}`, () => {
      const plan = { nodes, credit, auditsPerBlock: 2, runs: 5 };
      assert.equal(measureLazy(plan, blocks).caught, plan.runs);
    });
  }

  for (const nodes of [7, 30]) {
    for (const line of ["lost", "late"] as const) {
      test(`of an honest node is safe with a fifth ${line}: ${nodes} nodes`, () => {
        const { boycottedAt, lowest, last } = measureLossy({ nodes, line, share: 0.2 }, 1_000);
        assert.equal(boycottedAt, undefined);
        assert.ok(lowest >= 90, `${lowest}`);
        assert.ok(last > 200, `${last}`);
      });
    }
  }

  test("of an honest node that always comes late stays, if nothing is lost", () => {
    const { lowest, last } = measureLossy({ nodes: 7, line: "always slow, lost", share: 0 }, 500);
    assert.deepEqual([lowest, last], [100, 100]);
  });
});
