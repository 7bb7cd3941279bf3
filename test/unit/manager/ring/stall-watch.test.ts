import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { RingWaiting } from "../../../../src/consensus/ring/waiting.js";
import { StallWatch } from "../../../../src/manager/ring/stall-watch.js";
import { RpcError } from "../../../../src/rpc/rpc-error.js";

const waitingAt = (height: number, heightMs: number): RingWaiting => ({
  height,
  heightMs,
  stepMs: 0,
  round: 0,
  step: "approve",
  missingAccepts: ["manager-3"],
  missingApprovals: [],
  missingCommits: [],
  missingAttestations: [],
});

describe("[R4.9.5] the watch for heights that do not end", () => {
  let said: string[];
  let clockMs: number;
  let now: RingWaiting | undefined;
  let held: string | undefined;
  let watch: StallWatch;

  beforeEach(() => {
    said = [];
    clockMs = 0;
    now = undefined;
    held = undefined;
    watch = new StallWatch(
      {
        monotonicMs: () => clockMs,
        observer: {
          held: (what, ms) => said.push(`held by ${what}, ${ms / 1_000} s`),
          stalled: ({ height, heightMs }) =>
            said.push(`stalled at ${height}, ${heightMs / 1_000} s`),
          wentOn: (height, ms) => said.push(`went on after ${height}, ${ms / 1_000} s`),
        },
      },
      {
        ring: { waiting: () => now },
        pool: { submissionCount: 1 },
        availability: {
          whatIsMissing: () =>
            held === undefined ? undefined : new RpcError("STORAGE_UNAVAILABLE", held),
        },
      },
    );
  });

  const look = () => {
    clockMs += 1_000;
    watch.tick();
  };

  const run = (height: number, fromS: number, toS: number) => {
    for (let s = fromS; s <= toS; s++) {
      now = waitingAt(height, s * 1_000);
      look();
    }
  };

  test("is silent about heights that end within 10 s, and about an idle ring", () => {
    for (const height of [1, 2, 3]) run(height, 0, 9);
    now = undefined;
    look();
    assert.deepEqual(said, []);
  });

  test("speaks at 10 s, each time the wait has doubled, and every 5 min in the end", () => {
    run(7, 0, 1_000);
    const at = [10, 20, 40, 80, 160, 320, 620, 920];
    assert.deepEqual(
      said,
      at.map((s) => `stalled at 7, ${s} s`),
    );
  });

  test("says once that it goes on, and starts anew with the next height", () => {
    run(7, 0, 13);
    run(8, 0, 10);
    now = undefined;
    look();
    look();
    assert.deepEqual(said, [
      "stalled at 7, 10 s",
      "went on after 7, 13 s",
      "stalled at 8, 10 s",
      "went on after 8, 10 s",
    ]);
  });

  test("says what keeps heights from beginning, in the same rhythm", () => {
    held = "storage-3 is missing";
    for (let s = 0; s <= 25; s++) look();
    held = undefined;
    look();
    held = "storage-4 is missing";
    for (let s = 0; s <= 11; s++) look();
    assert.deepEqual(said, [
      "held by storage-3 is missing, 10 s",
      "held by storage-3 is missing, 20 s",
      "held by storage-4 is missing, 10 s",
    ]);
  });
});
