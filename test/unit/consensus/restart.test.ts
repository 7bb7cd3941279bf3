/**
 * A manager is killed at every point of a height that takes three rounds, and starts again from its
 * disk. Its peers send everything once more. It says nothing twice, keeps its lock, and decides.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { VoteKind } from "../../../src/gen/bss/v1/vote_pb.js";
import { assertHonest } from "./support/honesty.js";
import { nil, RingBench } from "./support/ring-bench.js";

const { ACCEPT, APPROVE, COMMIT } = VoteKind;

/** Feeds the ring what the others do; answers what it does about it. */
type Step = (bench: RingBench) => string[];

/** Locks on A0 in round 0, refuses B1 in round 1, proposes A0 again in round 2, and decides. */
const height: readonly Step[] = [
  propose(0, "A0"),
  judge("A0"),
  ...votes(ACCEPT, 0, "A0", [1, 2, 4]),
  ...votes(APPROVE, 0, "A0", [1, 2]),
  ...attest(0, "A0"),
  ...votes(COMMIT, 0, nil, [1, 2]),
  (bench) => bench.tick(400),
  propose(1, "B1"),
  judge("B1"),
  ...votes(APPROVE, 1, nil, [1, 2]),
  ...votes(COMMIT, 1, nil, [1, 2]),
  (bench) => bench.tick(410),
  ...votes(APPROVE, 2, "A0", [1, 2], 0),
  ...votes(COMMIT, 2, "A0", [1, 2]),
];

/** What of the last step is on the disk when the process ends. */
const crashes: readonly (readonly [
  what: string,
  crash: (bench: RingBench, step: Step) => string[],
])[] = [
  ["after a step is carried out", (bench, step) => step(bench)],
  [
    "before its last vote is written",
    (bench, step) => {
      const written = bench.votes.length;
      const lines = step(bench);
      if (bench.votes.length > written && !hasDecided(lines)) bench.votes.pop();
      return lines;
    },
  ],
  [
    "before anything of it is written",
    (bench, step) => {
      const disk = { votes: bench.votes.length, proposals: bench.proposals.length };
      const { lock } = bench;
      const lines = step(bench);
      if (hasDecided(lines)) return lines;
      bench.votes.length = disk.votes;
      bench.proposals.length = disk.proposals;
      bench.lock = lock;
      return lines;
    },
  ],
];

function hasDecided(lines: readonly string[]): boolean {
  return lines.some((line) => line.startsWith("decides"));
}

describe("a manager that is killed", () => {
  test("does not need to be for the height to be decided", () => {
    const bench = newBench();
    const lines = height.flatMap((step) => step(bench));
    assertHonest(bench);
    assert.deepEqual(
      lines.filter((line) => line.startsWith("decides")),
      ["decides A0 in r2: AC 1 2 3 4 IC r0 1 2 4 CC r2 1 2 3"],
    );
    assert.ok(lines.includes("says APPROVE r1 nil"), "it refuses B1");
  });

  for (const [what, crash] of crashes) {
    test(`${what}, at any step, says nothing twice and decides`, () => {
      for (const at of height.keys()) {
        const bench = newBench();
        for (const step of height.slice(0, at)) step(bench);
        for (const step of height.slice(at, at + 1)) crash(bench, step);
        assertHonest(bench);
        finish(bench, `step ${at}`);
      }
    });
  }

  test("twice, at any two steps, says nothing twice and decides", () => {
    for (const first of height.keys()) {
      for (const second of height.keys()) {
        const bench = newBench();
        for (const step of height.slice(0, first + 1)) step(bench);
        bench.restart();
        for (const step of height.slice(0, second + 1)) step(bench);
        assertHonest(bench);
        finish(bench, `steps ${first} and ${second}`);
      }
    }
  });

  test("with its lock written and its COMMIT not, is locked", () => {
    const bench = newBench();
    const locks = height.findIndex((step) => step(bench).includes("says COMMIT r0 A0, locked"));
    assert.ok(locks > 0);
    bench.votes.pop();
    bench.restart();
    assert.ok(bench.ring.isBoundTo(bench.lock === undefined ? "" : hex(bench.lock.blockId)));
    for (const step of [...votes(APPROVE, 1, nil, [1, 2]), propose(1, "B1")]) step(bench);
    assert.deepEqual(judge("B1")(bench).slice(0, 2), ["says ACCEPT B1", "says APPROVE r1 nil"]);
  });

  test("before it said anything, is idle as any that starts", () => {
    const bench = newBench();
    assert.deepEqual(bench.restart(), []);
    assert.equal(bench.status(), "at height 4 round 0 step idle");
  });

  test("as proposer, sends its proposal again and makes no second one", () => {
    const bench = new RingBench({ managers: 4, self: 1 });
    bench.step({ kind: "wake" });
    const facts = bench.facts("A0");
    bench.step({ kind: "built", height: 4, round: 0, facts });
    const lines = [...bench.restart(), ...bench.tick(0), ...bench.step({ kind: "wake" })];
    assert.ok(
      lines.some((line) => line.startsWith("sends PROPOSE r0 A0 of 1")),
      `${lines}`,
    );
    assert.ok(!lines.some((line) => line.startsWith("asks build")), `${lines}`);
    const again = bench.facts("B0");
    const afterwards = bench.step({ kind: "built", height: 4, round: 0, facts: again });
    assert.ok(!afterwards.some((line) => line.startsWith("says PROPOSE")), `${afterwards}`);
  });
});

function newBench(): RingBench {
  return new RingBench({ managers: 4, self: 3 });
}

/** Starts again, and hears everything once more. */
function finish(bench: RingBench, where: string): void {
  const lines = [...bench.restart(), ...height.flatMap((step) => step(bench))];
  assertHonest(bench);
  const decisions = lines.filter((line) => line.startsWith("decides"));
  assert.equal(decisions.length, 1, `${where}: ${lines.join("\n")}`);
  assert.match(decisions[0] ?? "", /^decides A0 in r2/, where);
}

function propose(round: number, name: string): Step {
  return (bench) => bench.step({ kind: "proposal", proposal: bench.proposal(round, name) });
}

function judge(name: string): Step {
  return (bench) => {
    const facts = bench.facts(name);
    const judgement = { accurate: true, facts } as const;
    return bench.step({ kind: "judged", height: 4, blockId: facts.blockId, judgement });
  };
}

function votes(
  kind: VoteKind,
  round: number,
  name: string,
  managers: readonly number[],
  validRound = -1,
): readonly Step[] {
  return managers.map((manager) => (bench) => {
    const vote = bench.vote(kind, round, name, manager, validRound);
    return bench.step({ kind: "vote", vote });
  });
}

function attest(round: number, name: string): readonly Step[] {
  const nodes = newBench().committee(name, round);
  return nodes.map((node) => (bench) => {
    const attestation = bench.attestation(round, name, node);
    return bench.step({ kind: "attestation", attestation });
  });
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
