import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RateLimits } from "../../../src/base/rate-limits.js";

describe("rate limits", () => {
  const limits = () => new RateLimits({ perSecond: 10, burst: 20, causersMax: 2 });

  it("lets a causer spend its burst at once and then as much as comes back", () => {
    const rates = limits();
    assert.equal(rates.take("a", 20, 0), 0);
    assert.equal(rates.take("a", 1, 0), 100);
    assert.equal(rates.take("a", 1, 99), 1);
    assert.equal(rates.take("a", 1, 100), 0);
    assert.equal(rates.take("a", 20, 1_100), 1_000);
    assert.equal(rates.take("a", 20, 60_000), 0);
    assert.equal(rates.take("a", 1, 60_000), 100);
  });

  it("leaves others alone", () => {
    const rates = limits();
    rates.charge("a", 1_000, 0);
    assert.equal(rates.take("b", 20, 0), 0);
  });

  it("lets one large piece of work through and has it paid off", () => {
    const rates = limits();
    assert.equal(rates.take("a", 50, 0), 0);
    assert.equal(rates.msInDebt("a", 0), 3_000);
    assert.equal(rates.take("a", 1, 3_000), 100);
    assert.equal(rates.msInDebt("a", 3_000), 0);
  });

  it("has nobody pay longer than for one burst for what is charged afterwards", () => {
    const rates = limits();
    for (let i = 0; i < 100; i++) rates.charge("a", 15, 0);
    assert.equal(rates.msInDebt("a", 0), 2_000);
    assert.equal(rates.take("a", 1, 2_100), 0);
    rates.take("b", 100, 0);
    rates.charge("b", 5, 0);
    assert.equal(rates.msInDebt("b", 0), 8_000, "what was let through is paid in full");
    rates.charge("b", -10, 0);
    assert.equal(rates.msInDebt("b", 0), 7_000);
  });

  it("is not refilled by a clock that goes back", () => {
    const rates = limits();
    assert.equal(rates.take("a", 20, 1_000), 0);
    assert.equal(rates.take("a", 1, 0), 100);
    assert.equal(rates.take("a", 1, 1_000), 100);
    assert.equal(rates.take("a", 1, 1_100), 0);
  });

  it("has those share who come when too many are remembered", () => {
    const rates = limits();
    rates.charge("a", 20, 0);
    rates.charge("b", 20, 0);
    assert.equal(rates.take("c", 20, 0), 0);
    assert.equal(rates.take("d", 1, 0), 100);
    // The first has rested until it is as good as new: its place is free.
    assert.equal(rates.take("e", 20, 2_000), 0);
    assert.equal(rates.take("e", 1, 2_000), 100);
  });
});
