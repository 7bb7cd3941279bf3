/** When a manager does not vote: it may have said something that it does not know of. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { RestoredHeight } from "../../../../src/consensus/ring/events.js";
import type { Proposal, Vote } from "../../../../src/gen/bss/v1/vote_pb.js";
import { Abstention } from "../../../../src/manager/ring/abstention.js";
import { signRequestOf } from "../../../../src/manager/signing/signed-statements.js";
import { isMarked, type Mark, type Marks } from "../../../../src/manager/signing/signer.js";
import { Chain } from "../../ledger/support/chain.js";
import { consortiumId, genesis } from "../../ledger/support/consortium.js";
import { seedOf } from "../../ledger/support/records.js";
import { accept, approve, commit, proposal } from "../support/votes.js";

const selfId = "manager-1";
const [second, third, fourth] = ["manager-2", "manager-3", "manager-4"] as const;
const blockId = seedOf("a block");
const genesisHead = new Chain().head;
const nothing: RestoredHeight = { votes: [], proposals: [] };

class Bench {
  headHeight: number;
  log: (Vote | Proposal)[] = [];
  readonly saved: number[] = [];
  changes = 0;
  readonly abstention: Abstention;

  constructor(headHeight: number, { through = 0, newSignerAccepted = false } = {}) {
    this.headHeight = headHeight;
    const head = () => ({ ...genesisHead, height: this.headHeight });
    this.abstention = new Abstention(
      {
        selfId,
        consortiumId,
        members: () => genesis.members,
        store: {
          get head() {
            return head();
          },
          abstainsThrough: through,
          holdsStatement: (statement) => this.log.includes(statement),
          saveAbstention: async (height) => void this.saved.push(height),
        },
        observer: { votes: () => {}, abstains: () => {} },
        newSignerAccepted,
      },
      {
        inbox: {
          wake: () => {
            this.changes += 1;
          },
        },
        failStop: { fail: () => assert.fail("nothing fails") },
      },
    );
  }

  /** As after a start at which the signer tells `marks`, and the others are where this one is. */
  static started(headHeight: number, marks: Marks = {}, restored = nothing): Bench {
    const bench = new Bench(headHeight);
    bench.abstention.compare(marks, restored);
    bench.hear(headHeight, second, third, fourth);
    return bench;
  }

  hear(height: number, ...managerIds: readonly string[]): void {
    for (const managerId of managerIds) this.abstention.hearHead(managerId, height);
  }

  get kind() {
    return this.abstention.reason?.kind;
  }
}

const commitMark = (height: number, round: number, block = blockId): Mark => {
  const request = signRequestOf({ kind: "commit", height, round, blockId: block }, consortiumId);
  assert(isMarked(request));
  return { height, round, digest: request.digest };
};

describe("a manager that has started", () => {
  test("listens until Q managers, itself among them, have shown their heads", () => {
    const bench = new Bench(5);
    bench.abstention.compare({}, nothing);
    assert.equal(bench.kind, "listening");
    bench.hear(5, second, second, selfId);
    assert.equal(bench.kind, "listening");
    assert.equal(bench.abstention.mayVote(6), false);
    bench.hear(5, third);
    assert.equal(bench.kind, undefined);
    assert.ok(bench.abstention.mayVote(6));
    assert.equal(bench.changes, 1);
  });

  test("listens until its signer has told its marks, however many were heard", () => {
    const bench = new Bench(5);
    bench.hear(5, second, third, fourth);
    assert.equal(bench.kind, "listening");
    bench.abstention.compare({}, nothing);
    assert.equal(bench.kind, undefined);
  });

  test("votes at no height that f+1 others show as decided, and says so when far behind", () => {
    const bench = Bench.started(5, { commit: commitMark(5, 0) });
    bench.hear(9, second);
    assert.ok(bench.abstention.mayVote(6), "one alone may say what it likes");
    bench.hear(8, third);
    assert.deepEqual(
      [6, 8, 9].map((height) => bench.abstention.mayVote(height)),
      [false, false, true],
    );
    assert.equal(bench.kind, "behind");
    bench.headHeight = 8;
    assert.equal(bench.kind, undefined);
  });

  test("takes what others showed last, be it less: they may have lost their disks too", () => {
    const bench = Bench.started(5);
    bench.hear(9, second, third);
    bench.hear(5, second, third);
    assert.ok(bench.abstention.mayVote(6));
  });
});

