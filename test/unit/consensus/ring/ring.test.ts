/** What starts and ends a height, and what is kept of the next one. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { toHex } from "../../../../src/base/bytes.js";
import { blocksHeldMax } from "../../../../src/consensus/height/judgements.js";
import { roundsBehindMax } from "../../../../src/consensus/height/vote-tally.js";
import type { RingEvent } from "../../../../src/consensus/ring/events.js";
import { loneManagerWaitMs } from "../../../../src/consensus/ring/height-start.js";
import { nextOfManagerMax } from "../../../../src/consensus/ring/next-height.js";
import { Ring } from "../../../../src/consensus/ring/ring.js";
import type { RoundTimeouts } from "../../../../src/gen/bss/v1/genesis_pb.js";
import { type Vote, VoteKind } from "../../../../src/gen/bss/v1/vote_pb.js";
import { benchResendMs, benchTimeouts, nil, RingBench } from "../support/ring-bench.js";

const { ACCEPT, APPROVE, COMMIT } = VoteKind;

function idleBench(): RingBench {
  return new RingBench({ managers: 4, self: 3 });
}

function voteEvent(vote: Vote, height = 4): RingEvent {
  return { kind: "vote", vote: { ...vote, height: BigInt(height) } };
}

function judged(bench: RingBench, name: string): RingEvent {
  const facts = bench.facts(name);
  const judgement = { accurate: true, facts } as const;
  return { kind: "judged", height: bench.height, blockId: facts.blockId, judgement };
}

describe("an idle ring", () => {
  test("has nothing to do and no deadline, however much time passes", () => {
    const bench = idleBench();
    assert.deepEqual(bench.tick(1_000_000), []);
    assert.equal(bench.ring.nextDeadlineMs, undefined);
    assert.equal(bench.status(), "at height 4 round 0 step idle");
  });

  const starters: readonly (readonly [what: string, event: (bench: RingBench) => RingEvent])[] = [
    ["something to order", () => ({ kind: "wake" })],
    ["a proposal", (bench) => ({ kind: "proposal", proposal: bench.proposal(0, "A0") })],
    [
      "a lock certificate",
      (bench) => ({
        kind: "lock-certificate",
        certificate: bench.lockCertificate(0, "A0", [1, 2, 4]),
      }),
    ],
  ];
  for (const [what, event] of starters) {
    test(`is started by ${what}`, () => {
      const bench = idleBench();
      bench.step(event(bench));
      assert.equal(bench.status(), "at height 4 round 0 step propose");
      assert.equal(bench.ring.nextDeadlineMs, 100);
    });
  }

  const voices: readonly (readonly [what: string, event: (bench: RingBench) => RingEvent])[] = [
    ["an ACCEPT", (bench) => voteEvent(bench.vote(ACCEPT, 0, "A0", 2))],
    ["an APPROVE", (bench) => voteEvent(bench.vote(APPROVE, 0, nil, 2))],
    ["a proposal of a later round", (bench) => proposed(bench, 1, "B1")],
  ];
  for (const [what, event] of voices) {
    test(`is not started by ${what} alone before it has been open for some time`, () => {
      const bench = idleBench();
      bench.step(event(bench));
      assert.equal(bench.status(), "at height 4 round 0 step idle");
      assert.equal(bench.ring.nextDeadlineMs, loneManagerWaitMs);
      bench.tick(loneManagerWaitMs - 1);
      assert.equal(bench.status(), "at height 4 round 0 step idle");
      bench.tick(1);
      assert.equal(bench.status(), "at height 4 round 0 step propose");
    });

    test(`is started by ${what}, once it has been open for some time`, () => {
      const bench = idleBench();
      bench.tick(loneManagerWaitMs);
      bench.step(event(bench));
      assert.equal(bench.status(), "at height 4 round 0 step propose");
    });

    test(`is started by ${what}, and anything of a second manager`, () => {
      const bench = idleBench();
      bench.step(event(bench));
      bench.step(voteEvent(bench.vote(APPROVE, 0, nil, 4)));
      assert.equal(bench.status(), "at height 4 round 0 step propose");
    });
  }

  test("is not started by one manager that says much", () => {
    const bench = idleBench();
    for (let round = 0; round < 20; round++) {
      bench.step(voteEvent(bench.vote(APPROVE, round, nil, 2)));
      bench.step(voteEvent(bench.vote(COMMIT, round, nil, 2)));
    }
    assert.equal(bench.status(), "at height 4 round 0 step idle");
  });

  test("is started by one manager at once, where none may be faulty", () => {
    const bench = new RingBench({ managers: 3, self: 3 });
    bench.step(voteEvent(bench.vote(APPROVE, 0, nil, 2)));
    assert.equal(bench.status(), "at height 4 round 0 step propose");
  });

  test("is not started by a storage node, whose attestation still counts later", () => {
    const bench = idleBench();
    for (const node of bench.committee("A0", 0)) {
      bench.step({ kind: "attestation", attestation: bench.attestation(0, "A0", node) });
    }
    assert.equal(bench.status(), "at height 4 round 0 step idle");
    assert.deepEqual(bench.tick(1_000_000), []);
    bench.step({ kind: "proposal", proposal: bench.proposal(0, "A0") });
    bench.step(judged(bench, "A0"));
    const lines = [1, 2, 4].flatMap((manager) => [
      ...bench.step(voteEvent(bench.vote(ACCEPT, 0, "A0", manager))),
      ...bench.step(voteEvent(bench.vote(APPROVE, 0, "A0", manager))),
    ]);
    assert.ok(lines.includes("says COMMIT r0 A0, locked"));
  });

  const foreign: readonly (readonly [what: string, event: (bench: RingBench) => RingEvent])[] = [
    ["votes of the height before", (bench) => voteEvent(bench.vote(COMMIT, 0, "A0", 2), 3)],
    ["votes of the next height", (bench) => voteEvent(bench.vote(COMMIT, 0, "A0", 2), 5)],
    ["votes of a far height", (bench) => voteEvent(bench.vote(COMMIT, 0, "A0", 2), 6)],
    [
      "a proposal by whose turn it is not",
      (bench) => ({
        kind: "proposal",
        proposal: { ...bench.proposal(0, "A0"), managerId: "manager-2" },
      }),
    ],
    ["a block that nobody asked for", (bench) => built(bench, 0)],
  ];
  for (const [what, event] of foreign) {
    test(`is not started by ${what}`, () => {
      const bench = idleBench();
      assert.deepEqual(bench.step(event(bench)), []);
      assert.equal(bench.status(), "at height 4 round 0 step idle");
    });
  }

  test("is woken once: later wakes change nothing", () => {
    const bench = new RingBench({ managers: 4, self: 1 });
    assert.deepEqual(bench.step({ kind: "wake" }), ["asks build r0"]);
    assert.deepEqual(bench.step({ kind: "wake" }), []);
  });
});

describe("a block that was asked for", () => {
  test("is of no use when its round is over", () => {
    const bench = new RingBench({ managers: 4, self: 1 });
    bench.step({ kind: "wake" });
    for (const manager of [2, 3]) bench.step(voteEvent(bench.vote(APPROVE, 1, nil, manager)));
    assert.deepEqual(bench.step(built(bench, 0)), []);
  });

  test("gives way to a block that turned out lockable meanwhile", () => {
    const bench = new RingBench({ managers: 4, self: 2 });
    bench.step(judged(bench, "A0"));
    for (const manager of [1, 3]) bench.step(voteEvent(bench.vote(APPROVE, 1, nil, manager)));
    assert.equal(bench.status(), "at height 4 round 1 step propose");
    const certificate = bench.lockCertificate(0, "A0", [1, 3, 4]);
    bench.step({ kind: "lock-certificate", certificate });
    const lines = bench.step(built(bench, 1));
    assert.equal(lines[0], "says PROPOSE r1 A0 valid r0");
  });
});

describe("time that passes at once", () => {
  test("ends a round, and no step of the next one", () => {
    const ring = clockedRing({ proposeMs: 500, commitMs: 100 }, 0);
    for (const manager of [1, 2, 4]) {
      ring.step(voteEvent(idleBench().vote(COMMIT, 0, nil, manager)));
    }
    assert.equal(ring.nextDeadlineMs, 100);
    ring.tick({ monotonicMs: 4_000, attentiveMs: 4_000, wallMs: 0 });
    const { round, step, sinceMs } = ring.status();
    assert.deepEqual({ round, step, sinceMs }, { round: 1, step: "propose", sinceMs: 4_000 });
    assert.deepEqual(ring.ready()?.expired, ["commit"]);
    assert.equal(ring.nextDeadlineMs, 4_510);
  });
});

describe("a timer that ends a little too early", () => {
  test("is set again for a block whose time has come by the wall clock only", () => {
    const bench = idleBench();
    const facts = bench.facts("A0");
    const startMs = facts.timestampMs - 1_000;
    const ring = clockedRing({ proposeMs: 4_000, maxMs: 4_000 }, startMs);
    ring.step(proposed(bench, 0, "A0"));
    ring.step(judged(bench, "A0"));
    assert.deepEqual(
      ring.ready()?.statements.map(({ kind }) => kind),
      ["approve"],
    );
    assert.equal(ring.nextDeadlineMs, 1_001);
    ring.tick({ monotonicMs: 1_000.2, attentiveMs: 1_000.2, wallMs: startMs + 1_000 });
    assert.equal(ring.ready(), undefined);
    assert.equal(ring.nextDeadlineMs, 1_001);
    ring.tick({ monotonicMs: 1_001.1, attentiveMs: 1_001.1, wallMs: startMs + 1_001 });
    assert.deepEqual(
      ring.ready()?.statements.map(({ kind }) => kind),
      ["accept"],
    );
    assert.equal(ring.nextDeadlineMs, 4_000);
  });
});

describe("rounds that are long over", () => {
  test("are forgotten", () => {
    const bench = idleBench();
    bench.step(voteEvent(bench.vote(COMMIT, 0, "A0", 2)));
    const lines = bench.step({ kind: "proposal", proposal: bench.proposal(0, "A0") });
    assert.ok(lines.includes("asks validate A0, held by 1 2"));
    const round = roundsBehindMax + 1;
    for (const manager of [1, 2]) bench.step(voteEvent(bench.vote(APPROVE, round, nil, manager)));
    const later = bench.tick(benchResendMs);
    assert.ok(later.includes("asks validate A0, held by nobody"), `${later}`);
  });
});

describe("a manager is bound to", () => {
  test("a block that it waits for, found accurate or is locked on, and to no other", () => {
    const bench = idleBench();
    const [a, b, w] = ["A0", "B0", "W0"].map((name) => toHex(bench.id(name)));
    const isBoundTo = (block = "") => bench.ring.isBoundTo(block);
    assert.ok(!isBoundTo(a));
    bench.step(proposed(bench, 0, "A0"));
    assert.ok(isBoundTo(a), "its judgement is awaited");
    bench.step(judged(bench, "A0"));
    assert.ok(isBoundTo(a), "it may be committed");
    const violation = { reason: "DOUBLE_SPEND", message: "sold twice" } as const;
    const judgement = { accurate: false, violation } as const;
    bench.step({ kind: "judged", height: 4, blockId: bench.id("W0"), judgement });
    assert.ok(!isBoundTo(w), "it is wrong");
    assert.ok(!isBoundTo(b));
  });

  test("few blocks at a time, however many are proposed, and to its lock for good", () => {
    const bench = idleBench();
    bench.step(judged(bench, "E0"));
    const certificate = bench.lockCertificate(0, "E0", [1, 2, 4]);
    bench.step({ kind: "lock-certificate", certificate });
    assert.deepEqual(bench.tick(100), [
      "expires propose",
      "says APPROVE r0 nil",
      "says COMMIT r0 E0, locked",
    ]);
    const names = ["E0"];
    for (let round = 1; round <= 2 * blocksHeldMax; round++) {
      for (const manager of [1, 2]) bench.step(voteEvent(bench.vote(APPROVE, round, nil, manager)));
      if (bench.members.proposer(4, round) === bench.selfId) continue;
      names.push(`B${round}`);
      bench.step(proposed(bench, round, `B${round}`));
      if (round % 2 === 0) bench.step(judged(bench, `B${round}`));
    }
    const bound = names.filter((name) => bench.ring.isBoundTo(toHex(bench.id(name))));
    assert.equal(bound.length, blocksHeldMax);
    assert.equal(bound[0], "E0");
    assert.equal(bound.at(-1), names.at(-1));
  });
});

describe("the next height", () => {
  test("begins with what was sent for it early, in that order", () => {
    const bench = idleBench();
    bench.step(voteEvent(bench.vote(APPROVE, 1, nil, 1), 5));
    bench.step(voteEvent(bench.vote(APPROVE, 1, nil, 2), 5));
    bench.ring.advance({ height: 5, members: bench.members });
    const { height, round, step } = bench.ring.status();
    assert.deepEqual({ height, round, step }, { height: 5, round: 1, step: "propose" });
  });

  test("is idle without it, and its time begins at the clock of then", () => {
    const bench = idleBench();
    bench.tick(7_000);
    bench.ring.advance({ height: 5, members: bench.members });
    assert.deepEqual(bench.ring.status(), { height: 5, round: 0, step: "idle", sinceMs: 7_000 });
    bench.ring.step({ kind: "wake" });
    assert.equal(bench.ring.nextDeadlineMs, 7_100);
  });

  test("takes nothing along that was sent for another one", () => {
    const bench = idleBench();
    bench.step(voteEvent(bench.vote(APPROVE, 0, nil, 1), 5));
    bench.step(voteEvent(bench.vote(APPROVE, 0, nil, 2), 6));
    bench.ring.advance({ height: 6, members: bench.members });
    assert.equal(bench.ring.status().step, "idle");
    bench.ring.advance({ height: 7, members: bench.members });
    assert.equal(bench.ring.status().step, "idle");
  });

  test("takes only so much along of each manager: the rest is sent again anyway", () => {
    for (const [junk, round] of [
      [nextOfManagerMax - 1, 1],
      [nextOfManagerMax, 0],
    ] as const) {
      const bench = idleBench();
      for (let i = 0; i < junk; i++) bench.step(voteEvent(bench.vote(COMMIT, 0, nil, 1), 5));
      for (const manager of [1, 2]) bench.step(voteEvent(bench.vote(APPROVE, 1, nil, manager), 5));
      bench.ring.advance({ height: 5, members: bench.members });
      assert.equal(bench.ring.status().round, round);
    }
  });

  test("does not begin where the disk left the height before", () => {
    const votes = [idleBench().vote(COMMIT, 6, nil, 3)];
    const bench = new RingBench({ managers: 4, self: 3, restored: { votes, proposals: [] } });
    assert.equal(bench.status(), "at height 4 round 6 step commit");
    bench.ring.advance({ height: 5, members: bench.members });
    assert.equal(bench.ring.status().step, "idle");
  });

  test("is never an earlier one", () => {
    const bench = idleBench();
    for (const height of [3, 4]) {
      assert.throws(
        () => bench.ring.advance({ height, members: bench.members }),
        /only goes forward/,
      );
    }
  });
});

describe("a height that is over", () => {
  test("is silent and has no deadline, once decided", () => {
    const bench = new RingBench({ managers: 1, storage: 1 });
    bench.step({ kind: "wake" });
    bench.step(built(bench, 0));
    const [node = ""] = bench.committee("A0", 0);
    const attestation = bench.attestation(0, "A0", node);
    const lines = bench.step({ kind: "attestation", attestation });
    assert.equal(lines.at(-1), "decides A0 in r0: AC 1 IC r0 1 CC r0 1");
    assert.equal(bench.ring.nextDeadlineMs, undefined);
    assert.deepEqual(bench.tick(1_000_000), []);
    assert.deepEqual(bench.step(judged(bench, "B0")), []);
  });

  test("is so for good, once halted: no later height takes anything in", () => {
    const bench = idleBench();
    const violation = { reason: "DOUBLE_SPEND", message: "sold twice" } as const;
    const judgement = { accurate: false, violation } as const;
    for (const manager of [1, 2, 4]) bench.step(voteEvent(bench.vote(COMMIT, 0, "A0", manager)));
    const lines = bench.step({ kind: "judged", height: 4, blockId: bench.id("A0"), judgement });
    assert.match(lines.join(), /^halts: Q managers committed/);
    assert.equal(bench.ring.nextDeadlineMs, undefined);
    bench.ring.advance({ height: 5, members: bench.members });
    bench.ring.step({ kind: "wake" });
    bench.ring.step(voteEvent(bench.vote(APPROVE, 0, nil, 1), 5));
    bench.tick(1_000_000);
    assert.equal(bench.ring.status().step, "idle");
  });
});

/** That of manager 3, whose clocks a test sets by itself. */
function clockedRing(timeouts: Partial<RoundTimeouts>, wallMs: number): Ring {
  return new Ring({
    selfId: "manager-3",
    timeouts: { ...benchTimeouts, ...timeouts, $typeName: "bss.v1.RoundTimeouts" },
    futureBoundMs: 0,
    resendMs: benchResendMs,
    context: { height: 4, members: idleBench().members },
    clock: { monotonicMs: 0, attentiveMs: 0, wallMs },
  });
}

function proposed(bench: RingBench, round: number, name: string): RingEvent {
  return { kind: "proposal", proposal: bench.proposal(round, name) };
}

function built(bench: RingBench, round: number): RingEvent {
  return { kind: "built", height: bench.height, round, facts: bench.facts(`A${round}`) };
}
