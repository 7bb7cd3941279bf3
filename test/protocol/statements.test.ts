/** docs/protocol.md §4, before 4.1: what a statement is. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { VoteKind } from "../../src/gen/bss/v1/vote_pb.js";
import { RingBench } from "../unit/consensus/support/ring-bench.js";
import { rule } from "./support/rule.js";

describe("§4: statements", () => {
  test("[R4.0.1] A manager counts its own statements only when they come back, stored", () => {
    const bench = new RingBench({ managers: 1, storage: 1 });
    const { ring, height } = bench;
    const says = () => (ring.ready()?.statements ?? []).map(({ kind }) => kind);
    ring.step({ kind: "wake" });
    assert.deepEqual(says(), []);
    ring.step({ kind: "built", height, round: 0, facts: bench.facts("E0") });
    assert.deepEqual(says(), ["propose", "accept"]);
    assert.deepEqual(says(), [], "nothing is said twice, and nothing follows from it");
    ring.step({ kind: "proposal", proposal: bench.proposal(0, "E0") });
    assert.deepEqual(says(), ["approve"]);
    ring.step({ kind: "vote", vote: bench.vote(VoteKind.APPROVE, 0, "E0", 1) });
    assert.deepEqual(says(), [], "the ACCEPT is not counted yet");
    ring.step({ kind: "vote", vote: bench.vote(VoteKind.ACCEPT, 0, "E0", 1) });
    assert.deepEqual(says(), ["commit"]);
    assert.equal(ring.ready(), undefined);
    ring.step({ kind: "vote", vote: bench.vote(VoteKind.COMMIT, 0, "E0", 1) });
    assert.equal(ring.ready()?.decision?.round, 0);
  });

  rule(
    "R4.0.1",
    "With a COMMIT for a block the lock and its LC are stored: the restarted manager has them.",
    `
bench managers=4 self=2
propose r0 E0
    sends PROPOSE r0 E0 of 1
    asks validate E0, held by 1
judge E0
    says ACCEPT E0
    says APPROVE r0 E0
accept E0 1 3 4
approve r0 E0 1 3
    says COMMIT r0 E0, locked
restart
    asks validate E0, held by 1 3 4
tick 0
    sends APPROVE r0 E0 of 1 2 3
    sends COMMIT r0 E0 of 2
    sends ACCEPT E0 of 1 2 3 4
    sends LC r0 E0
    asks validate E0, held by 1 3 4
`,
  );

  rule(
    "R4.0.2",
    "One PROPOSE, APPROVE and COMMIT per round, one ACCEPT per block, also after a restart.",
    `
bench managers=4 self=1
wake
    asks build r0
built A0
    says PROPOSE r0 A0
    says ACCEPT A0
    says APPROVE r0 A0
restart
    asks validate A0, held by nobody
tick 0
    sends PROPOSE r0 A0 of 1
    sends APPROVE r0 A0 of 1
    sends ACCEPT A0 of 1
    asks validate A0, held by nobody
judge A0
propose r0 A0
tick 100
`,
  );

  rule(
    "R4.0.2",
    "After a restart a manager takes up the height where its vote log says, with its lock.",
    `
bench managers=4 self=3
propose r0 E0
    sends PROPOSE r0 E0 of 1
    asks validate E0, held by 1
judge E0
    says ACCEPT E0
    says APPROVE r0 E0
accept E0 1 2 4
approve r0 E0 1 2
    says COMMIT r0 E0, locked
commit r0 nil 1 2
tick 400
    expires commit
propose r1 B1
    sends PROPOSE r1 B1 of 2
    asks validate B1, held by 2
judge B1
    says ACCEPT B1
    says APPROVE r1 nil
restart
    asks validate E0, held by 1 2 4
status
    at height 4 round 1 step approve
judge B1
judge E0
commit r1 nil 1 2
tick 600
    sends APPROVE r0 E0 of 1 2 3
    sends COMMIT r0 E0 of 3
    sends APPROVE r1 nil of 3
    sends COMMIT r1 nil of 1 2
    sends ACCEPT E0 of 1 2 3 4
    sends ACCEPT B1 of 3
    sends LC r0 E0
`,
  );

  rule(
    "R4.0.4",
    "Messages are counted by distinct signers.",
    `
bench managers=4 self=2
propose r0 E0
    sends PROPOSE r0 E0 of 1
    asks validate E0, held by 1
judge E0
    says ACCEPT E0
    says APPROVE r0 E0
accept E0 1 1 1
approve r0 E0 1 1 1
accept E0 3 4
approve r0 E0 3
    says COMMIT r0 E0, locked
commit r0 E0 1 1 1
commit r0 E0 4
    decides E0 in r0: AC 1 2 3 4 CC r0 1 2 4
`,
  );

  test("[R4.0.4] An ACCEPT is one of this block, whoever else has accepted another", () => {
    const bench = new RingBench({ managers: 4, self: 2 });
    bench.step({ kind: "proposal", proposal: bench.proposal(0, "E0") });
    for (const manager of [1, 3, 4]) {
      bench.step({ kind: "vote", vote: bench.vote(VoteKind.ACCEPT, 0, "B0", manager) });
      bench.step({ kind: "vote", vote: bench.vote(VoteKind.APPROVE, 0, "E0", manager) });
    }
    const facts = bench.facts("E0");
    const judgement = { accurate: true, facts } as const;
    const lines = bench.step({ kind: "judged", height: 4, blockId: facts.blockId, judgement });
    assert.deepEqual(lines, ["says ACCEPT E0", "says APPROVE r0 E0"]);
  });
});
