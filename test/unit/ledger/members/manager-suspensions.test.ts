import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type ControlOperation,
  type ResumeManager,
  SuspensionMode,
} from "../../../../src/gen/bss/v1/genesis_pb.js";
import { proposalsEvidence, votesEvidence } from "../../../../src/ledger/certificates/evidence.js";
import {
  resumePossibleAtMs,
  suspensionRoom,
} from "../../../../src/ledger/members/manager-suspensions.js";
import type { Manager } from "../../../../src/ledger/members/member-lists.js";
import { Members } from "../../../../src/ledger/members/members.js";
import { checkResume } from "../../../../src/ledger/members/operation-signatures.js";
import { managerOf, membersOf, policy as strictPolicy } from "../consortium.js";
import { verifies } from "../support/chain.js";
import { consortiumId, genesis } from "../support/consortium.js";
import { accepted, refusal } from "../support/outcome.js";
import { seedOf } from "../support/records.js";
import { accuse, approveOf, proposalOf, resume, suspend } from "../support/statements.js";

const policy = {
  ...strictPolicy,
  suspension: SuspensionMode.FLOOR,
  suspendAfterMs: 500,
  resumeWaitMs: 1_000,
  resumeWaitMaxMs: 8_000,
};
const base = membersOf({ managers: 4, storage: 0 });
const seven = membersOf({ managers: 7, storage: 0 });

type Place = { readonly height: number; readonly timestampMs: number };
const at = (height: number, timestampMs = height * 10_000): Place => ({ height, timestampMs });

function after(members: Members, place: Place, ...operations: ControlOperation[]): Members {
  return accepted(members.applyOperations(operations, { policy, ...place }));
}

function refusedAt(members: Members, place: Place, ...operations: ControlOperation[]) {
  const { reason, field } = refusal(members.applyOperations(operations, { policy, ...place }));
  assert.equal(reason, "OPERATION_INVALID");
  return field?.replace("control", "");
}

function standing(members: Members, managerId: string) {
  const manager = members.manager(managerId);
  assert.ok(manager !== undefined);
  const { active, reason, changedHeight, changedAtMs, absences, offenceHeight } = manager;
  return [active ? "active" : reason, changedHeight, changedAtMs, absences, offenceHeight];
}

const offenceOf = (managerId: string, height = 1) =>
  accuse(
    votesEvidence(
      approveOf({ managerId, height, block: "A" }),
      approveOf({ managerId, height, block: "B" }),
    ),
  );

describe("a suspension", () => {
  test("takes the manager's turn and ACCEPT, and says since when and how often", () => {
    const members = after(base, at(5), suspend("manager-2"));
    assert.deepEqual(standing(members, "manager-2"), ["absent", 5, 50_000, 1, 0]);
    assert.deepEqual(members.activeManagerIds, ["manager-1", "manager-3", "manager-4"]);
    assert.deepEqual([members.quorum, members.managers.length], [base.quorum, 4]);
    assert.deepEqual(standing(base, "manager-2"), ["active", 0, 0, 0, 0]);
  });

  test("leaves a quorum active", () => {
    assert.equal(
      refusedAt(base, at(5), suspend("manager-2"), suspend("manager-3")),
      "[1].suspend_manager.manager_id",
    );
    const two = after(seven, at(5), suspend("manager-1"), suspend("manager-7"));
    assert.equal(two.activeManagerIds.length, seven.quorum);
    assert.equal(refusedAt(two, at(6), suspend("manager-3")), "[0].suspend_manager.manager_id");
  });

  for (const count of [1, 2, 3]) {
    test(`of one of ${count} would leave less than a quorum`, () => {
      const few = membersOf({ managers: count, storage: 0 });
      assert.equal(refusedAt(few, at(5), suspend("manager-1")), "[0].suspend_manager.manager_id");
    });
  }

  test("happens once, to a manager that there is", () => {
    const members = after(seven, at(5), suspend("manager-2"));
    for (const id of ["manager-2", "manager-9"]) {
      assert.equal(refusedAt(members, at(6), suspend(id)), "[0].suspend_manager.manager_id");
    }
  });

  test("never happens where the policy says so", () => {
    const place = { policy: strictPolicy, ...at(5) };
    const refused = refusal(base.applyOperation(suspend("manager-1"), place));
    assert.equal(refused.field, "suspend_manager.manager_id");
    assert.equal(suspensionRoom(base.managers, strictPolicy), 0);
    assert.equal(suspensionRoom(base.managers, policy), 1);
  });
});

