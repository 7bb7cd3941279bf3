/**
 * Four managers, some of them away or slow: the others wait for their ACCEPT, agree that they are
 * absent, and decide a block that suspends them; nobody is suspended who comes in time.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Outgoing } from "../../../src/consensus/ring/events.js";
import { VoteKind } from "../../../src/gen/bss/v1/vote_pb.js";
import { Random } from "../../simulation/random.js";
import { type GroupOptions, RingGroup } from "./support/ring-group.js";

/** Those of the default policy. */
const timeouts = {
  proposeMs: 4_000,
  approveMs: 2_000,
  verifyMs: 3_000,
  commitMs: 1_000,
  stepMs: 1_000,
  maxMs: 30_000,
} as const;
const suspendAfterMs = 5_000;

const options: GroupOptions = {
  managers: 4,
  height: 4,
  timeouts,
  suspendAfterMs,
  delayMs: 20,
};

function decide(change: Partial<GroupOptions>, maxMs = 300_000) {
  const group = new RingGroup({ ...options, ...change });
  group.wake();
  group.run(maxMs);
  const decisions = [...group.decided.values()].map(({ decision }) => decision);
  for (const each of decisions) assert.deepEqual(each.blockId, decisions[0]?.blockId);
  assert.deepEqual(group.evidence, [], "nobody contradicts itself");
  return {
    group,
    decided: decisions.length,
    facts: decisions[0]?.facts,
    approval: decisions[0]?.certificates.approval,
    stalledMs: Math.max(...[...group.decided.values()].map(({ atMs }) => atMs)),
  };
}

function isAccept(message: Outgoing): boolean {
  return message.kind === "vote" && message.vote.kind === VoteKind.ACCEPT;
}

describe("one manager of four that is away", () => {
  // Manager 1 is the proposer of round 0, manager 2 that of round 1, and so on. The absence can be
  // claimed 5 s after the first polka; then comes the next round of a manager that is there.
  for (const [dead, stalledMaxMs, why] of [
    [1, 5_100 + suspendAfterMs + 200, "a round without proposal, and the wait"],
    [2, suspendAfterMs + 300, "the wait; its own turn is not waited for"],
    [3, 8_200 + 3_100, "the round in which the wait ends, and what is left of its own turn"],
    [4, 8_300, "the round in which the wait ends"],
  ] as const) {
    test(`as number ${dead} is suspended after ${why}`, () => {
      const { decided, facts, approval, stalledMs } = decide({ dead: [dead] });
      assert.equal(decided, 3);
      assert.ok(stalledMs <= stalledMaxMs, `${stalledMs} ms`);
      assert.deepEqual(facts?.absences, [`manager-${dead}`]);
      const accepted = approval?.signatures.map(({ managerId }) => managerId);
      assert.deepEqual(accepted, facts?.requiredAccepts);
      assert.equal(accepted?.length, 3);
    });
  }

  test("stops the ring for good, where nobody is ever suspended", () => {
    const group = new RingGroup({ managers: 4, height: 4, timeouts, delayMs: 20, dead: [4] });
    group.wake();
    group.run(200_000);
    assert.equal(group.decided.size, 0);
    assert.deepEqual(group.claims, []);
    assert.deepEqual(group.ring("manager-2").waiting(group.nowMs)?.missingAccepts, ["manager-4"]);
  });

  test("stops a ring of three, which needs a quorum of all", () => {
    const { decided } = decide({ managers: 3, dead: [2] }, 120_000);
    assert.equal(decided, 0);
  });
});

test("two managers of seven that are away are suspended together", () => {
  const { decided, facts, stalledMs } = decide({ managers: 7, dead: [2, 3] });
  assert.equal(decided, 5);
  assert.deepEqual(facts?.absences, ["manager-2", "manager-3"]);
  assert.ok(stalledMs < 8_300, `${stalledMs} ms`);
});