describe("a manager whose signer has signed what its store does not hold", () => {
  for (const [what, mark, head] of [
    ["far above the head", commitMark(9, 0), 5],
    ["at the open height", commitMark(6, 1), 5],
  ] as const) {
    test(`does not vote through the mark's height, which is ${what}`, () => {
      const bench = Bench.started(head, { commit: mark });
      assert.equal(bench.kind, "loss");
      assert.equal(bench.abstention.mayVote(mark.height), false);
      assert.ok(bench.abstention.mayVote(mark.height + 1));
      bench.headHeight = mark.height;
      assert.equal(bench.kind, undefined, "it is over with the height");
      assert.deepEqual(bench.saved, [mark.height]);
    });
  }

  test("votes when the mark is in the log, or below the open height", () => {
    const votes = [commit(selfId, { height: 6, blockId }, 1)];
    for (const mark of [commitMark(6, 1), commitMark(5, 7), commitMark(1, 0)]) {
      assert.equal(Bench.started(5, { commit: mark }, { votes, proposals: [] }).kind, undefined);
    }
  });

  test("votes when the log goes beyond the mark: a crash came before the mark", () => {
    const block = { height: 6, blockId };
    const votes = [approve(selfId, block, 0), commit(selfId, block, 0), approve(selfId, block, 1)];
    const marks = { commit: commitMark(6, 0) };
    assert.equal(Bench.started(5, marks, { votes, proposals: [] }).kind, undefined);
  });

  test("does not vote when the log says something else in the same place", () => {
    const votes = [commit(selfId, { height: 6, blockId: seedOf("another") }, 1)];
    const bench = Bench.started(5, { commit: commitMark(6, 1) }, { votes, proposals: [] });
    assert.equal(bench.kind, "loss");
  });
});

describe("a manager whose own statements come back from others", () => {
  const block = { height: 6, blockId };
  for (const statement of [
    ...[
      accept(selfId, block),
      approve(selfId, block),
      commit(selfId, block),
      proposal(selfId, block),
    ],
  ]) {
    const name = "kind" in statement ? `vote of kind ${statement.kind}` : "proposal";
    test(`votes on if its log holds the ${name}, and else not at that height`, () => {
      const bench = Bench.started(5);
      bench.log = [statement];
      bench.abstention.hearOwn(statement);
      assert.equal(bench.kind, undefined);
      bench.log = [];
      bench.abstention.hearOwn(statement);
      assert.equal(bench.kind, "loss");
      assert.equal(bench.abstention.mayVote(6), false);
      assert.deepEqual(bench.saved, [6]);
    });
  }

  test("minds those of heights ahead, and none of decided ones", () => {
    const bench = Bench.started(5);
    bench.abstention.hearOwn(approve(selfId, { height: 5, blockId }));
    assert.equal(bench.kind, undefined);
    bench.abstention.hearOwn(approve(selfId, { height: 8, blockId }));
    bench.abstention.hearOwn(approve(selfId, { height: 7, blockId }));
    assert.deepEqual(bench.saved, [8]);
  });

  test("still does not vote after a restart", () => {
    const bench = new Bench(5, { through: 6 });
    bench.abstention.compare({}, nothing);
    bench.hear(5, second, third);
    assert.equal(bench.kind, "loss");
  });
});

describe("a manager without any mark in a chain that has gone on", () => {
  test("does not vote at the height that is open there: it may have, before it lost all", () => {
    const bench = new Bench(0);
    bench.abstention.compare({}, nothing);
    bench.hear(7, second);
    bench.hear(9, third);
    assert.equal(bench.kind, "loss");
    assert.deepEqual(bench.saved, [8]);
  });

  test("votes at once when all are where it is, and when its operator says so", () => {
    assert.equal(Bench.started(0).kind, undefined);
    const bench = new Bench(3, { newSignerAccepted: true });
    bench.abstention.compare({}, nothing);
    bench.hear(4, second, third);
    assert.equal(bench.kind, undefined);
  });
});

test("a signer that refuses or does not answer is a reason of its own", () => {
  const bench = Bench.started(5);
  bench.abstention.signerTrouble("no route to it");
  assert.deepEqual(bench.abstention.reason, {
    kind: "signer",
    text: "its signer is unavailable: no route to it",
  });
  bench.abstention.signerTrouble(undefined);
  assert.equal(bench.kind, undefined);
  bench.abstention.refused(6, "the key has signed another commit");
  assert.equal(bench.kind, "loss");
  assert.equal(bench.abstention.mayVote(6), false);
});
