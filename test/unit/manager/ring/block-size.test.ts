/** How large blocks become: small while somebody has few records beside others, large otherwise. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BlockSize } from "../../../../src/manager/ring/block-size.js";

const recordsMax = 1_000;
const proposeMs = 4_000;
const managers = 4;

/** Who waits besides an import that never ends. */
const waiting = {
  nobody: [5_000],
  one: [5_000, 1],
  import: [5_000, 4_000],
  "one beside 8": [1].concat(Array.from({ length: 8 }, () => 5_000)),
  "one beside 100": [1].concat(Array.from({ length: 100 }, () => 5_000)),
} as const;
type Beside = keyof typeof waiting;

/** Rounds that take `fixedMs` and `perRecordMs` for each record, while records wait without end. */
function saturate(
  size: BlockSize,
  cost: { readonly fixedMs: number; readonly perRecordMs: number },
  beside: Beside,
  blocks = 60,
): { readonly records: number; readonly roundMs: number } {
  let records = 0;
  let roundMs = 0;
  for (let nowMs = 0, block = 0; block < blocks; block++) {
    records = size.recordsMax(nowMs);
    roundMs = cost.fixedMs + cost.perRecordMs * records;
    nowMs += roundMs;
    size.onAppended({ records, roundMs, waiting: waiting[beside], managers, nowMs });
  }
  return { records, roundMs };
}

function sizeAfterQuiet(fixedMs: number): BlockSize {
  const size = new BlockSize({ recordsMax, timeouts: { proposeMs } });
  for (let block = 0; block < 50; block++) {
    size.onAppended({
      records: 1,
      roundMs: fixedMs,
      waiting: waiting.nobody,
      managers,
      nowMs: block,
    });
  }
  return size;
}

describe("the size of blocks", () => {
  test("is what the policy allows before anything is known", () => {
    const size = new BlockSize({ recordsMax, timeouts: { proposeMs } });
    assert.equal(size.recordsMax(0), recordsMax);
  });

  test("is what the policy allows for a participant that is alone and fast enough", () => {
    const cost = { fixedMs: 150, perRecordMs: 0.9 };
    assert.equal(saturate(sizeAfterQuiet(cost.fixedMs), cost, "nobody").records, recordsMax);
  });

  test("keeps a round to a 64th of the proposal's timeout while one has few records", () => {
    const cost = { fixedMs: 20, perRecordMs: 0.4 };
    const { roundMs } = saturate(sizeAfterQuiet(cost.fixedMs), cost, "one");
    assert.ok(roundMs > 45 && roundMs < 75, `${roundMs} ms`);
  });

  test("lets a round take longer, up to a 16th, the more participants import beside the one", () => {
    const cost = { fixedMs: 20, perRecordMs: 0.4 };
    for (const beside of ["one beside 8", "one beside 100"] as const) {
      const { roundMs } = saturate(sizeAfterQuiet(cost.fixedMs), cost, beside);
      assert.ok(roundMs > 180 && roundMs < 260, `${roundMs} ms`);
    }
  });

  test("stays what it is for one participant when several have more than fits", () => {
    const cost = { fixedMs: 150, perRecordMs: 0.9 };
    const { records } = saturate(sizeAfterQuiet(cost.fixedMs), cost, "import");
    assert.equal(records, recordsMax);
  });

  test("becomes small for a participant whose records fit into its part of a block", () => {
    const size = sizeAfterQuiet(150);
    const round = { records: 900, roundMs: 960, managers, nowMs: 100 };
    size.onAppended({ ...round, waiting: [5_000, 5_000, recordsMax / 3 + 1] });
    assert.equal(size.recordsMax(100), recordsMax);
    size.onAppended({ ...round, waiting: [5_000, 5_000, recordsMax / 3 - 1] });
    assert.ok(size.recordsMax(100) < recordsMax / 2);
  });

  test("keeps a round to half of the timeout on a slow machine, whoever waits", () => {
    const cost = { fixedMs: 600, perRecordMs: 6 };
    const { roundMs } = saturate(sizeAfterQuiet(cost.fixedMs), cost, "nobody");
    assert.ok(roundMs > 1_400 && roundMs < 2_400, `${roundMs} ms`);
  });

  test("does not spend nearly all of a round on the block's fixed cost", () => {
    const cost = { fixedMs: 1_500, perRecordMs: 3 };
    const { records, roundMs } = saturate(sizeAfterQuiet(cost.fixedMs), cost, "one");
    assert.ok(records > 60, `${records} records`);
    assert.ok(roundMs < 1.5 * cost.fixedMs, `${roundMs} ms`);
  });

  test("follows a machine that becomes slow, and one that is fast again", () => {
    const size = sizeAfterQuiet(100);
    const fast = saturate(size, { fixedMs: 30, perRecordMs: 0.2 }, "one");
    const slow = saturate(size, { fixedMs: 60, perRecordMs: 1 }, "one");
    const again = saturate(size, { fixedMs: 30, perRecordMs: 0.2 }, "one");
    assert.ok(slow.records < fast.records / 2, `${slow.records} of ${fast.records}`);
    assert.ok(again.records > (fast.records * 2) / 3, `${again.records} of ${fast.records}`);
  });

  test("is not made small by one manager that makes its own rounds slow", () => {
    for (const beside of ["nobody", "one"] as const) {
      const cost = { fixedMs: 150, perRecordMs: 0.9 };
      const fair = saturate(sizeAfterQuiet(cost.fixedMs), cost, beside);
      const size = sizeAfterQuiet(cost.fixedMs);
      let least = recordsMax;
      for (let nowMs = 0, block = 0; block < 200; block++) {
        const isSlow = block % managers === 0;
        const records = isSlow ? 0 : size.recordsMax(nowMs);
        const roundMs = isSlow ? 3_900 : cost.fixedMs + cost.perRecordMs * records;
        nowMs += roundMs;
        size.onAppended({ records, roundMs, waiting: waiting[beside], managers, nowMs });
        if (!isSlow && block > 20) least = Math.min(least, records);
      }
      assert.ok(least > fair.records / 2, `${least} of ${fair.records}`);
    }
  });

  test("is not held down by a fixed cost that was learned elsewhere", () => {
    const size = sizeAfterQuiet(1_500);
    saturate(size, { fixedMs: 1_500, perRecordMs: 1.5 }, "one");
    const { records, roundMs } = saturate(size, { fixedMs: 100, perRecordMs: 4 }, "one", 200);
    assert.ok(roundMs < 700, `${records} records take ${roundMs} ms`);
  });

  test("grows again when the participant has been alone for a while", () => {
    const size = sizeAfterQuiet(150);
    const cost = { fixedMs: 150, perRecordMs: 0.9 };
    const { records } = saturate(size, cost, "one");
    assert.ok(records < recordsMax);
    assert.ok(size.recordsMax(1e9) > 0.9 * recordsMax);
  });

  test("learns nothing from blocks that a peer shipped", () => {
    const size = sizeAfterQuiet(100);
    const before = size.recordsMax(100);
    size.onAppended({
      records: 1_000,
      roundMs: undefined,
      waiting: waiting.nobody,
      managers,
      nowMs: 100,
    });
    assert.equal(size.recordsMax(100), before);
  });
});