describe("a manager that is slow", () => {
  test("but comes before the time is over stays", () => {
    const route: GroupOptions["route"] = (from, to, _, nowMs) =>
      nowMs < 4_000 && (from === "manager-4" || to === "manager-4") ? undefined : 20;
    const { decided, facts } = decide({ route });
    assert.equal(decided, 4);
    assert.deepEqual(facts?.absences, []);
  });

  test("to accept, always later than the round, is suspended", () => {
    const route: GroupOptions["route"] = (from, _, message) => {
      if (from !== "manager-4") return 20;
      if (message.kind === "lock-certificate") return undefined;
      return isAccept(message) ? 9_000 : 20;
    };
    const { facts } = decide({ route });
    assert.deepEqual(facts?.absences, ["manager-4"]);
  });

  test("for one of the others only does not stop the rest", () => {
    const route: GroupOptions["route"] = (from, to) =>
      from === "manager-4" && to === "manager-2" ? undefined : 20;
    const { decided, facts } = decide({ route });
    assert.equal(decided, 3, "the other one catches up with blocks");
    assert.deepEqual(facts?.absences, []);
  });
});

test("where all others are needed, one is suspended as another comes back", () => {
  const { decided, facts } = decide({ suspended: [2], dead: [4] });
  assert.equal(decided, 3);
  assert.deepEqual(facts?.absences, ["manager-4"]);
  assert.deepEqual(facts?.requiredAccepts, ["manager-1", "manager-2", "manager-3"]);
});

test("a suspended manager accepts nothing, and its vote counts", () => {
  const { decided, facts, approval } = decide({
    suspended: [2],
    height: 5,
    // Nobody resumes it in round 1: the proposer of round 0 is not heard.
    route: (from, _, message) =>
      from === "manager-4" && message.kind === "proposal" ? undefined : 20,
  });
  assert.equal(decided, 4);
  assert.deepEqual(facts?.requiredAccepts, ["manager-1", "manager-3", "manager-4"]);
  const accepted = approval?.signatures.map(({ managerId }) => managerId);
  assert.deepEqual(accepted, facts?.requiredAccepts);
});

test("managers that began to wait at different times agree all the same", () => {
  // Manager 3 hears of the others with a delay of two seconds.
  const route: GroupOptions["route"] = (_, to) => (to === "manager-3" ? 2_000 : 20);
  const slow = { ...timeouts, approveMs: 6_000 };
  const { decided, facts } = decide({ dead: [4], route, timeouts: slow });
  assert.equal(decided, 3);
  assert.deepEqual(facts?.absences, ["manager-4"]);
});

test("of two that cannot both be suspended one is, and the ring waits for the other", () => {
  // Without a quorum that approves, nobody is missing: there is nothing to accept.
  const { decided, group } = decide({ dead: [3, 4] }, 120_000);
  assert.equal(decided, 0);
  assert.deepEqual(group.claims, []);
});

describe("whatever the network does, short of a quorum's silence", () => {
  const runs = Array.from({ length: 60 }, (_, seed) => seed);
  test("a block is decided, one only, and only who is away is suspended", () => {
    let suspensions = 0;
    let slowestMs = 0;
    for (const seed of runs) {
      const random = new Random(seed);
      const dead = seed % 5;
      const lossRate = random.unit() * 0.2;
      const meanMs = 5 + random.unit() * 400;
      const { decided, facts, stalledMs } = decide({
        height: 4 + (seed % 7),
        leaves: seed % 2 === 0,
        ...(dead === 0 ? {} : { dead: [dead] }),
        route: () => (random.unit() < lossRate ? undefined : 1 + random.exponential(meanMs)),
      });
      assert.ok(decided > 0, `seed ${seed}: nobody has decided`);
      const away = dead === 0 ? [] : [`manager-${dead}`];
      assert.deepEqual(facts?.absences, away, `seed ${seed}`);
      suspensions += away.length;
      slowestMs = Math.max(slowestMs, stalledMs);
    }
    assert.equal(suspensions, 48);
    assert.ok(slowestMs < 30_000, `${slowestMs} ms`);
  });
});
