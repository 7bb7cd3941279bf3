import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  counts,
  lettersOf,
  mustSpendMsPerBlock,
  renderCounts,
  type Shape,
} from "../../../bench/limit/counts.js";
import { medianCosts, type PrimitiveCosts, primitives } from "../../../bench/limit/primitives.js";
import { repositoryRoot } from "../../support/tree.js";

const shape: Shape = {
  managers: 4,
  storage: 7,
  batchRecords: 100,
  recordsPerBlock: 400,
  recordBytes: 66,
};

const only = (name: keyof PrimitiveCosts, us: number): PrimitiveCosts => {
  const zeros = Object.keys(primitives).map((each) => [each, each === name ? us : 0]);
  return Object.fromEntries(zeros);
};

describe("what the protocol asks of a node", () => {
  // Protocol, section 5.3.
  const committees = [
    [1, 1, 1],
    [3, 3, 3],
    [4, 3, 3],
    [7, 5, 4],
    [10, 7, 5],
    [100, 67, 45],
    [1_000, 667, 445],
  ] as const;
  for (const [storage, c, m] of committees) {
    test(`of ${storage} storage nodes ${c} are drawn and ${m} have to match`, () => {
      const letters = lettersOf(Object.assign({}, shape, { storage }));
      assert.deepEqual([letters.c, letters.m], [c, m]);
    });
  }

  // Protocol, section 1: N and Q; 5.6: a storage node dials all of 7, then max(7, f + 1).
  for (const [managers, Q, L] of [
    [1, 1, 1],
    [4, 3, 4],
    [7, 5, 7],
    [10, 7, 7],
    [30, 21, 10],
  ] as const) {
    test(`${managers} managers commit with ${Q}, and a storage node dials ${L}`, () => {
      const letters = lettersOf(Object.assign({}, shape, { managers }));
      assert.deepEqual([letters.Q, letters.L], [Q, L]);
    });
  }

  test("costs what its primitives cost in the median of the times they were measured", () => {
    const costs = medianCosts([1, 9, 3].map((us) => only("put", us)));
    assert.deepEqual(costs, only("put", 3));
  });

  test("is counted for records, submissions and the block", () => {
    // One for each of 4 submissions, 3 votes of 3 others, 3/4 of a PROPOSE, 5 attestations.
    const verifying = mustSpendMsPerBlock("manager", shape, only("ed25519Verify", 1_000));
    assert.ok(Math.abs(verifying - (4 + 9 + 0.75 + 5)) < 1e-9, `${verifying}`);
    const putting = mustSpendMsPerBlock("manager", shape, only("put", 1_000));
    assert.equal(putting, 800);
    const storing = mustSpendMsPerBlock("storage", shape, only("put", 1_000));
    assert.equal(storing, 400);
    const signing = mustSpendMsPerBlock("client", shape, only("ed25519Sign", 1_000));
    assert.equal(signing, 4);
  });

  test("has one row for each role, unit and primitive", () => {
    const keys = counts.map(({ role, per, primitive }) => `${role} ${per} ${primitive}`);
    assert.deepEqual(new Set(keys).size, keys.length);
  });

  test("is computed as its formula reads", () => {
    const letters = lettersOf(shape);
    for (const { formula, of } of counts) {
      const script = formula
        .replaceAll("−", "-")
        .replaceAll("·", "*")
        .replaceAll("²", "**2")
        .replace(/(\d)(?=[(A-Za-z])/g, "$1*");
      const value = new Function(...Object.keys(letters), `return ${script}`);
      assert.ok(Math.abs(value(...Object.values(letters)) - of(letters)) < 1e-9, formula);
    }
  });

  test("stands in docs/performance.md as in the code", () => {
    const text = readFileSync(join(repositoryRoot(), "docs/performance.md"), "utf8");
    assert.ok(text.includes(renderCounts()), `the table should be:\n${renderCounts()}`);
  });
});
