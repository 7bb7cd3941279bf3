import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { StorageNode } from "../../../src/ledger/members/member-lists.js";
import type { OperationInit } from "./support/storage-blocks.js";
import { blocksOf, nobody, policy, refusedAt, signature } from "./support/storage-nodes.js";

describe("a silent storage node", () => {
  const suspend = (
    heights: readonly number[] = [2, 3],
    nodeId = "storage-1",
    managers = ["manager-1", "manager-2", "manager-3"],
  ): OperationInit => {
    const claims = heights.map((height, i) => {
      return { managerId: managers[i] ?? "", height: BigInt(height), signature };
    });
    return { case: "suspendStorageNode", value: { nodeId, claims } };
  };
  const comeBack = (suspended: number, held: number): OperationInit => {
    const heights = { suspendedHeight: BigInt(suspended), heldHeight: BigInt(held) };
    return { case: "returnStorageNode", value: { nodeId: "storage-1", ...heights, signature } };
  };

  function after(height: number, changes: Partial<StorageNode> = {}, rules = policy) {
    const blocks = blocksOf(changes, rules);
    while (blocks.height < height) blocks.step({ leaves: false });
    return blocks;
  }

  test("is suspended by f+1 managers, drawn no more, and returns after its wait", () => {
    const blocks = after(3);
    blocks.step({ operations: [suspend()], leaves: false });
    const { suspension, changedHeight, changedAtMs, absences, credit } = blocks.node("storage-1");
    assert.deepEqual([suspension, changedHeight, absences, credit], ["unreachable", 4, 1, 100]);
    assert.equal(changedAtMs, blocks.timestampMs);
    assert.ok(!blocks.members.eligibleStorageNodes(policy).includes("storage-1"));
    assert.match(refusedAt(blocks, comeBack(4, 4)) ?? "", /return_storage_node$/);
    blocks.step({ operations: [comeBack(4, 4)], leaves: false, elapsedMs: 5_000 });
    assert.equal(blocks.node("storage-1").suspension, undefined);
    assert.equal(blocks.node("storage-1").changedHeight, 5);
    assert.ok(blocks.members.eligibleStorageNodes(policy).includes("storage-1"));
  });

  test("waits twice as long the next time", () => {
    const blocks = after(3);
    blocks.step({ operations: [suspend()], leaves: false });
    blocks.step({ operations: [comeBack(4, 4)], leaves: false, elapsedMs: 5_000 });
    blocks.step({ operations: [suspend([5, 5])], leaves: false });
    assert.equal(blocks.node("storage-1").absences, 2);
    const back = { operations: [comeBack(6, 6)], leaves: false };
    assert.ok(!blocks.try({ ...back, elapsedMs: 9_999 }).ok);
    assert.ok(blocks.try({ ...back, elapsedMs: 10_000 }).ok);
  });

  for (const [what, height, changes, operation, field] of [
    ["by one manager", 3, {}, suspend([2]), "claims"],
    ["by all of three", 3, {}, suspend([2, 2, 2]), "claims"],
    [
      "by a stranger",
      3,
      {},
      suspend([2, 2], "storage-1", ["manager-1", "manager-9"]),
      "claims[1].manager_id",
    ],
    ["by claims from its future", 3, {}, suspend([3, 4]), "claims[1].height"],
    [
      "by claims from before its last change",
      3,
      { changedHeight: 3 },
      suspend([2, 3]),
      "claims[0].height",
    ],
    [
      "by claims from before a block that it has attested",
      5,
      { lastAttestedHeight: 4 },
      suspend([4, 3]),
      "claims[1].height",
    ],
    ["by claims more than 100 blocks old", 103, {}, suspend([3, 4]), "claims[0].height"],
    ["twice", 3, { suspension: "unreachable" }, suspend(), "node_id"],
    ["after it retired", 3, { suspension: "retired" }, suspend(), "node_id"],
    ["that nobody knows", 3, {}, suspend([2, 2], "storage-99"), "node_id"],
  ] as const satisfies readonly (readonly [
    string,
    number,
    Partial<StorageNode>,
    OperationInit,
    string,
  ])[]) {
    test(`is not suspended ${what}`, () => {
      const blocks = after(height, changes);
      assert.equal(refusedAt(blocks, operation), `control[0].suspend_storage_node.${field}`);
    });
  }

  test("is suspended by claims that are exactly 100 blocks old", () => {
    assert.ok(after(103).try({ operations: [suspend([4, 4])] }).ok);
  });

  test("is not suspended where the policy says so", () => {
    const blocks = after(3, {}, { ...policy, unreachableAfterMs: 0 });
    assert.equal(refusedAt(blocks, suspend()), "control[0].suspend_storage_node");
  });

  for (const [what, changes, operation, field] of [
    ["while it is active", {}, comeBack(4, 11), "node_id"],
    ["when it was boycotted", { suspension: "boycotted" }, comeBack(4, 11), "node_id"],
    ["from another suspension", { suspension: "unreachable" }, comeBack(3, 11), "suspended_height"],
    ["ten blocks behind", { suspension: "unreachable" }, comeBack(4, 10), "held_height"],
    ["ahead of the chain", { suspension: "unreachable" }, comeBack(4, 20), "held_height"],
  ] as const satisfies readonly (readonly [
    string,
    Partial<StorageNode>,
    OperationInit,
    string,
  ])[]) {
    test(`does not return ${what}`, () => {
      const blocks = after(19, { changedHeight: 4, absences: 1, ...changes });
      assert.equal(refusedAt(blocks, operation), `control[0].return_storage_node.${field}`);
    });
  }

  test("returns 9 blocks behind, and is not paid for the time away", () => {
    const unreachable = { suspension: "unreachable" as const, changedHeight: 4, absences: 1 };
    const blocks = blocksOf(unreachable, { ...policy, storageReward: 2n ** 20n * 86_400n });
    blocks.step({ bytes: 1_024, leaves: false });
    while (blocks.height < 19) blocks.step({ leaves: false });
    blocks.step({ operations: [comeBack(4, 11)], leaves: false });
    const { reward, rewardedKibSeconds } = blocks.node("storage-1");
    assert.deepEqual([reward, rewardedKibSeconds], [0n, 19n]);
  });
});

