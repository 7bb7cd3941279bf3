import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defined } from "../../../../src/base/assert.js";
import { toHex } from "../../../../src/base/bytes.js";
import {
  attestationsNamedMax,
  type RingWaiting,
  waitingText,
} from "../../../../src/consensus/ring/waiting.js";
import { VoteKind } from "../../../../src/gen/bss/v1/vote_pb.js";
import { nil, RingBench } from "../support/ring-bench.js";

const { ACCEPT, APPROVE, COMMIT } = VoteKind;
const nothing = {
  height: 4,
  round: 0,
  step: "approve",
  stepMs: 0,
  heightMs: 0,
  missingAccepts: [],
  missingApprovals: [],
  missingCommits: [],
  missingAttestations: [],
} as const;

type Act = (bench: RingBench) => void;

function vote(kind: VoteKind, round: number, name: string, ...managers: readonly number[]): Act {
  return (bench) => {
    for (const manager of managers) {
      bench.step({ kind: "vote", vote: bench.vote(kind, round, name, manager) });
    }
  };
}

function propose(round: number, name: string): Act {
  return (bench) => {
    bench.step({ kind: "proposal", proposal: bench.proposal(round, name) });
    const facts = bench.facts(name);
    const judgement = { accurate: true, facts } as const;
    bench.step({ kind: "judged", height: 4, blockId: facts.blockId, judgement });
  };
}

function attest(round: number, name: string, count: number): Act {
  return (bench) => {
    for (const node of bench.committee(name, round).slice(0, count)) {
      bench.step({ kind: "attestation", attestation: bench.attestation(round, name, node) });
    }
  };
}

function tick(ms: number): Act {
  return (bench) => bench.tick(ms);
}

/** What manager 3 waits for, 0 ms after the last act. */
function after(...acts: readonly Act[]) {
  const bench = new RingBench({ managers: 4, self: 3 });
  bench.step({ kind: "wake" });
  let nowMs = 0;
  for (const act of acts) {
    const before = bench.ring.status().sinceMs;
    act(bench);
    nowMs = Math.max(nowMs, before, bench.ring.status().sinceMs);
  }
  return { bench, waiting: defined(bench.ring.waiting(nowMs), "it waits") };
}

const accepted = [propose(0, "A0"), vote(ACCEPT, 0, "A0", 1, 2, 4)];
const approved = [...accepted, vote(APPROVE, 0, "A0", 1, 2)];

describe("a height waits for", () => {
  test("nobody, as long as it is idle", () => {
    assert.equal(new RingBench().ring.waiting(1_000), undefined);
  });

  test("the proposal", () => {
    const { waiting } = after();
    assert.deepEqual(waiting, { ...nothing, step: "propose", missingProposer: "manager-1" });
  });

  test("nobody by name, while it judges the proposal", () => {
    const { waiting } = after((bench) => {
      bench.step({ kind: "proposal", proposal: bench.proposal(0, "A0") });
    });
    assert.deepEqual(waiting, { ...nothing, step: "propose" });
  });

  test("APPROVE, until Q of any kind have come", () => {
    const { waiting } = after(...accepted, vote(APPROVE, 0, nil, 1));
    assert.deepEqual(waiting, { ...nothing, missingApprovals: ["manager-2", "manager-4"] });
    assert.deepEqual(after(...accepted, vote(APPROVE, 0, nil, 1, 2)).waiting, nothing);
  });

  test("ACCEPT of a block that Q managers approve, also in later rounds", () => {
    const stalled = [propose(0, "A0"), vote(ACCEPT, 0, "A0", 1), vote(APPROVE, 0, "A0", 1, 2)];
    const { bench, waiting } = after(...stalled);
    const missing = {
      block: toHex(bench.id("A0")),
      missingAccepts: ["manager-2", "manager-4"],
    };
    assert.deepEqual(waiting, { ...nothing, ...missing });
    const later = [tick(200), vote(COMMIT, 0, nil, 1, 2), tick(400)];
    const { waiting: next } = after(...stalled, ...later);
    assert.deepEqual(next, {
      ...nothing,
      ...missing,
      round: 1,
      step: "propose",
      heightMs: 600,
      missingProposer: "manager-2",
    });
  });

  test("the committee, once everybody has accepted", () => {
    const { bench, waiting } = after(...approved, attest(0, "A0", 1));
    assert.deepEqual(waiting, {
      ...nothing,
      step: "verify",
      block: toHex(bench.id("A0")),
      missingAttestations: bench.committee("A0", 0).slice(1),
    });
  });

  test("COMMIT, until Q of any kind have come", () => {
    const { waiting } = after(...approved, attest(0, "A0", 4), vote(COMMIT, 0, nil, 4));
    const missingCommits = ["manager-1", "manager-2"];
    assert.deepEqual(waiting, { ...nothing, step: "commit", missingCommits });
    const { waiting: ended } = after(...approved, attest(0, "A0", 4), vote(COMMIT, 0, nil, 1, 4));
    assert.deepEqual(ended, { ...nothing, step: "commit" });
  });

  test("nobody, when it is over", () => {
    const bench = new RingBench({ managers: 1, storage: 1 });
    bench.step({ kind: "wake" });
    bench.step({ kind: "built", height: 4, round: 0, facts: bench.facts("E0") });
    assert.equal(bench.ring.waiting(0), undefined);
  });

  test("a time: in the step, and since it was started", () => {
    const bench = new RingBench({ managers: 4, self: 3 });
    bench.tick(1_000);
    bench.step({ kind: "wake" });
    bench.tick(100);
    const waiting = bench.ring.waiting(1_250);
    assert.deepEqual([waiting?.step, waiting?.stepMs, waiting?.heightMs], ["approve", 150, 250]);
  });

  test("storage nodes, of which so many are named", () => {
    const bench = new RingBench({ managers: 1, storage: 200 });
    bench.step({ kind: "wake" });
    bench.step({ kind: "built", height: 4, round: 0, facts: bench.facts("A0") });
    const waiting = bench.ring.waiting(0);
    assert.equal(waiting?.missingAttestations.length, attestationsNamedMax);
  });
});

describe("for people a height waits for", () => {
  const block = "7f2a61c05e".padEnd(64, "0");
  const place = { height: 812, round: 3, heightMs: 12_345 };
  const cases: readonly (readonly [waiting: Partial<RingWaiting>, text: string])[] = [
    [{ block, missingAccepts: ["manager-3"] }, "ACCEPT of manager-3 for block 7f2a61c0…"],
    [
      { step: "propose", block, missingAccepts: ["m-1", "m-3"], missingProposer: "m-3" },
      "ACCEPT of m-1, m-3 for block 7f2a61c0…, and the proposal of m-3",
    ],
    [{ missingApprovals: ["m-1", "m-2"] }, "APPROVE of m-1, m-2"],
    [{ step: "commit", missingCommits: ["m-1"] }, "COMMIT of m-1"],
    [
      { step: "verify", block, missingAttestations: ["a", "b", "c", "d", "e", "f", "g"] },
      "attestation of a, b, c, d, e and 2 more for block 7f2a61c0…",
    ],
    [{}, "nobody: the step ends by itself,"],
  ];
  for (const [change, text] of cases) {
    test(text, () => {
      const waiting: RingWaiting = Object.assign({ ...nothing, ...place }, change);
      const { step } = waiting;
      assert.equal(waitingText(waiting), `${text} since 12 s (height 812, round 3, step ${step})`);
    });
  }
});
