import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import {
  type ControlOperation,
  type Evidence,
  EvidenceSchema,
  type ResumeManager,
  ResumeManagerSchema,
} from "../../../../src/gen/bss/v1/genesis_pb.js";
import type { Manager } from "../../../../src/ledger/members/member-lists.js";
import { Members } from "../../../../src/ledger/members/members.js";
import { SuspensionPool } from "../../../../src/manager/supervision/suspension-pool.js";
import { Chain } from "../../ledger/support/chain.js";
import { floorPolicy, genesis } from "../../ledger/support/consortium.js";
import { resume as resumeOf, suspend as suspendOf } from "../../ledger/support/statements.js";

const blockMs = 2_000;
const block = (n: number) => new Uint8Array(32).fill(n);

describe("control operations that wait for a block", () => {
  let members: Members;
  let pool: SuspensionPool;
  let fitting: (operation: ControlOperation) => boolean;
  let height: number;
  let nowMs: number;

  beforeEach(() => {
    members = genesis.members;
    fitting = () => true;
    height = 5;
    nowMs = 0;
    pool = new SuspensionPool(
      { head: () => ({ height }), members: () => members, monotonicMs: () => nowMs },
      (operation) => fitting(operation),
    );
  });

  const change = (id: string, changes: Partial<Manager>): void => {
    const { storageNodes, officers } = members;
    const managers = members.managers.map((manager) =>
      manager.managerId === id ? { ...manager, ...changes } : manager,
    );
    members = new Members({ managers, storageNodes, officers });
  };
  const suspend = (id: string, changedHeight = 4) =>
    change(id, { active: false, reason: "absent", changedHeight });
  const resume = (managerId: string, heldHeight = 5, suspendedHeight = 4): ResumeManager =>
    create(ResumeManagerSchema, {
      managerId,
      suspendedHeight: BigInt(suspendedHeight),
      heldHeight: BigInt(heldHeight),
    });
  const evidence = (managerId: string): Evidence => create(EvidenceSchema, { managerId });
  const append = (decided = block(99)) => pool.onAppended(++height, decided);
  const offered = (round = 0, absent: readonly string[] = []) =>
    pool.operations(round, absent).map(({ operation }) => {
      const { managerId } = operation.value as { readonly managerId: string };
      return `${operation.case} ${managerId}`;
    });

  test("stand in a block in the order resumes, evidence, suspensions", () => {
    suspend("manager-4");
    assert.ok(pool.addEvidence(evidence("manager-2")));
    pool.addResume(resume("manager-4"));
    assert.deepEqual(offered(0, ["manager-3"]), [
      "resumeManager manager-4",
      "evidence manager-2",
      "suspendManager manager-3",
    ]);
  });

  test("are kept once for each manager, and only while they say something", () => {
    assert.ok(pool.addEvidence(evidence("manager-2")));
    assert.equal(pool.addEvidence(evidence("manager-2")), false);
    assert.equal(pool.addEvidence(evidence("a stranger")), false);
    change("manager-3", { offenceHeight: 3 });
    assert.equal(pool.addEvidence(evidence("manager-3")), false);
    pool.addResume(resume("manager-2"));
    pool.addResume(resume("a stranger"));
    assert.deepEqual(offered(), ["evidence manager-2"]);
  });

  test("of evidence go once it is on the chain, and are told of", () => {
    pool.addEvidence(evidence("manager-2"));
    pool.addEvidence(evidence("manager-3"));
    change("manager-2", { offenceHeight: 6 });
    assert.deepEqual(append(), ["manager-2"]);
    assert.deepEqual(offered(), ["evidence manager-3"]);
    assert.deepEqual(append(), []);
  });

  test("call for a block only while one of them fits, and once a second", () => {
    assert.equal(pool.callsForBlock(), false);
    pool.addEvidence(evidence("manager-2"));
    fitting = ({ operation }) => operation.case !== "evidence";
    assert.equal(pool.callsForBlock(), false);
    fitting = () => true;
    assert.equal(pool.callsForBlock(), true);
    assert.equal(pool.callsForBlock(), false);
    nowMs += 1_000;
    assert.equal(pool.callsForBlock(), true);
  });

  describe("that are resumes", () => {
    beforeEach(() => suspend("manager-4"));

    for (const [why, said] of [
      ["of another suspension", resume("manager-4", 5, 3)],
      ["of an active manager", resume("manager-3", 5, 0)],
    ] as const) {
      test(`are not taken if they are ${why}`, () => {
        assert.equal(pool.wantsResume(said), false);
        pool.addResume(said);
        assert.deepEqual(offered(), []);
      });
    }

    test("are not taken from one that contradicted itself", () => {
      change("manager-4", { offenceHeight: 5 });
      assert.equal(pool.wantsResume(resume("manager-4")), false);
    });

    test("go into blocks of round 0 only, and along with the suspension of another", () => {
      pool.addResume(resume("manager-4"));
      assert.deepEqual(offered(0), ["resumeManager manager-4"]);
      assert.deepEqual(offered(1), []);
      assert.deepEqual(offered(1, ["manager-3"]), [
        "resumeManager manager-4",
        "suspendManager manager-3",
      ]);
    });

    test("go when they are two blocks old, and stay when they are said again", () => {
      pool.addResume(resume("manager-4"));
      append();
      assert.equal(pool.wantsResume(resume("manager-4")), true);
      assert.deepEqual(offered(), ["resumeManager manager-4"]);
      pool.addResume(resume("manager-4", 6));
      assert.equal(pool.wantsResume(resume("manager-4", 6)), false);
      append();
      assert.deepEqual(offered(), ["resumeManager manager-4"]);
      append();
      assert.deepEqual(offered(), []);
    });

    test("go once the manager is active again", () => {
      pool.addResume(resume("manager-4"));
      change("manager-4", { active: true, reason: undefined, changedHeight: 6 });
      append();
      assert.deepEqual(offered(), []);
    });

    /** A block of this manager that resumes manager-4; decided or not. */
    const tryOut = (decided: boolean) => {
      pool.addResume(resume("manager-4", height));
      assert.deepEqual(offered(), ["resumeManager manager-4"]);
      pool.onBuilt({ blockId: block(1), requiredAccepts: ["manager-4"], absences: [] });
      append(decided ? block(1) : block(2));
      pool.addResume(resume("manager-4", height));
    };
    const blocksUntilTried = () => {
      const from = height;
      while (offered().length === 0) {
        append();
        pool.addResume(resume("manager-4", height));
      }
      return height - from;
    };

    test("are left out for longer and longer after blocks that failed", () => {
      tryOut(false);
      assert.equal(blocksUntilTried(), 2);
      tryOut(false);
      assert.equal(blocksUntilTried(), 4);
      tryOut(false);
      assert.equal(blocksUntilTried(), 8);
      tryOut(true);
      assert.equal(blocksUntilTried(), 0);
      tryOut(false);
      assert.equal(blocksUntilTried(), 2);
    });

    test("are tried again after a while in a ring that makes no blocks", () => {
      tryOut(false);
      assert.deepEqual(offered(), []);
      nowMs += 2 * blockMs;
      assert.deepEqual(offered(), ["resumeManager manager-4"]);
    });

    test("are left out after one that failed, whatever this manager built later", () => {
      pool.addResume(resume("manager-4"));
      pool.onBuilt({ blockId: block(1), requiredAccepts: ["manager-4"], absences: [] });
      pool.onBuilt({ blockId: block(2), requiredAccepts: [], absences: [] });
      append(block(2));
      pool.addResume(resume("manager-4", height));
      assert.deepEqual(offered(), []);
    });

    test("and suspensions are left out in turn of what this manager makes at one height", () => {
      pool.addResume(resume("manager-4"));
      const both = ["resumeManager manager-4", "suspendManager manager-3"];
      const suspension = ["suspendManager manager-3"];
      for (const expected of [both, suspension, [], both, suspension, []]) {
        assert.deepEqual(offered(7, ["manager-3"]), expected);
        const requiredAccepts = expected === both ? ["manager-4"] : [];
        const absences = expected.length > 0 ? ["manager-3"] : [];
        pool.onBuilt({ blockId: block(1), requiredAccepts, absences });
      }
      pool.onBuilt({ blockId: block(2), requiredAccepts: [], absences: ["manager-3"] });
      append(block(3));
      assert.deepEqual(offered(7, ["manager-3"]), suspension, "a height has a start of its own");
    });

    test("are left out once, where no suspension has room without them", () => {
      pool.addResume(resume("manager-4"));
      const both = ["resumeManager manager-4", "suspendManager manager-3"];
      pool.onBuilt({ blockId: block(1), requiredAccepts: ["manager-4"], absences: ["manager-3"] });
      assert.deepEqual(offered(7, ["manager-3"]), ["suspendManager manager-3"]);
      pool.onBuilt({ blockId: block(2), requiredAccepts: [], absences: [] });
      assert.deepEqual(offered(8, ["manager-3"]), both);
    });

    test("of others' blocks say nothing about this manager's", () => {
      pool.addResume(resume("manager-4"));
      append(block(3));
      assert.deepEqual(offered(), ["resumeManager manager-4"]);
    });
  });
});