describe("leaving", () => {
  const retire = (operatorId = "", admittedHeight = 0n, nodeId = "storage-1"): OperationInit => ({
    case: "retireStorageNode",
    value: { nodeId, admittedHeight, operatorId, signature },
  });

  for (const [who, operatorId] of [
    ["by itself", ""],
    ["by an operator of its sponsor", "operator-1"],
  ] as const) {
    test(`is said ${who}, once, and keeps credit and reward`, () => {
      const blocks = blocksOf({ credit: 77, reward: 5n, paid: 1n });
      blocks.step({ operations: [retire(operatorId)] });
      const { suspension, changedHeight, credit, reward, paid } = blocks.node("storage-1");
      assert.deepEqual([suspension, changedHeight], ["retired", 1]);
      assert.deepEqual([credit, reward, paid], [77, 5n, 1n]);
      assert.match(refusedAt(blocks, retire(operatorId)) ?? "", /node_id$/);
    });
  }

  for (const suspension of ["unreachable", "boycotted"] as const) {
    test(`is possible for one that is ${suspension}`, () => {
      assert.ok(blocksOf({ suspension }).try({ operations: [retire()] }).ok);
    });
  }

  for (const [what, operation, field] of [
    ["another sponsor's operator", retire("operator-2"), "operator_id"],
    ["no operator at all", retire("operator-9"), "operator_id"],
    ["a statement about an earlier admission", retire("", 7n), "admitted_height"],
    ["a node that nobody knows", retire("", 0n, "storage-99"), "node_id"],
  ] as const) {
    test(`does not fit with ${what}`, () => {
      assert.equal(refusedAt(blocksOf(), operation), `control[0].retire_storage_node.${field}`);
    });
  }
});

describe("payouts", () => {
  const pay = (amount: bigint, paidBefore = 30n, operatorId = "operator-1"): OperationInit => ({
    case: "recordPayout",
    value: { nodeId: "storage-1", amount, paidBefore, operatorId, reference: "R-1", signature },
  });
  const earned = { reward: 100n, paid: 30n };

  test("add up to what is earned, each once", () => {
    const blocks = blocksOf(earned);
    blocks.step({ operations: [pay(50n), pay(20n, 80n)], leaves: false });
    assert.equal(blocks.node("storage-1").paid, 100n);
    assert.equal(refusedAt(blocks, pay(1n, 100n)), "control[0].record_payout.amount");
    assert.deepEqual(
      blocks.changes.map(({ kind, paidDelta, creditDelta }) => [kind, paidDelta, creditDelta]),
      [
        ["paid", 50n, 0],
        ["paid", 20n, 0],
      ],
    );
  });

  for (const [what, operation, field] of [
    ["more than is due", pay(71n), "amount"],
    ["nothing", pay(0n), "amount"],
    ["after other payouts than there were", pay(1n, 29n), "paid_before"],
    ["by another sponsor's operator", pay(1n, 30n, "operator-2"), "operator_id"],
  ] as const) {
    test(`do not fit when they are of ${what}`, () => {
      const field_ = refusedAt(blocksOf(earned), operation);
      assert.equal(field_, `control[0].record_payout.${field}`);
    });
  }

  test("may be of what the same block settles", () => {
    const blocks = blocksOf();
    blocks.step();
    while (!blocks.committee.includes("storage-1")) blocks.step({ signs: nobody });
    const { reward } = blocks.node("storage-1");
    blocks.step({ operations: [pay(reward + 10n, 0n)] });
    assert.equal(blocks.node("storage-1").paid, reward + 10n);
  });
});

describe("the boycott", () => {
  for (const [credit, suspension, expected] of [
    [50, undefined, undefined],
    [49, undefined, "boycotted"],
    [49, "unreachable", "boycotted"],
    [49, "retired", "retired"],
  ] as const) {
    test(`leaves a node with credit ${credit} that is ${suspension ?? "active"} ${expected ?? "active"}`, () => {
      const blocks = blocksOf({ credit, suspension });
      blocks.step({ bytes: 1 });
      assert.equal(blocks.node("storage-1").suspension, expected);
      assert.equal(blocks.node("storage-1").credit, credit);
    });
  }
});
