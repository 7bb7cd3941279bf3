import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Batcher } from "../../../../src/cli/sending/batcher.js";

describe("the batches of a run", () => {
  for (const [name, each, sizes] of [
    ["records", { bytes: new Uint8Array(100) }, [4, 4, 2]],
    ["bytes", { bytes: new Uint8Array(1_500_000) }, [2, 2, 2, 2, 2]],
    // Months of five minutes take next to no bytes where nothing was metered.
    ["intervals", { bytes: new Uint8Array(60), intervals: 40_000 }, [2, 2, 2, 2, 2]],
  ] as const) {
    test(`are bounded by ${name}`, () => {
      const batcher = new Batcher<{ bytes: Uint8Array; intervals?: number }>(4);
      const full = Array.from({ length: 10 }, () => batcher.add(each)).filter(Boolean);
      assert.deepEqual(
        [...full, batcher.take()].map((batch) => batch?.length),
        sizes,
      );
      assert.equal(batcher.take().length, 0);
    });
  }
});