describe("a return", () => {
  const suspended = after(base, at(5), suspend("manager-2"));
  const back = resume("manager-2", 5, 8);

  test("makes the manager active again, and remembers its absences", () => {
    const members = after(suspended, at(9), back);
    assert.deepEqual(standing(members, "manager-2"), ["active", 9, 90_000, 1, 0]);
    assert.deepEqual(members.activeManagerIds, base.activeManagerIds);
  });

  test("rests on the signature of the manager itself", () => {
    const operation = back.operation;
    assert.ok(operation.case === "resumeManager");
    const check = accepted(checkResume(operation.value, genesis.members, consortiumId));
    assert.ok(verifies(check));
    const elsewhere = accepted(checkResume(operation.value, genesis.members, seedOf("another")));
    assert.ok(!verifies(elsewhere));
    for (const changes of [
      { managerId: "manager-3" },
      { heldHeight: 7n },
      { suspendedHeight: 4n },
    ]) {
      const changed = { ...operation.value, ...changes };
      assert.ok(!verifies(accepted(checkResume(changed, genesis.members, consortiumId))));
    }
  });

  test("of nobody known, or in no form, is refused", () => {
    const operation = back.operation;
    assert.ok(operation.case === "resumeManager");
    for (const [changes, field] of [
      [{ managerId: "manager-9" }, ".manager_id"],
      [{ heldHeight: 4n }, ".held_height"],
      [{ $unknown: [{ no: 9, wireType: 0, data: Uint8Array.of(1) }] }, ""],
    ] as const) {
      const changed: ResumeManager = { ...operation.value, ...(changes as object) };
      const found = refusal(checkResume(changed, genesis.members, consortiumId));
      assert.deepEqual(
        [found.reason, found.field],
        ["OPERATION_INVALID", `resume_manager${field}`],
      );
    }
  });

  const wrong: readonly [string, Place, ControlOperation, string][] = [
    ["of nobody known", at(9), resume("manager-9", 5, 8), "manager_id"],
    ["of an active manager", at(9), resume("manager-1", 5, 8), "manager_id"],
    ["from another suspension", at(9), resume("manager-2", 4, 8), "suspended_height"],
    ["at its own height", at(9), resume("manager-2", 5, 9), "held_height"],
    ["from too far behind", at(9), resume("manager-2", 5, 5), "held_height"],
    ["too early", at(9, 50_999), back, ""],
  ];
  for (const [name, place, operation, field] of wrong) {
    test(`${name} is refused`, () => {
      const path = field === "" ? "[0].resume_manager" : `[0].resume_manager.${field}`;
      assert.equal(refusedAt(suspended, place, operation), path);
    });
  }

  test("may come from three blocks behind, as soon as the wait is over", () => {
    assert.ok(after(suspended, at(9, 51_000), resume("manager-2", 5, 6)));
    assert.ok(after(suspended, at(9, 51_000), resume("manager-2", 5, 8)));
  });

  test("serves once", () => {
    const active = after(suspended, at(9), back);
    assert.equal(refusedAt(suspended, at(9), back, back), "[1].resume_manager.manager_id");
    assert.equal(refusedAt(active, at(10), back), "[0].resume_manager.manager_id");
    const again = after(active, at(10), suspend("manager-2"));
    assert.equal(refusedAt(again, at(11, 200_000), back), "[0].resume_manager.suspended_height");
  });

  test("is not possible in the block of the suspension", () => {
    const none = { ...policy, resumeWaitMs: 0, resumeWaitMaxMs: 0 };
    const operations = [suspend("manager-2"), resume("manager-2", 5, 5)];
    const place = { policy: none, ...at(5) };
    const { field } = refusal(base.applyOperations(operations, place));
    assert.equal(field, "control[1].resume_manager.held_height");
  });

  test("makes room for the suspension of another one in the same block", () => {
    const swapped = after(suspended, at(9), back, suspend("manager-4"));
    assert.deepEqual(swapped.activeManagerIds, ["manager-1", "manager-2", "manager-3"]);
    assert.equal(
      refusedAt(suspended, at(9), suspend("manager-4"), back),
      "[0].suspend_manager.manager_id",
    );
  });
});

describe("the wait before a return", () => {
  const cases: readonly [number, number][] = [
    [1, 1_000],
    [2, 2_000],
    [3, 4_000],
    [4, 8_000],
    [5, 8_000],
    [2 ** 31, 8_000],
  ];
  for (const [absences, waitMs] of cases) {
    test(`after ${absences} suspensions is ${waitMs} ms`, () => {
      assert.equal(resumePossibleAtMs({ changedAtMs: 70_000, absences }, policy), 70_000 + waitMs);
    });
  }

  test("of nothing stays nothing", () => {
    const none = { resumeWaitMs: 0, resumeWaitMaxMs: 9 };
    assert.equal(resumePossibleAtMs({ changedAtMs: 7, absences: 2 ** 31 }, none), 7);
  });

  /** Active from `activeForMs` before its second suspension. */
  function suspendedTwice(activeForMs: number): Members {
    const once = after(base, at(5, 50_000), suspend("manager-2"));
    const active = after(once, at(6, 60_000), resume("manager-2", 5, 5));
    return after(active, at(7, 60_000 + activeForMs), suspend("manager-2"));
  }

  test("doubles with each suspension in close succession", () => {
    const members = suspendedTwice(7_999);
    assert.deepEqual(standing(members, "manager-2"), ["absent", 7, 67_999, 2, 0]);
    const early = refusedAt(members, at(8, 69_998), resume("manager-2", 7, 7));
    assert.equal(early, "[0].resume_manager");
    assert.ok(after(members, at(8, 69_999), resume("manager-2", 7, 7)));
  });

  test("starts anew for who has been active for the longest wait", () => {
    const members = suspendedTwice(8_000);
    assert.deepEqual(standing(members, "manager-2"), ["absent", 7, 68_000, 1, 0]);
  });
});

