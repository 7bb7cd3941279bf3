import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { callWait } from "../../../../src/manager/submissions/call-wait.js";

describe("a call that waits for a block", () => {
  const options = { defaultMs: 30_000, maxMs: 600_000, nowMs: 1_000_000 };
  const waitOf = (deadlineInMs: number | undefined, changes = {}) =>
    callWait(
      { deadlineUnixMs: deadlineInMs === undefined ? undefined : options.nowMs + deadlineInMs },
      { ...options, ...changes },
    );
  const cases: readonly (readonly [string, number | undefined, object, number, RegExp])[] = [
    ["until a little before its deadline", 10_000, {}, 9_750, /not final before the deadline/],
    ["until longer before a late one", 60_000, {}, 58_800, /before the deadline/],
    ["whole milliseconds, as timers take no others", 60_010, {}, 58_809, /before the deadline/],
    ["until 2 s before a very late one", 590_000, {}, 588_000, /before the deadline/],
    ["not at all once the deadline has passed", -5_000, {}, 0, /before the deadline/],
    ["30 s without a deadline", undefined, {}, 30_000, /in the 30 s .* without a deadline;/],
    ["as long as the node lets it", 86_400_000, {}, 600_000, /in the 600 s .* here at most;/],
    ["no longer than that", undefined, { maxMs: 5_000 }, 5_000, /in the 5 s .* without a deadline/],
    ["just the longest time", 602_000, {}, 600_000, /before the deadline/],
  ];
  for (const [what, deadlineInMs, changes, ms, text] of cases) {
    test(`waits ${what}, and is told that nothing is lost`, () => {
      const wait = waitOf(deadlineInMs, changes);
      assert.equal(wait.ms, ms);
      const ended = wait.ended();
      assert.equal(ended.reason, "DEADLINE");
      assert.match(ended.message, text);
      assert.match(ended.message, /nothing is lost/);
      assert.ok(ended.retryAfterMs > 0);
    });
  }
});
