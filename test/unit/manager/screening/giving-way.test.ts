import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { pausesOf } from "../../../../src/manager/screening/giving-way.js";

describe("[R3.9] long work on submissions", () => {
  const setUp = (isVoting: () => boolean) => {
    const clock = { nowMs: 1_000, breaths: 0, waits: [] as number[] };
    const time = {
      monotonicMs: () => clock.nowMs,
      after: (delayMs: number, work: () => void) => {
        clock.waits.push(delayMs);
        clock.nowMs += delayMs;
        work();
        return { cancel: () => {} };
      },
      breathe: async () => {
        clock.breaths += 1;
      },
    };
    return { clock, pause: pausesOf(time, isVoting) };
  };

  test("pauses for as long as it has worked while votes are under way", async () => {
    const { clock, pause } = setUp(() => true);
    for (const workedMs of [6, 0, 30]) {
      clock.nowMs += workedMs;
      await pause();
    }
    assert.deepEqual([clock.waits, clock.breaths], [[6, 0, 30], 0]);
  });

  test("does not take what held it up for work", async () => {
    const { clock, pause } = setUp(() => true);
    clock.nowMs += 60_000;
    await pause();
    assert.deepEqual(clock.waits, [50]);
  });

  test("only lets others have their turn while the ring is idle", async () => {
    const { clock, pause } = setUp(() => false);
    clock.nowMs += 6;
    await pause();
    assert.deepEqual([clock.waits, clock.breaths], [[], 1]);
  });
});
