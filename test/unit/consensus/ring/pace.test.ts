import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Pace, stepTimeoutMs } from "../../../../src/consensus/ring/pace.js";
import { benchTimeouts } from "../support/ring-bench.js";

const timeouts = { $typeName: "bss.v1.RoundTimeouts" as const, ...benchTimeouts };

function paceAt(monotonicMs: number): Pace {
  const clock = { monotonicMs, attentiveMs: monotonicMs, wallMs: 0 };
  return new Pace({ timeouts, resendMs: 5_000, clock });
}

describe("timeouts", () => {
  for (const [step, round, expected] of [
    ["propose", 0, 100],
    ["approve", 0, 200],
    ["verify", 1, 310],
    ["commit", 2, 420],
    ["propose", 90, 1_000],
    ["commit", 1_000_000, 1_000],
  ] as const) {
    test(`${step} of round ${round} takes ${expected} ms: linear in the round, and capped`, () => {
      assert.equal(stepTimeoutMs(timeouts, step, round), expected);
    });
  }

  test("each starts at most once in a round, and anew in the next", () => {
    const pace = paceAt(1_000);
    pace.enterRound(0);
    pace.startTimeout("approve");
    pace.advance({ monotonicMs: 1_150, attentiveMs: 1_150, wallMs: 0 });
    pace.startTimeout("approve");
    assert.deepEqual(pace.takeExpired(), ["propose"]);
    assert.equal(pace.nextMs, 1_200);
    pace.advance({ monotonicMs: 1_200, attentiveMs: 1_200, wallMs: 0 });
    assert.deepEqual(pace.takeExpired(), ["approve"]);
    pace.startTimeout("approve");
    pace.advance({ monotonicMs: 9_000, attentiveMs: 9_000, wallMs: 0 });
    assert.deepEqual(pace.takeExpired(), []);
    pace.enterRound(1);
    assert.equal(pace.nextMs, 6_000, "the time to send again goes on through rounds");
    assert.ok(pace.takeResend());
    assert.equal(pace.nextMs, 9_110);
  });

  test("nothing is due while idle", () => {
    assert.equal(paceAt(0).nextMs, undefined);
  });

  test("several that are over come in the order of their times", () => {
    const pace = paceAt(0);
    pace.enterRound(0);
    for (const step of ["commit", "verify", "approve"] as const) pace.startTimeout(step);
    pace.advance({ monotonicMs: 1_000, attentiveMs: 1_000, wallMs: 0 });
    assert.deepEqual(pace.takeExpired(), ["propose", "approve", "verify", "commit"]);
  });
});
