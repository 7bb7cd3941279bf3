import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { toHex } from "../../../../src/base/bytes.js";
import { HeightState } from "../../../../src/consensus/height/height-state.js";
import {
  type LockState,
  restoredLock,
  unlocked,
} from "../../../../src/consensus/height/lock-rules.js";
import { type BlockKey, type Judgement, nilBlock } from "../../../../src/consensus/ring/events.js";
import { choiceFor, outcomeOfCommits } from "../../../../src/consensus/ring/round-rules.js";
import { VoteKind } from "../../../../src/gen/bss/v1/vote_pb.js";
import { nil, RingBench } from "../support/ring-bench.js";

const bench = new RingBench({ managers: 4, self: 3 });
const { ACCEPT, COMMIT } = VoteKind;
const blockA = toHex(bench.id("A0"));
const violation = { reason: "DOUBLE_SPEND", message: "sold twice" } as const;
const wrong: Judgement = { accurate: false, violation };

function accurate(name: string): Judgement {
  return { accurate: true, facts: bench.facts(name) };
}

function newState(): HeightState {
  return new HeightState({ height: bench.height, members: bench.members });
}

type Known = {
  readonly judgement?: Judgement;
  readonly accepts?: readonly number[];
  /** Round in which the whole committee attests A0. */
  readonly attested?: number;
  readonly commits: readonly (readonly [
    round: number,
    name: string,
    managers: readonly number[],
  ])[];
};

function stateOf({ judgement, accepts = [], attested, commits }: Known): HeightState {
  const state = newState();
  if (judgement !== undefined) state.judgements.add(blockA, judgement);
  for (const manager of accepts) state.votes.add(bench.vote(ACCEPT, 0, "A0", manager), 0);
  for (const [round, name, managers] of commits) {
    for (const manager of managers) state.votes.add(bench.vote(COMMIT, round, name, manager), 0);
  }
  if (attested === undefined) return state;
  for (const node of bench.committee("A0", attested)) {
    state.attestations.add(bench.attestation(attested, "A0", node));
  }
  return state;
}

describe("Q COMMITs", () => {
  const all = [1, 2, 3, 4];
  const verified = { judgement: accurate("A0"), accepts: all, attested: 0 } as const;
  const cases: readonly (readonly [what: string, known: Known, outcome: string])[] = [
    ["of one block and round decide", { ...verified, commits: [[0, "A0", [1, 2, 4]]] }, "r0"],
    ["of a later round decide as well", { ...verified, commits: [[3, "A0", all]] }, "r3"],
    ["less one do nothing", { ...verified, commits: [[0, "A0", [1, 2]]] }, "nothing"],
    [
      "of different rounds are not summed",
      {
        ...verified,
        commits: [
          [0, "A0", [1, 2]],
          [1, "A0", [3, 4]],
          [2, "A0", [1, 3]],
        ],
      },
      "nothing",
    ],
    [
      "of different blocks are not summed",
      {
        ...verified,
        commits: [
          [0, "A0", [1, 2]],
          [0, "B0", [3, 4]],
        ],
      },
      "nothing",
    ],
    ["of nil decide nothing", { ...verified, commits: [[0, nil, all]] }, "nothing"],
    [
      "without AC do nothing yet",
      { ...verified, accepts: [1, 2, 3], commits: [[0, "A0", all]] },
      "nothing",
    ],
    [
      "without IC do nothing yet",
      { judgement: accurate("A0"), accepts: all, commits: [[0, "A0", all]] },
      "nothing",
    ],
    [
      "with an IC of a later round do nothing yet",
      { ...verified, attested: 1, commits: [[0, "A0", all]] },
      "nothing",
    ],
    [
      "with an IC of an earlier round decide",
      { ...verified, attested: 1, commits: [[2, "A0", all]] },
      "r2",
    ],
    ["of a block that is not judged ask for it", { commits: [[0, "A0", all]] }, "unknown"],
    [
      "of a wrong block halt",
      { judgement: wrong, commits: [[0, "A0", all]] },
      `Q managers committed ${blockA}, which is wrong here: DOUBLE_SPEND: sold twice`,
    ],
    [
      "less one of a wrong block do not halt",
      { judgement: wrong, commits: [[0, "A0", [1, 2]]] },
      "nothing",
    ],
  ];
  for (const [what, known, expected] of cases) {
    test(what, () => assert.equal(outcomeText(stateOf(known)), expected));
  }

  test("become a decision with the certificates of that round", () => {
    const known = { ...verified, attested: 1, commits: [[2, "A0", [4, 1, 2]] as const] };
    const outcome = outcomeOfCommits(stateOf(known));
    assert.ok(outcome?.kind === "decision");
    const { height, facts, blockId, certificates } = outcome.decision;
    assert.deepEqual({ height, facts, blockId }, { height: 4, facts, blockId: bench.id("A0") });
    const { approval, commit, integrity } = certificates;
    assert.equal(approval?.signatures.length, 4);
    assert.equal(commit?.round, 2);
    const signers = commit?.signatures.map(({ managerId }) => managerId);
    assert.deepEqual(signers, ["manager-1", "manager-2", "manager-4"]);
    assert.equal(integrity?.round, 1);
  });

  test("are needed for the certificates of a block, in one round", () => {
    const state = stateOf({
      ...verified,
      commits: [
        [0, "A0", [1, 2, 3]],
        [1, "A0", [1, 2]],
      ],
    });
    assert.ok(state.blockCertificates(0, bench.facts("A0")) !== undefined);
    assert.equal(state.blockCertificates(1, bench.facts("A0")), undefined);
  });

  test("of a block without leaves need no IC", () => {
    const state = newState();
    state.judgements.add(toHex(bench.id("E0")), accurate("E0"));
    for (const manager of [1, 2, 3, 4]) {
      state.votes.add(bench.vote(ACCEPT, 0, "E0", manager), 0);
      state.votes.add(bench.vote(COMMIT, 0, "E0", manager), 0);
    }
    const outcome = outcomeOfCommits(state);
    assert.ok(outcome?.kind === "decision");
    assert.equal(outcome.decision.certificates.integrity, undefined);
  });
});

