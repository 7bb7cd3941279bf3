import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Speaker } from "../../../../src/consensus/ring/speaker.js";
import { VoteKind } from "../../../../src/gen/bss/v1/vote_pb.js";
import { RingBench } from "../support/ring-bench.js";

const bench = new RingBench();
const { ACCEPT, APPROVE, COMMIT } = VoteKind;
const [a, b] = [bench.id("A0"), bench.id("B0")];
const nothing = new Uint8Array();

describe("what a manager says", () => {
  test("is handed out once, in the order in which it was said", () => {
    const speaker = new Speaker(4);
    speaker.accept(a);
    speaker.approve(0, -1, a);
    assert.deepEqual(speaker.take(), [
      { kind: "accept", height: 4, blockId: a },
      { kind: "approve", height: 4, round: 0, validRound: -1, blockId: a },
    ]);
    assert.deepEqual(speaker.take(), []);
  });

  test("is one PROPOSE, APPROVE and COMMIT in a round, whatever comes second", () => {
    const speaker = new Speaker(4);
    const certificate = bench.lockCertificate(0, "A0", [1, 2, 3]);
    const lock = { round: 1, blockId: a, certificate };
    speaker.propose(1, 0, a, certificate);
    speaker.approve(1, 0, a);
    speaker.commit(1, a, lock);
    const said = [
      { kind: "propose", height: 4, round: 1, validRound: 0, blockId: a } as const,
      { kind: "approve", height: 4, round: 1, validRound: 0, blockId: a } as const,
      { kind: "commit", height: 4, round: 1, blockId: a, lock } as const,
    ];
    assert.deepEqual(speaker.take(), [
      { ...said[0], lockCertificate: certificate },
      ...said.slice(1),
    ]);
    speaker.propose(1, -1, b);
    speaker.approve(1, -1, b);
    speaker.approve(1, -1, nothing);
    speaker.commit(1, nothing);
    assert.deepEqual(speaker.take(), []);
    speaker.commit(2, nothing);
    assert.deepEqual(speaker.take(), [{ kind: "commit", height: 4, round: 2, blockId: nothing }]);
  });

  test("is one ACCEPT for each block, of as many blocks as are accurate", () => {
    const speaker = new Speaker(4);
    for (const block of [a, b, a, b]) speaker.accept(block);
    const blocks = speaker.take().map(({ blockId }) => blockId);
    assert.deepEqual(blocks, [a, b]);
  });

  test("is known by kind and round", () => {
    const speaker = new Speaker(4);
    speaker.propose(1, -1, a);
    speaker.approve(2, -1, a);
    speaker.commit(3, a);
    const rounds = [0, 1, 2, 3];
    assert.deepEqual(
      rounds.filter((round) => speaker.hasProposed(round)),
      [1],
    );
    assert.deepEqual(
      rounds.filter((round) => speaker.hasApproved(round)),
      [2],
    );
    assert.deepEqual(
      rounds.filter((round) => speaker.hasCommitted(round)),
      [3],
    );
  });

  test("is not said again after a restart", () => {
    const speaker = new Speaker(4);
    const votes = [
      bench.vote(ACCEPT, 0, "A0", 1),
      bench.vote(APPROVE, 1, "A0", 1),
      bench.vote(COMMIT, 2, "A0", 1),
    ];
    speaker.recall(votes, [bench.proposal(3, "A0")]);
    assert.ok(speaker.hasApproved(1) && speaker.hasCommitted(2) && speaker.hasProposed(3));
    speaker.accept(a);
    speaker.approve(1, -1, b);
    speaker.commit(2, nothing);
    speaker.propose(3, -1, b);
    assert.deepEqual(speaker.take(), []);
    speaker.approve(2, -1, b);
    assert.equal(speaker.take().length, 1, "what it has not said before it may say");
  });
});
