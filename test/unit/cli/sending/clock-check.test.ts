import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clockWarning } from "../../../../src/cli/sending/clock-check.js";

const nowMs = Date.UTC(2026, 10, 28, 12);
const policy = { heartbeatMs: 30_000, futureBoundMs: 60_000 };
const minuteMs = 60_000;
const dayMs = 86_400_000;

describe("the clock against the managers' last block", () => {
  for (const [what, aheadMs, height, heartbeatMs, expected] of [
    ["a minute after the block", minuteMs, 5, 30_000, undefined],
    ["three minutes after the block", 3 * minuteMs, 5, 30_000, undefined],
    ["a minute before the block", -minuteMs, 5, 30_000, undefined],
    [
      "a day ahead",
      dayMs,
      5,
      30_000,
      /clock of this machine is 24 h 00 min ahead, or the managers make no blocks/,
    ],
    [
      "a day behind",
      -dayMs,
      5,
      30_000,
      /clock of this machine is 24 h 00 min behind: .* 2026-11-29 12:00:00 UTC/,
    ],
    ["a day after a block that has no heartbeat", dayMs, 5, 0, undefined],
    ["a day after genesis", dayMs, 0, 30_000, undefined],
    ["a day before genesis", -dayMs, 0, 0, /behind/],
  ] as const) {
    test(`${what} is ${expected === undefined ? "fine" : "told"}`, () => {
      const head = { height, timestampMs: nowMs - aheadMs };
      const warning = clockWarning(head, nowMs, { ...policy, heartbeatMs });
      if (expected === undefined) assert.equal(warning, undefined);
      else assert.match(warning?.text ?? "", expected);
      assert.equal(warning?.isBehind ?? false, expected !== undefined && aheadMs < 0);
    });
  }
});
