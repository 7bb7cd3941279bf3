import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { compareRuns, doubts, verdictOn } from "../../../bench/report/comparison.js";
import type { Run, RunResult } from "../../../bench/report/run-file.js";
import type { Estimate } from "../../../bench/report/statistics.js";

const estimate = (value: number, half: number): Estimate => {
  return { value, low: value - half, high: value + half };
};

function runWith(recordsPerS: Estimate, cpuMs: Estimate, refused = {}): Run {
  const result = {
    load: { kind: "closed", batchRecords: 1, inFlight: 16 },
    recordsPerS,
    p50Ms: estimate(100, 1),
    refused,
    unanswered: 0,
    roles: { manager: { cpuMsPerRecord: cpuMs }, storage: {}, client: {} },
    shares: {},
  } as unknown as RunResult;
  return {
    format: 1,
    machine: { cores: 2, cpu: "a cpu", node: "v24.0.0", commit: "abc" },
    startedAt: "2026-11-29T00:00:00Z",
    windowMs: 8_000,
    warmMs: 60_000,
    primitives: { ed25519Verify: 100 } as Run["primitives"],
    sections: [{ managers: 4, storage: 7, rttMs: 0, results: [result] }],
  };
}

describe("a verdict on two figures", () => {
  test("needs ranges that do not overlap", () => {
    assert.equal(verdictOn(estimate(100, 20), estimate(130, 20), "higher"), "same");
    assert.equal(verdictOn(estimate(100, 5), estimate(130, 5), "higher"), "better");
    assert.equal(verdictOn(estimate(100, 5), estimate(130, 5), "lower"), "worse");
    assert.equal(verdictOn(estimate(130, 5), estimate(100, 5), "lower"), "better");
  });

  test("does not count a small difference, however sure a run is of it", () => {
    assert.equal(verdictOn(estimate(100, 0), estimate(104, 0), "higher"), "same");
    assert.equal(verdictOn(estimate(100, 0), estimate(106, 0), "higher"), "better");
  });

  test("wants more of figures without a range", () => {
    assert.equal(verdictOn(100, 110, "higher"), "same");
    assert.equal(verdictOn(100, 120, "higher"), "better");
  });

  test("is unknown where one of the runs did not measure", () => {
    assert.equal(verdictOn(undefined, 1, "higher"), "unknown");
    assert.equal(verdictOn({ value: Number.NaN, low: 0, high: 0 }, 1, "higher"), "unknown");
  });

  test("sees the first refusal", () => assert.equal(verdictOn(0, 1, "lower"), "worse"));
});

describe("two runs", () => {
  const a = runWith(estimate(100, 2), estimate(0.4, 0.01));

  test("are compared load by load and measure by measure", () => {
    const b = runWith(estimate(150, 2), estimate(0.5, 0.01), { DOUBLE_SPEND: 3 });
    const verdicts = compareRuns(a, b).map(({ measure, verdict }) => [measure, verdict]);
    assert.deepEqual(verdicts, [
      ["records/s", "better"],
      ["p50 ms", "same"],
      ["refused or unanswered", "worse"],
      ["manager cpu ms/record", "worse"],
    ]);
  });

  test("are the same as themselves", () => {
    assert.ok(compareRuns(a, a).every(({ verdict }) => verdict === "same"));
  });

  test("of other sizes have nothing in common", () => {
    const [section] = a.sections;
    const b = Object.assign({}, a, { sections: [Object.assign({}, section, { managers: 7 })] });
    assert.deepEqual(compareRuns(a, b), []);
  });

  test("survive their files", () => {
    const b: Run = JSON.parse(JSON.stringify(runWith(estimate(Number.NaN, 0), estimate(1, 0))));
    const [first] = compareRuns(a, b);
    assert.equal(first?.verdict, "unknown");
  });

  test("of other machines are doubted", () => {
    assert.deepEqual(doubts(a, a), []);
    const slower = { ed25519Verify: 130 } as Run["primitives"];
    const machine = Object.assign({}, a.machine, { cpu: "another" });
    const b = Object.assign({}, a, { machine, primitives: slower, windowMs: 1_000 });
    assert.equal(doubts(a, b).length, 3);
  });

  test("with nodes that were not equally warm are doubted", () => {
    const b = Object.assign({}, a, { warmMs: 0 });
    assert.deepEqual(doubts(a, b), ["their nodes were warmed for 60 s and 0 s"]);
  });
});
