import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { toHex } from "../../../../src/base/bytes.js";
import { HeightState } from "../../../../src/consensus/height/height-state.js";
import { roundsAheadMax, roundsBehindMax } from "../../../../src/consensus/height/vote-tally.js";
import { ManagerBlockSchema } from "../../../../src/gen/bss/v1/block_pb.js";
import { VoteKind } from "../../../../src/gen/bss/v1/vote_pb.js";
import { RingBench } from "../support/ring-bench.js";

const bench = new RingBench({ managers: 4, self: 3 });
const { ACCEPT, APPROVE, COMMIT } = VoteKind;
const [blockA, blockB] = [toHex(bench.id("A0")), toHex(bench.id("B0"))];

function newState(): HeightState {
  return new HeightState({ height: bench.height, members: bench.members });
}

describe("proposals", () => {
  test("are the first of each round: a second one changes nothing", () => {
    const state = newState();
    assert.ok(state.addProposal(bench.proposal(0, "A0"), 0) !== undefined);
    assert.equal(state.addProposal(bench.proposal(0, "B0"), 0), undefined);
    assert.deepEqual(state.proposals.get(0)?.blockId, bench.id("A0"));
  });

  test("are kept and relayed without the block's body", () => {
    const state = newState();
    const proposal = { ...bench.proposal(0, "A0"), block: create(ManagerBlockSchema) };
    const relayed = state.addProposal(proposal, 0);
    assert.deepEqual(relayed, bench.proposal(0, "A0"));
    assert.deepEqual(state.proposals.get(0), bench.proposal(0, "A0"));
  });

  const current = 100;
  for (const [round, kept] of [
    [current + roundsAheadMax, true],
    [current + roundsAheadMax + 1, false],
    [current - roundsBehindMax, true],
    [current - roundsBehindMax - 1, false],
  ] as const) {
    test(`of round ${round} are ${kept ? "kept" : "dropped"} in round ${current}`, () => {
      const state = newState();
      const added = state.addProposal(bench.proposal(round, "A0"), current) !== undefined;
      assert.equal(added, kept);
      assert.equal(state.proposals.size, kept ? 1 : 0);
    });
  }

  test("are forgotten when their round is out of the window", () => {
    const state = newState();
    for (const round of [0, 1]) state.addProposal(bench.proposal(round, "A0"), 0);
    for (const round of [0, 1]) state.votes.add(bench.vote(APPROVE, round, "A0", 1), 0);
    state.prune(roundsBehindMax + 2, 1);
    assert.equal(state.proposals.size, 0);
    assert.deepEqual(state.votes.blocksApprovedBy(1), [{ round: 1, block: blockA }]);
  });
});

describe("a block", () => {
  test("is to be judged once, until it is judged; nil never is", () => {
    const state = newState();
    assert.ok(state.judgements.expect(bench.id("A0")));
    assert.ok(!state.judgements.expect(bench.id("A0")), "it is being judged");
    state.judgements.add(blockA, { accurate: true, facts: bench.facts("A0") });
    assert.ok(!state.judgements.expect(bench.id("A0")), "it has been judged");
    assert.ok(!state.judgements.expect(new Uint8Array()));
    assert.deepEqual([...state.judgements.awaited()], []);
  });

  test("has no facts while it is not judged, nor when it is wrong", () => {
    const state = newState();
    assert.equal(state.factsOf(blockA), undefined);
    const violation = { reason: "DOUBLE_SPEND", message: "sold twice" } as const;
    state.judgements.add(blockA, { accurate: false, violation });
    assert.equal(state.factsOf(blockA), undefined);
  });

  test("is held by whoever has proposed it or voted for it, whatever the round", () => {
    const state = newState();
    assert.deepEqual(state.holders(blockA), []);
    state.addProposal(bench.proposal(0, "A0"), 0);
    state.addProposal(bench.proposal(1, "B0"), 0);
    state.votes.add(bench.vote(ACCEPT, 0, "A0", 2), 0);
    state.votes.add(bench.vote(APPROVE, 3, "A0", 3), 0);
    assert.deepEqual([...state.holders(blockA)].sort(), ["manager-1", "manager-2", "manager-3"]);
    state.votes.add(bench.vote(COMMIT, 2, "A0", 4), 0);
    assert.equal(state.holders(blockA).length, 4);
    assert.deepEqual(state.holders(blockB), ["manager-2"]);
  });
});

describe("a block is lockable", () => {
  /** Everything that LC(4, 1, A0) needs, but for what a test leaves out. */
  function stateWithout(
    missing: "judgement" | "an approval" | "an accept" | "a match" | "nothing",
  ) {
    const state = newState();
    const facts = bench.facts("A0");
    if (missing !== "judgement") state.judgements.add(blockA, { accurate: true, facts });
    const approvers = missing === "an approval" ? [1, 2] : [1, 2, 4];
    for (const i of approvers) state.votes.add(bench.vote(APPROVE, 1, "A0", i), 1);
    const accepting = missing === "an accept" ? [1, 2, 3] : [1, 2, 3, 4];
    for (const i of accepting) state.votes.add(bench.vote(ACCEPT, 0, "A0", i), 1);
    const committee = bench.committee("A0", 0);
    for (const node of missing === "a match" ? committee.slice(1) : committee) {
      state.attestations.add(bench.attestation(0, "A0", node));
    }
    return state;
  }

  test("with polka, AC and IC, and the certificate says so", () => {
    const certificate = stateWithout("nothing").lockable(1, blockA);
    assert.deepEqual(certificate, bench.lockCertificate(1, "A0", [1, 2, 4], 0));
  });

  for (const missing of ["judgement", "an approval", "an accept", "a match"] as const) {
    test(`not while ${missing} is missing`, () => {
      assert.equal(stateWithout(missing).lockable(1, blockA), undefined);
    });
  }

  test("not in a round that has no polka of its own", () => {
    const state = stateWithout("nothing");
    for (const round of [0, 2]) assert.equal(state.lockable(round, blockA), undefined);
  });
});
