import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  EvidenceWatch,
  heightsWatchedBehind,
  roundsWatchedMax,
} from "../../../../src/consensus/height/evidence-watch.js";
import { roundsAheadMax, roundsBehindMax } from "../../../../src/consensus/height/vote-tally.js";
import type { RingEvent } from "../../../../src/consensus/ring/events.js";
import type { Evidence } from "../../../../src/gen/bss/v1/genesis_pb.js";
import { type Proposal, type Vote, VoteKind } from "../../../../src/gen/bss/v1/vote_pb.js";
import { breaksLock } from "../../../../src/ledger/certificates/evidence.js";
import { nil, RingBench } from "../support/ring-bench.js";

const { ACCEPT, APPROVE, COMMIT } = VoteKind;
const bench = new RingBench({ managers: 4, self: 3, height: 9 });

/** A vote of manager 2; its signature's first byte is `mark`. */
function vote(kind: VoteKind, round: number, name: string, valid = -1, mark = 0): Vote {
  const signature = new Uint8Array(64).fill(mark, 0, 1);
  return { ...bench.vote(kind, round, name, 2, valid), signature };
}

function proposal(round: number, name: string, valid = -1, mark = 0): Proposal {
  const signature = new Uint8Array(64).fill(mark, 0, 1);
  return { ...bench.proposal(round, name), managerId: "manager-2", validRound: valid, signature };
}

function at<T extends Vote | Proposal>(height: number, statement: T): T {
  return { ...statement, height: BigInt(height) };
}

function eventOf(statement: Vote | Proposal): RingEvent {
  return "kind" in statement
    ? { kind: "vote", vote: statement }
    : { kind: "proposal", proposal: statement };
}

function found(statements: readonly (Vote | Proposal)[], openHeight = 9): readonly Evidence[] {
  const watch = new EvidenceWatch(openHeight);
  for (const each of statements) watch.see(eventOf(each));
  return watch.take();
}

describe("a manager is accused", () => {
  const offences: readonly (readonly [
    what: string,
    a: Vote | Proposal,
    b: Vote | Proposal,
    offence: string,
  ])[] = [
    ["two proposals", proposal(1, "A0"), proposal(1, "B0"), "proposals"],
    ["two valid rounds of a proposal", proposal(2, "A0", 0), proposal(2, "A0", 1), "proposals"],
    ["two APPROVE", vote(APPROVE, 1, "A0"), vote(APPROVE, 1, "B0"), "votes"],
    ["APPROVE of a block and of nil", vote(APPROVE, 1, "A0"), vote(APPROVE, 1, nil), "votes"],
    ["two valid rounds of an APPROVE", vote(APPROVE, 2, "A0"), vote(APPROVE, 2, "A0", 1), "votes"],
    ["two COMMIT", vote(COMMIT, 1, "A0"), vote(COMMIT, 1, nil), "votes"],
    ["a lock that is broken", vote(COMMIT, 1, "A0"), vote(APPROVE, 2, "B0", 0), "brokenLock"],
    ["a lock broken by a fresh block", vote(COMMIT, 0, "A0"), vote(APPROVE, 1, "B1"), "brokenLock"],
  ];
  for (const [what, a, b, offence] of offences) {
    test(`of ${what}, in whatever order they come`, () => {
      for (const statements of [
        [a, b],
        [b, a],
      ]) {
        const [evidence, ...more] = found(statements);
        assert.equal(evidence?.managerId, "manager-2");
        assert.equal(evidence?.offence.case, offence);
        assert.deepEqual(more, []);
      }
    });
  }

  test("with the two statements as they were signed, in the order of their signatures", () => {
    const statements = [vote(APPROVE, 3, "A0", 2, 7), vote(APPROVE, 3, "B0", 1, 5)];
    const [evidence] = found(statements);
    assert.ok(evidence?.offence.case === "votes");
    const { first, second } = evidence.offence.value;
    const shown = [first, second].map((each) => [each?.signature[0], each?.validRound]);
    assert.deepEqual(shown, [
      [5, 1],
      [7, 2],
    ]);
    assert.equal(first?.commit, false);
    assert.equal(first?.height, 9n);
    assert.equal(first?.round, 3);
    assert.deepEqual(first?.blockId, bench.id("B0"));
  });

  test("of a broken lock with the COMMIT first", () => {
    const [evidence] = found([vote(APPROVE, 2, "B0", 0, 1), vote(COMMIT, 1, "A0", -1, 9)]);
    assert.ok(evidence?.offence.case === "brokenLock");
    assert.deepEqual(
      [evidence.offence.value.first?.commit, evidence.offence.value.second?.commit],
      [true, false],
    );
  });

  test("once, whatever else it signs", () => {
    const watch = new EvidenceWatch(9);
    for (const round of [0, 1, 2]) {
      for (const name of ["A0", "B0"]) watch.see(eventOf(vote(COMMIT, round, name)));
      watch.see(eventOf(proposal(round, `C${round}`)));
      watch.see(eventOf(proposal(round, `D${round}`)));
    }
    assert.equal(watch.take().length, 1);
    assert.deepEqual(watch.take(), []);
  });
});