describe("the choice on a proposal", () => {
  const isFine = () => "fine" as const;

  test("waits for the judgement", () => {
    assert.equal(choiceFor(bench.proposal(0, "A0"), newState(), unlocked, isFine), undefined);
  });

  for (const [what, judgement, round, opinion, approved] of [
    ["a fresh block that is accurate", accurate("A0"), 0, "fine", blockA],
    ["nil, when it is wrong", wrong, 0, "fine", nilBlock],
    ["nil, when this manager refuses it", accurate("A0"), 0, "refused", nilBlock],
    ["nil, when its proposer made it in another round", accurate("A0"), 4, "fine", nilBlock],
    ["nil, when another made it", madeByAnother(), 0, "fine", nilBlock],
    ["open, while time alone is missing", accurate("A0"), 0, "later", undefined],
  ] as const) {
    test(`is ${what}`, () => {
      const state = newState();
      state.judgements.add(blockA, judgement);
      const proposal = bench.proposal(round, "A0");
      assert.equal(
        choiceFor(proposal, state, unlocked, () => opinion),
        approved,
      );
    });
  }

  test("of an earlier block is for it only with its lock certificate", () => {
    const certificate = bench.lockCertificate(0, "A0", [1, 2, 4]);
    const proposal = bench.proposal(1, "A0", certificate);
    const state = newState();
    state.judgements.add(blockA, accurate("A0"));
    assert.equal(choiceFor(proposal, state, unlocked, isFine), nilBlock);
    assert.ok(state.takeIn(certificate, 1));
    assert.equal(
      choiceFor(proposal, state, unlocked, () => "refused"),
      blockA,
      "whatever this manager thinks of a fresh one",
    );
    const other = toHex(bench.id("B0"));
    assert.equal(choiceFor(proposal, state, lockedOn(0, other), isFine), blockA);
    const later = { ...proposal, round: 3 };
    assert.equal(choiceFor(later, state, lockedOn(1, other), isFine), nilBlock);
    assert.equal(choiceFor(later, state, lockedOn(1, blockA), isFine), blockA);
  });
});

function lockedOn(round: number, block: BlockKey): LockState {
  return restoredLock({ round, block }, []);
}

function madeByAnother(): Judgement {
  return { accurate: true, facts: { ...bench.facts("A0"), proposerId: "manager-3" } };
}

/** "r2" for a decision of round 2. */
function outcomeText(state: HeightState): string {
  const outcome = outcomeOfCommits(state);
  switch (outcome?.kind) {
    case "decision":
      return `r${outcome.decision.round}`;
    case "halt":
      return outcome.message;
    case "unknown":
      assert.equal(outcome.block, blockA);
      return "unknown";
    default:
      return "nothing";
  }
}
