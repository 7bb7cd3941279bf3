import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  AttestationBudget,
  burstMax,
  refillPerSecond,
} from "../../../../src/storage-node/chain/attestation-budget.js";

describe("the budget of attestations", () => {
  test("lets a manager cause a burst, and then a few each second, without end", () => {
    const budget = new AttestationBudget();
    for (let i = 0; i < burstMax; i++) assert.ok(budget.take("a", 0));
    assert.ok(!budget.take("a", 0));
    for (let second = 1; second <= 1_000; second++) {
      for (let i = 0; i < refillPerSecond; i++) assert.ok(budget.take("a", second * 1_000));
      assert.ok(!budget.take("a", second * 1_000));
    }
  });

  test("of one manager is not touched by another one", () => {
    const budget = new AttestationBudget();
    for (let i = 0; i <= burstMax; i++) budget.take("a", 0);
    assert.ok(!budget.take("a", 0));
    assert.ok(budget.take("b", 0));
  });

  test("does not grow beyond the burst, however long a manager was quiet", () => {
    const budget = new AttestationBudget();
    budget.take("a", 0);
    const laterMs = 1e9;
    for (let i = 0; i < burstMax; i++) assert.ok(budget.take("a", laterMs));
    assert.ok(!budget.take("a", laterMs));
  });
});