describe("a manager that keeps the rules is never accused", () => {
  const fair: readonly (readonly [what: string, statements: readonly (Vote | Proposal)[]])[] = [
    ["for saying a thing twice", [vote(COMMIT, 1, "A0"), vote(COMMIT, 1, "A0")]],
    ["for two heights", [vote(COMMIT, 1, "A0"), at(8, vote(COMMIT, 1, "B0"))]],
    ["for two rounds", [vote(COMMIT, 1, "A0"), vote(COMMIT, 2, "B0"), proposal(1, "A0")]],
    ["for two ACCEPT", [vote(ACCEPT, 0, "A0"), vote(ACCEPT, 0, "B0")]],
    ["for approving nil after a COMMIT", [vote(COMMIT, 1, "A0"), vote(APPROVE, 2, nil)]],
    ["for approving its lock", [vote(COMMIT, 1, "A0"), vote(APPROVE, 2, "A0", 0)]],
    ["for a certificate of that round", [vote(COMMIT, 1, "A0"), vote(APPROVE, 2, "B0", 1)]],
    ["for an APPROVE before", [vote(APPROVE, 0, "B0"), vote(COMMIT, 1, "A0")]],
    ["for an APPROVE of that round", [vote(APPROVE, 1, "B0", 0), vote(COMMIT, 1, "A0")]],
    ["for a COMMIT of nil", [vote(COMMIT, 1, nil), vote(APPROVE, 2, "B0")]],
  ];
  for (const [what, statements] of fair) {
    test(what, () => assert.deepEqual(found(statements), []));
  }

  test("for what another signed", () => {
    const other = { ...vote(COMMIT, 1, "B0"), managerId: "manager-4" };
    assert.deepEqual(found([vote(COMMIT, 1, "A0"), other]), []);
  });

  test("nor is a lock broken by a round before it, or by the same block", () => {
    assert.ok(breaksLock(vote(COMMIT, 1, "A0"), vote(APPROVE, 2, "B0", 0)));
    assert.ok(!breaksLock(vote(COMMIT, 2, "A0"), vote(APPROVE, 2, "B0", 0)));
    assert.ok(!breaksLock(vote(COMMIT, 1, "A0"), vote(APPROVE, 2, "A0", 0)));
  });
});

