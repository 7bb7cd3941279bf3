import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { toHex } from "../../../../src/base/bytes.js";
import {
  acceptsPerManagerMax,
  choicesPerRoundMax,
  roundsAheadMax,
  roundsBehindMax,
  VoteTally,
} from "../../../../src/consensus/height/vote-tally.js";
import { nilBlock } from "../../../../src/consensus/ring/events.js";
import { VoteKind } from "../../../../src/gen/bss/v1/vote_pb.js";
import { nil, RingBench } from "../support/ring-bench.js";

const bench = new RingBench({ managers: 7 });
const { ACCEPT, APPROVE, COMMIT } = VoteKind;
const blockA = toHex(bench.id("A0"));
const blockB = toHex(bench.id("B0"));

function tallyOf(...votes: readonly Parameters<RingBench["vote"]>[]): VoteTally {
  const tally = new VoteTally();
  for (const vote of votes) tally.add(bench.vote(...vote), 0);
  return tally;
}

describe("votes", () => {
  test("a manager counts once for a block, however often its vote comes", () => {
    const tally = new VoteTally();
    assert.equal(tally.add(bench.vote(COMMIT, 0, "A0", 1), 0), "added");
    for (let i = 0; i < 10; i++) {
      assert.equal(tally.add(bench.vote(COMMIT, 0, "A0", 1), 0), "known");
    }
    assert.equal(tally.commits(0, blockA).size, 1);
    assert.deepEqual(tally.blocksCommittedBy(1), [{ round: 0, block: blockA }]);
    assert.deepEqual(tally.blocksCommittedBy(2), []);
  });

  test("a manager that signs two blocks stands under both", () => {
    const tally = new VoteTally();
    assert.equal(tally.add(bench.vote(APPROVE, 0, "A0", 1), 0), "added");
    assert.equal(tally.add(bench.vote(APPROVE, 0, "B0", 1), 0), "conflict");
    assert.equal(tally.approves(0, blockA).size, 1);
    assert.equal(tally.approves(0, blockB).size, 1);
    assert.equal(tally.approvers(0).size, 1, "and is one voter");
  });

  test("COMMITs of different rounds are not added up", () => {
    const tally = tallyOf([COMMIT, 0, "A0", 1], [COMMIT, 0, "A0", 2], [COMMIT, 1, "A0", 3]);
    assert.deepEqual(tally.blocksCommittedBy(3), []);
    assert.equal(tally.committers(0).size, 2);
  });

  test("nil is a choice like any other, and no block", () => {
    const tally = tallyOf([APPROVE, 0, nil, 1], [APPROVE, 0, nil, 2], [APPROVE, 0, "A0", 3]);
    assert.equal(tally.approves(0, nilBlock).size, 2);
    assert.equal(tally.approvers(0).size, 3);
    assert.deepEqual(tally.blocksApprovedBy(1), [{ round: 0, block: blockA }]);
  });

  test("the round that f+1 have reached is counted by managers, not by messages", () => {
    const tally = tallyOf(
      [APPROVE, 9, nil, 1],
      [COMMIT, 9, nil, 1],
      [APPROVE, 8, "A0", 1],
      [COMMIT, 4, nil, 2],
      [APPROVE, 3, nil, 3],
    );
    tally.sawRound("manager-4", 2);
    const reached = [1, 2, 3, 4, 5].map((count) => tally.roundReachedBy(count));
    assert.deepEqual(reached, [9, 4, 3, 2, -1]);
  });

  test("an ACCEPT has no round and moves nobody", () => {
    const tally = tallyOf([ACCEPT, 0, "A0", 1], [ACCEPT, 0, "A0", 2]);
    assert.equal(tally.accepts(blockA).size, 2);
    assert.equal(tally.roundReachedBy(1), -1);
  });
});

describe("votes are kept within bounds", () => {
  test("rounds far ahead count for skipping alone", () => {
    const tally = new VoteTally();
    const round = roundsAheadMax + 1;
    assert.equal(tally.add(bench.vote(APPROVE, round, "A0", 1), 0), "out-of-range");
    assert.equal(tally.approves(round, blockA).size, 0);
    assert.equal(tally.roundReachedBy(1), round);
    assert.equal(tally.add(bench.vote(APPROVE, round, "A0", 1), 1), "added");
  });

  test("rounds far behind do not count, but in a certificate", () => {
    const tally = new VoteTally();
    const current = roundsBehindMax + 1;
    assert.equal(tally.add(bench.vote(COMMIT, 0, "A0", 1), current), "out-of-range");
    assert.equal(tally.add(bench.vote(COMMIT, 0, "A0", 1), current, true), "added");
  });

  test("a manager has few choices in a round, but in certificates", () => {
    const tally = new VoteTally();
    for (let i = 0; i <= choicesPerRoundMax; i++) tally.add(bench.vote(APPROVE, 0, `A${i}`, 1), 0);
    assert.equal(tally.add(bench.vote(APPROVE, 0, "A9", 1), 0), "out-of-range");
    assert.equal(tally.add(bench.vote(APPROVE, 0, "A9", 1), 0, true), "conflict");
    assert.equal(tally.add(bench.vote(APPROVE, 0, "A9", 2), 0), "added", "others keep theirs");
  });

  test("a manager's oldest ACCEPT makes room for its newest", () => {
    const tally = new VoteTally();
    tally.add(bench.vote(ACCEPT, 0, "A0", 2), 0);
    for (let i = 0; i <= acceptsPerManagerMax; i++) tally.add(bench.vote(ACCEPT, 0, `A${i}`, 1), 0);
    assert.deepEqual([...tally.accepts(blockA).keys()], ["manager-2"]);
    assert.equal(tally.accepts(toHex(bench.id("A1"))).size, 1);
  });

  test("old rounds are forgotten, but for the one that is asked to stay", () => {
    const tally = tallyOf([APPROVE, 0, "A0", 1], [APPROVE, 1, "A0", 1], [COMMIT, 0, "A0", 1]);
    tally.prune(roundsBehindMax + 2, 1);
    assert.deepEqual(tally.blocksApprovedBy(1), [{ round: 1, block: blockA }]);
    assert.deepEqual(tally.blocksCommittedBy(1), []);
  });
});