describe("an offender", () => {
  test("is suspended by the block that records the evidence", () => {
    const members = after(base, at(5), offenceOf("manager-2"));
    assert.deepEqual(standing(members, "manager-2"), ["equivocated", 5, 50_000, 0, 5]);
    assert.deepEqual(members.activeManagerIds, ["manager-1", "manager-3", "manager-4"]);
  });

  test("does not come back", () => {
    const members = after(base, at(5), offenceOf("manager-2"));
    const field = refusedAt(members, at(9, 10 ** 9), resume("manager-2", 5, 8));
    assert.equal(field, "[0].resume_manager.manager_id");
  });

  test("is named once, whatever else it did", () => {
    const members = after(base, at(5), offenceOf("manager-2"));
    const other = accuse(
      proposalsEvidence(
        proposalOf({ managerId: "manager-2", block: "A" }),
        proposalOf({ managerId: "manager-2", block: "B" }),
      ),
    );
    assert.equal(refusedAt(members, at(6), other), "[0].evidence.manager_id");
    assert.equal(refusedAt(base, at(5), offenceOf("manager-2"), other), "[1].evidence.manager_id");
  });

  test("is not known from the future, nor unknown", () => {
    assert.ok(after(base, at(5), offenceOf("manager-2", 5)));
    assert.equal(refusedAt(base, at(5), offenceOf("manager-2", 6)), "[0].evidence");
    assert.equal(refusedAt(base, at(5), offenceOf("manager-9")), "[0].evidence.manager_id");
  });

  test("that is absent stays away: since when is not changed", () => {
    const absent = after(base, at(5), suspend("manager-2"));
    const members = after(absent, at(7), offenceOf("manager-2"));
    assert.deepEqual(standing(members, "manager-2"), ["equivocated", 5, 50_000, 1, 7]);
  });

  test("that comes back with the block of its evidence is suspended again", () => {
    const absent = after(base, at(5), suspend("manager-2"));
    const operations = [resume("manager-2", 5, 6), offenceOf("manager-2")];
    const members = after(absent, at(7), ...operations);
    assert.deepEqual(standing(members, "manager-2"), ["equivocated", 7, 70_000, 1, 7]);
    const late = refusedAt(absent, at(7), ...operations.toReversed());
    assert.equal(late, "[1].resume_manager.manager_id");
  });

  test("stays active while there is no room, and is suspended by the block that makes some", () => {
    const absent = after(base, at(5), suspend("manager-2"));
    const named = after(absent, at(6), offenceOf("manager-3"));
    assert.deepEqual(standing(named, "manager-3"), ["active", 0, 0, 0, 6]);
    assert.equal(named.activeManagerIds.length, 3);
    const members = after(named, at(8), resume("manager-2", 5, 7));
    assert.deepEqual(standing(members, "manager-3"), ["equivocated", 8, 80_000, 0, 6]);
    assert.deepEqual(members.activeManagerIds, ["manager-1", "manager-2", "manager-4"]);
  });

  test("takes room after the absent, who hold the ring up", () => {
    const operations = [offenceOf("manager-2"), suspend("manager-3")];
    const members = after(base, at(5), ...operations);
    assert.deepEqual(standing(members, "manager-2"), ["active", 0, 0, 0, 5]);
    assert.deepEqual(standing(members, "manager-3"), ["absent", 5, 50_000, 1, 0]);
  });

  test("is preferred in ring order where there is room for one", () => {
    const members = after(base, at(5), offenceOf("manager-3"), offenceOf("manager-2"));
    assert.deepEqual(members.activeManagerIds, ["manager-1", "manager-3", "manager-4"]);
  });

  test("is suspended by the next block too, without any operation", () => {
    const managers = base.managers.map(
      (each): Manager => (each.managerId === "manager-4" ? { ...each, offenceHeight: 3 } : each),
    );
    const { storageNodes, officers } = base;
    const named = new Members({ managers, storageNodes, officers });
    assert.deepEqual(standing(after(named, at(5)), "manager-4"), ["equivocated", 5, 50_000, 0, 3]);
  });

  test("is only named where the policy suspends nobody", () => {
    const place = { policy: strictPolicy, ...at(5) };
    const members = accepted(base.applyOperation(offenceOf("manager-2"), place));
    assert.deepEqual(standing(members, "manager-2"), ["active", 0, 0, 0, 5]);
    assert.equal(accepted(members.applyOperations([], place)), members);
  });
});

test("members with every standing are read back from their bytes", () => {
  const members = after(
    after(seven, at(5), suspend("manager-2"), offenceOf("manager-3")),
    at(9),
    resume("manager-2", 5, 8),
    suspend("manager-1"),
  );
  assert.deepEqual(Members.decode(members.encode())?.managers, members.managers);
  assert.deepEqual(managerOf("manager-4"), members.manager("manager-4"));
});