describe("blocks that a manager makes at one height, one after the other [R4.8.9]", () => {
  /** What the next one resumes and suspends, if `absent` are missing here. */
  const builderOn = (chain: Chain, resumes: readonly ResumeManager[] = []) => {
    const context = {
      head: () => chain.head,
      members: () => chain.head.members,
      monotonicMs: () => 0,
    };
    const pool = new SuspensionPool(context, () => true);
    for (const resume of resumes) pool.addResume(resume);
    return (createdRound: number, absent: readonly string[]): string => {
      const control = pool.operations(createdRound, absent);
      const { facts } = chain.propose({ control, createdRound }).executed;
      pool.onBuilt(facts);
      const before = chain.head.members.activeManagerIds;
      const resumed = facts.requiredAccepts.filter((id) => !before.includes(id));
      return `resumes ${resumed.join()}; suspends ${facts.absences.join()}`;
    };
  };

  test("let who is missing accept every other one", () => {
    const build = builderOn(new Chain(floorPolicy));
    const made = [0, 1, 2, 3].map((round) => build(round, ["manager-3"]));
    const [suspending, sparing] = ["resumes ; suspends manager-3", "resumes ; suspends "];
    assert.deepEqual(made, [suspending, sparing, suspending, sparing]);
  });

  test("do every other time without who comes back, and may not agree on who is missing", () => {
    const chain = new Chain(floorPolicy);
    chain.extend({ control: [suspendOf("manager-4")] });
    const { operation } = resumeOf("manager-4", 1, 1);
    assert.ok(operation.case === "resumeManager");
    const build = builderOn(chain, [operation.value]);
    const made = [1, 2, 3, 4].map((round) => build(round, ["manager-3"]));
    const both = "resumes manager-4; suspends manager-3";
    assert.deepEqual(made, [both, "resumes ; suspends ", both, "resumes ; suspends "]);
  });
});