describe("what is watched", () => {
  test("are the open height and the two before it, also late", () => {
    for (const [height, accused] of [
      [9, 1],
      [8, 1],
      [9 - heightsWatchedBehind, 1],
      [9 - heightsWatchedBehind - 1, 0],
      [10, 0],
    ] as const) {
      const pair = [vote(COMMIT, 1, "A0"), vote(COMMIT, 1, "B0")].map((each) => at(height, each));
      assert.equal(found(pair).length, accused, `height ${height}`);
    }
  });

  test("is remembered when the ring goes on, and forgotten two heights later", () => {
    for (const [later, accused] of [
      [2, 1],
      [3, 0],
    ] as const) {
      const watch = new EvidenceWatch(9);
      watch.see(eventOf(vote(COMMIT, 1, "A0")));
      watch.advance(9 + later);
      watch.see(eventOf(vote(COMMIT, 1, "B0")));
      assert.equal(watch.take().length, accused);
    }
  });

  test("are certificates too: of a lock, with a proposal, and those that blocks carry", () => {
    const polka = bench.lockCertificate(1, "A0", [1, 2, 4]);
    const other = vote(APPROVE, 1, "B0");
    const carriers: readonly RingEvent[] = [
      { kind: "lock-certificate", certificate: polka },
      { kind: "proposal", proposal: bench.proposal(2, "A0", polka) },
      { kind: "seen", votes: [bench.vote(APPROVE, 1, "A0", 2)] },
    ];
    for (const event of carriers) {
      const watch = new EvidenceWatch(9);
      watch.see(eventOf(other));
      watch.see(event);
      assert.deepEqual(
        watch.take().map(({ managerId }) => managerId),
        ["manager-2"],
        event.kind,
      );
    }
  });

  test("are rounds that the ring can be in: nobody fills the memory with others", () => {
    const watch = new EvidenceWatch(9);
    const pair = (round: number) => {
      for (const name of ["A0", "B0"]) watch.see(eventOf(vote(COMMIT, round, name)));
      return watch.take().length;
    };
    assert.equal(pair(roundsAheadMax + 1), 0);
    watch.reach(1);
    assert.equal(pair(roundsAheadMax + 1), 1);
  });

  test("are the latest rounds, of a height that was never open here from the start", () => {
    const watch = new EvidenceWatch(9);
    const highest = roundsBehindMax + roundsAheadMax;
    for (let round = 0; round <= highest + 5; round++) {
      watch.see(eventOf(at(8, vote(APPROVE, round, nil))));
    }
    watch.see(eventOf(at(8, vote(APPROVE, highest + 1, "A0"))));
    assert.deepEqual(watch.take(), []);
    watch.see(eventOf(at(8, vote(APPROVE, highest, "A0"))));
    assert.equal(watch.take().length, 1);
  });

  test("is bounded: the lowest rounds are forgotten first", () => {
    const watch = new EvidenceWatch(9);
    for (let round = 0; round <= roundsWatchedMax; round++) {
      watch.reach(round);
      watch.see(eventOf(vote(APPROVE, round, nil)));
    }
    watch.see(eventOf(vote(APPROVE, 0, "A0")));
    assert.deepEqual(watch.take(), []);
    watch.see(eventOf(vote(APPROVE, 2, "A0")));
    assert.equal(watch.take().length, 1);
  });
});

describe("a ring", () => {
  test("hands out evidence of votes that come late, for a height that is over", () => {
    const ring = new RingBench({ managers: 4, self: 3 });
    ring.step({ kind: "vote", vote: ring.vote(APPROVE, 0, "A0", 2) });
    const late = ring.vote(APPROVE, 0, "B0", 2);
    ring.ring.advance({ height: 5, members: ring.members });
    assert.deepEqual(ring.step({ kind: "vote", vote: late }), ["accuses 2 of votes"]);
    assert.equal(ring.ring.status().step, "idle", "and starts nothing for it");
  });

  test("hands out evidence of votes that it is only shown, and counts them for nothing", () => {
    const ring = new RingBench({ managers: 4, self: 3 });
    const votes = ["A0", "B0"].map((name) => ring.vote(COMMIT, 0, name, 2));
    assert.deepEqual(ring.step({ kind: "seen", votes }), ["accuses 2 of votes"]);
    assert.equal(ring.ring.status().step, "idle");
  });

  test("knows after a restart what it has signed itself", () => {
    const votes = [bench.vote(COMMIT, 1, "A0", 3)];
    const ring = new RingBench({ height: 9, self: 3, restored: { votes, proposals: [] } });
    ring.flush();
    const stranger = bench.vote(COMMIT, 1, "B0", 3);
    assert.deepEqual(ring.step({ kind: "vote", vote: stranger }), ["accuses 3 of votes"]);
  });
});
