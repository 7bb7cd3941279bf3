/** When a manager may say of something that no ledger has it (R3.2). */
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { SuspensionMode } from "../../../../src/gen/bss/v1/genesis_pb.js";
import type { Members } from "../../../../src/ledger/members/members.js";
import { TipWatch } from "../../../../src/manager/screening/tip-watch.js";
import { genesis } from "../../ledger/support/consortium.js";

const [second, third, fourth] = ["manager-2", "manager-3", "manager-4"] as const;
const tickMs = 100;

describe("[R3.2] a manager surely knows all that is final", () => {
  let nowMs: number;
  let atTip: boolean;
  let votedHeight: number | undefined;
  let members: Pick<Members, "managers" | "quorum" | "activeManagerIds">;
  let watch: TipWatch;

  const watchWith = (halfSuspendAfterMs: number | undefined) =>
    new TipWatch(
      {
        selfId: "manager-1",
        policy: {
          suspension:
            halfSuspendAfterMs === undefined ? SuspensionMode.NEVER : SuspensionMode.FLOOR,
          suspendAfterMs: 2 * (halfSuspendAfterMs ?? 0),
        },
        members: () => members,
        monotonicMs: () => nowMs,
      },
      {
        ring: {
          get height() {
            return votedHeight ?? 0;
          },
          status: () => ({ step: votedHeight === undefined ? "idle" : "propose" }),
        },
        abstention: {
          get atTip() {
            return atTip;
          },
        },
      },
    );

  beforeEach(() => {
    [nowMs, atTip, votedHeight, members] = [10_000, true, undefined, genesis.members];
    watch = watchWith(undefined);
  });

  /** Lets time pass in which these are heard. */
  const pass = (ms: number, heard: readonly string[] = [second, third]) => {
    for (const endMs = nowMs + ms; nowMs < endMs; nowMs += tickMs) {
      for (const id of heard) watch.hear(id);
      watch.tick();
    }
  };

  test("after it has heard Q managers, itself among them, for 3 s", () => {
    pass(2_900);
    assert.equal(watch.knowsAllFinal, false);
    pass(300);
    assert.equal(watch.knowsAllFinal, true);
  });

  test("not from fewer, nor from itself", () => {
    pass(10_000, ["manager-1", second, "participant-1"]);
    assert.equal(watch.knowsAllFinal, false);
  });

  test("not any more when they fall silent, and not at once when they are back", () => {
    pass(4_000);
    pass(2_900, []);
    assert.equal(watch.knowsAllFinal, true);
    pass(300, [second]);
    assert.equal(watch.knowsAllFinal, false);
    pass(1_000, [second, fourth]);
    assert.equal(watch.knowsAllFinal, false);
    pass(2_500, [second, fourth]);
    assert.equal(watch.knowsAllFinal, true);
  });

  test("not while its process stands still, and not at once after", () => {
    pass(4_000);
    nowMs += 1_200;
    assert.equal(watch.knowsAllFinal, false);
    pass(1_000);
    assert.equal(watch.knowsAllFinal, false);
    pass(3_000);
    assert.equal(watch.knowsAllFinal, true);
  });

  test("while heights follow each other, and not when one is open for long", () => {
    pass(4_000);
    for (votedHeight = 1; votedHeight < 5; votedHeight++) {
      pass(2_000);
      assert.equal(watch.knowsAllFinal, true);
    }
    pass(3_500);
    assert.equal(watch.knowsAllFinal, false);
    votedHeight = undefined;
    pass(100);
    assert.equal(watch.knowsAllFinal, true);
  });

  test("not while others are further", () => {
    pass(4_000);
    atTip = false;
    assert.equal(watch.knowsAllFinal, false);
  });

  test("not while it is suspended: then blocks do without it", () => {
    pass(4_000);
    const { managers, quorum } = genesis.members;
    members = { managers, quorum, activeManagerIds: [second, third, fourth] };
    assert.equal(watch.knowsAllFinal, false);
  });

  test("within half of the time after which others suspend it", () => {
    watch = watchWith(500);
    pass(4_000);
    assert.equal(watch.knowsAllFinal, true);
    pass(600, []);
    assert.equal(watch.knowsAllFinal, false);
  });
});
