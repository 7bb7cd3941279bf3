/**
 * A bounded number of simulations. `make sim` runs more; a seed that fails here is replayed with
 * `SEEDS=1 FIRST_SEED=<seed> MANAGERS=<n> STORAGE=<x> TRACE=1 make sim`.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Counters } from "./counters.js";
import { regressions } from "./regressions.js";
import { type Report, type SimulationOptions, simulate } from "./simulation.js";

const totals = new Counters();

function hold(options: SimulationOptions): Report {
  const report = simulate(options);
  totals.addAll(report.counters);
  const { checker, message } = report.violation ?? { checker: "", message: "" };
  assert.equal(report.violation, undefined, `${checker}: ${message}`);
  return report;
}

describe("simulated consortiums keep the invariants under faults", () => {
  for (const [managersCount, seeds] of [
    [1, 7],
    [4, 21],
    [7, 7],
  ] as const) {
    for (let seed = 1; seed <= seeds; seed++) {
      const storageCount = 1 + (seed % 7);
      test(`N = ${managersCount}, X = ${storageCount}, seed ${seed}`, () => {
        const { height, records } = hold({ seed, managersCount, storageCount });
        assert.ok(height > 0 && records > 0, "blocks and records became final");
      });
    }
  }

  for (const { seed, reason } of regressions) {
    test(`seed ${seed}: ${reason}`, () => void hold({ seed }));
  }

  for (const fault of [
    ...["manager crash", "storage node crash", "blackout", "partition", "one-way partition", "lag"],
    ...["crash during a write", "crash after a write", "crash while-sending"],
    ...["write kept in a crash", "write lost in a crash"],
    ...["message dropped", "message duplicated", "message replayed", "message lagged"],
    ...["stray clock", "storage node silent", "lie of a storage node", "storage node admitted"],
    ...["byzantine second vote", "byzantine two blocks for one turn", "byzantine old certificate"],
    ...["byzantine old block proposed", "byzantine accept for another height"],
    ...["timeout propose", "timeout approve", "timeout verify", "timeout commit"],
    ...["block caught up", "decided later"],
  ]) {
    test(`there was: ${fault}`, () => assert.ok(totals.of(fault) > 0));
  }
});

describe("a simulation", () => {
  test("is calm when nothing goes wrong: every block is decided in round 0", () => {
    const { counters } = hold({ seed: 1, managersCount: 4, storageCount: 4, calm: true });
    assert.ok(counters.of("decided in round 0") > 0);
    assert.equal(counters.of("decided later"), 0);
  });

  test("is the same again for the same seed", () => {
    const options = { seed: 3, managersCount: 4, storageCount: 3 };
    const [first, again] = [hold(options), hold(options)];
    assert.deepEqual(again.counters.entries(), first.counters.entries());
    assert.deepEqual({ ...again, counters: 0 }, { ...first, counters: 0 });
  });

  for (const sabotage of ["sends before it saves", "forgets its votes in a crash"] as const) {
    test(`finds out a manager that ${sabotage}`, () => {
      for (let seed = 1; seed <= 20; seed++) {
        const { violation } = simulate({ seed, managersCount: 4, storageCount: 3, sabotage });
        if (violation === undefined) continue;
        assert.equal(violation.checker, "conduct");
        return;
      }
      assert.fail("no seed shows it");
    });
  }
});
