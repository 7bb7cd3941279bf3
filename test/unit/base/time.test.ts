import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { systemTime } from "../../../src/base/time.js";

describe("the system's attentive clock", () => {
  /** What passes on both clocks while `work` runs. */
  async function passing(work: () => unknown): Promise<{ attentive: number; monotonic: number }> {
    const attentive = systemTime.attentiveMs();
    const monotonic = systemTime.monotonicMs();
    await work();
    return {
      attentive: systemTime.attentiveMs() - attentive,
      monotonic: systemTime.monotonicMs() - monotonic,
    };
  }

  it("runs while the process waits, and slower while it is busy", async () => {
    // The clock begins with the event loop, which runs after the first wait.
    await wait(1);
    const waiting = await passing(() => wait(200));
    const busy = await passing(() => {
      const until = performance.now() + 200;
      while (performance.now() < until);
    });
    assert.ok(waiting.attentive / waiting.monotonic > 0.5, JSON.stringify(waiting));
    assert.ok(busy.attentive / busy.monotonic < 0.35, JSON.stringify(busy));
  });
});
