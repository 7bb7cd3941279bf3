import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ServiceRate } from "../../../../src/manager/pool/service-rate.js";

type Block = readonly [cost: number, afterMs: number, isFull?: boolean];

/** What 1,000 more would take after these blocks, one after the other. */
function msForThousand(...blocks: readonly Block[]): number {
  const rate = new ServiceRate();
  let nowMs = 5_000;
  for (const [cost, afterMs, isFull = true] of blocks) {
    nowMs += afterMs;
    rate.onServed({ cost, isFull, nowMs });
  }
  return rate.msFor(1_000);
}

const full = (count: number): readonly Block[] => Array.from({ length: count }, () => [500, 250]);

describe("the rate at which blocks take what waits", () => {
  test("is not known before two full blocks in a row", () => {
    assert.equal(msForThousand(), 0);
    assert.equal(msForThousand([500, 100]), 0);
    assert.equal(msForThousand([500, 100], [3, 100, false], [500, 100]), 0);
    assert.equal(msForThousand([500, 100], [500, 250]), 500);
  });

  test("is that of full blocks, with the time between them", () => {
    assert.equal(msForThousand([1, 0], [100, 100], [900, 400]), 500);
  });

  test("does not fall when there is little to do", () => {
    const few = Array.from({ length: 50 }, (): Block => [1, 80, false]);
    assert.equal(msForThousand(...full(3), ...few), 500);
    assert.equal(msForThousand(...full(3), ...few, [500, 60_000, true]), 500);
  });

  test("rises by what blocks that are not full show", () => {
    const quick = Array.from({ length: 16 }, (): Block => [100, 25, false]);
    assert.equal(msForThousand(...full(3), ...quick), 250);
  });

  test("follows the latest blocks", () => {
    const slow = Array.from({ length: 16 }, (): Block => [500, 1_000]);
    assert.equal(msForThousand(...full(40), ...slow), 2_000);
    assert.ok(msForThousand(...full(40), ...slow.slice(8)) < 2_000);
  });
});
