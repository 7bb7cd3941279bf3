import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defined } from "../../../src/base/assert.js";
import type { StorageNode } from "../../../src/ledger/members/member-lists.js";
import { Members } from "../../../src/ledger/members/members.js";
import { bytesOf } from "./consortium.js";
import type { OperationInit } from "./support/storage-blocks.js";
import {
  blocksOf,
  nobody,
  nodeIds,
  policy,
  refusedAt,
  signature,
} from "./support/storage-nodes.js";

describe("settlement", () => {
  test("gives each signer a credit, a reward, and the height that it attested", () => {
    const blocks = blocksOf();
    blocks.step();
    const [absent, ...signers] = blocks.committee;
    blocks.step({ signs: (id) => id !== absent });
    for (const id of nodeIds) {
      const { credit, reward, lastAttestedHeight } = blocks.node(id);
      const expected = signers.includes(id) ? [101, 10n, 1] : [100, 0n, 0];
      assert.deepEqual([credit, reward, lastAttestedHeight], expected);
    }
    const [open] = blocks.members.openCommittees;
    assert.deepEqual([open?.height, open?.missing], [1, [absent]]);
  });

  test("stops at the highest credit", () => {
    const blocks = blocksOf({ credit: 1_000 });
    for (let i = 0; i < 6; i++) blocks.step();
    const { credit, reward } = blocks.node("storage-1");
    assert.equal(credit, 1_000);
    assert.ok(reward > 0n);
  });

  test("of a block without leaves changes nobody", () => {
    const blocks = blocksOf();
    blocks.step({ leaves: false });
    const before = blocks.members;
    blocks.step();
    assert.equal(blocks.members, before);
  });

  test("costs whoever is unseen one credit, 8 blocks after the attested one and no earlier", () => {
    const blocks = blocksOf();
    blocks.step();
    const committee = blocks.committee;
    blocks.step({ signs: nobody, leaves: false });
    while (blocks.height < 8) blocks.step({ leaves: false });
    assert.deepEqual(blocks.members.openCommittees[0]?.missing, committee);
    for (const id of nodeIds) assert.equal(blocks.node(id).credit, 100);
    blocks.step({ leaves: false });
    assert.deepEqual(blocks.members.openCommittees, []);
    for (const id of nodeIds) {
      assert.equal(blocks.node(id).credit, committee.includes(id) ? 99 : 100);
    }
    const unseen = blocks.changes.filter(({ kind }) => kind === "unseen");
    assert.deepEqual(
      unseen.map(({ nodeId, height, aboutHeight, creditDelta }) => {
        return [nodeId, height, aboutHeight, creditDelta];
      }),
      committee.map((id) => [id, 9, 1, -1]),
    );
  });

  test("keeps credit at 0 or above", () => {
    const blocks = blocksOf({ credit: 0, suspension: "retired" });
    const open = {
      height: 1,
      blockId: bytesOf("1"),
      round: 0,
      hash1: bytesOf("root"),
      treeSize: 1,
      missing: ["storage-1"],
      audited: [],
    };
    blocks.members = new Members({ ...listsOf(blocks.members), openCommittees: [open] });
    blocks.height = 8;
    blocks.step();
    assert.equal(blocks.node("storage-1").credit, 0);
  });

  test("counts the bytes before a block, from the block before until it", () => {
    const blocks = blocksOf();
    blocks.step({ bytes: 10_240, elapsedMs: 60_000 });
    assert.deepEqual(blocks.members.totals, { sealedBytes: 10_240, kibSeconds: 0n, remainder: 0 });
    blocks.step({ bytes: 5, elapsedMs: 2_500 });
    assert.deepEqual(blocks.members.totals, { sealedBytes: 10_245, kibSeconds: 25n, remainder: 0 });
    blocks.step({ elapsedMs: 1_000 });
    assert.deepEqual(blocks.members.totals.kibSeconds, 35n);
    assert.equal(blocks.members.totals.remainder, 5_000);
  });

  test("rewards storing at a MATCH, for all the time since the last one", () => {
    const rules = { ...policy, storageReward: 2n ** 20n * 86_400n };
    const blocks = blocksOf({}, rules);
    blocks.step({ bytes: 1_024, leaves: false });
    blocks.step();
    const committee = blocks.committee;
    blocks.step();
    for (const id of nodeIds) {
      const { reward } = blocks.node(id);
      assert.equal(reward, committee.includes(id) ? 12n : 0n);
    }
  });
});

describe("late attestations", () => {
  const mismatch = { hash2: bytesOf("another root"), treeSize: 9n };

  /** Block 1 was attested by nobody in time; block 2 has settled it. */
  function open() {
    const blocks = blocksOf();
    blocks.step();
    const committee = blocks.committee;
    blocks.step({ signs: nobody, leaves: false });
    const [first, second] = [defined(committee[0], "a member"), defined(committee[1], "a member")];
    const outsider = defined(
      nodeIds.find((id) => !committee.includes(id)),
      "somebody is left out",
    );
    return { blocks, committee, first, second, outsider };
  }

  const carry = (
    attestations: readonly { nodeId: string; mismatch?: typeof mismatch }[],
    place: { height?: bigint; round?: number } = {},
  ): OperationInit => {
    const late = attestations.map((each) => ({ ...each, audit: bytesOf("audit"), signature }));
    const value = { height: 1n, round: 0, ...place, attestations: late };
    return { case: "carryAttestations", value };
  };

  test("with MATCH cost nothing and earn nothing", () => {
    const { blocks, first, committee } = open();
    blocks.step({ operations: [carry([{ nodeId: first }])], leaves: false });
    const { credit, reward, lastAttestedHeight } = blocks.node(first);
    assert.deepEqual([credit, reward, lastAttestedHeight], [100, 0n, 1]);
    assert.deepEqual(blocks.members.openCommittees[0]?.missing, committee.slice(1));
    while (blocks.height < 9) blocks.step({ leaves: false });
    assert.equal(blocks.node(first).credit, 100);
    assert.equal(blocks.node(committee[1] ?? "").credit, 99);
  });

  test("are still carried by the block that closes the committee", () => {
    const { blocks, first } = open();
    while (blocks.height < 8) blocks.step({ leaves: false });
    blocks.step({ operations: [carry([{ nodeId: first }])], leaves: false });
    assert.equal(blocks.node(first).credit, 100);
    assert.match(refusedAt(blocks, carry([{ nodeId: first }])) ?? "", /height$/);
  });

  test("with MISMATCH cost 50, once, and a second one boycotts", () => {
    const { blocks, first } = open();
    blocks.step({ operations: [carry([{ nodeId: first, mismatch }])], leaves: true });
    assert.deepEqual([blocks.node(first).credit, blocks.node(first).suspension], [50, undefined]);
    const again = refusedAt(blocks, carry([{ nodeId: first, mismatch }]));
    assert.equal(again, "control[0].carry_attestations.attestations[0].node_id");
    while (blocks.height < 9) blocks.step({ leaves: false });
    assert.equal(blocks.node(first).credit >= 49, true);
  });

  for (const [what, field, of] of [
    ["of a height that is not open", "height", (id) => carry([{ nodeId: id }], { height: 2n })],
    ["of another round", "round", (id) => carry([{ nodeId: id }], { round: 1 })],
    [
      "of a node that is not missing",
      "attestations[0].node_id",
      (_, other) => carry([{ nodeId: other }]),
    ],
    [
      "that call the block's own values a mismatch",
      "attestations[0].mismatch",
      (id) => carry([{ nodeId: id, mismatch: { hash2: bytesOf("root 1"), treeSize: 1n } }]),
    ],
  ] as const satisfies readonly (readonly [
    string,
    string,
    (id: string, outsider: string) => OperationInit,
  ])[]) {
    test(`${what} do not fit`, () => {
      const { blocks, first, outsider } = open();
      assert.equal(
        refusedAt(blocks, of(first, outsider)),
        `control[0].carry_attestations.${field}`,
      );
    });
  }

  test("that do not fit change nothing, also those before the wrong one", () => {
    const { blocks, first, second, outsider } = open();
    const mixed = [{ nodeId: first }, { nodeId: second }, { nodeId: outsider }];
    const sorted = mixed.toSorted((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
    const before = blocks.members.digest();
    assert.match(refusedAt(blocks, carry(sorted)) ?? "", /node_id$/);
    assert.deepEqual(blocks.members.digest(), before);
  });
});

describe("audits", () => {
  const fail = (
    nodeId: string,
    managers = ["manager-1", "manager-3"],
    height = 1n,
  ): OperationInit => {
    const findings = managers.map((managerId) => ({ managerId, signature }));
    return { case: "failAudit", value: { nodeId, height, findings } };
  };

  /** Block 2 has settled block 1, which all of its committee attested. */
  function audited(changes: Partial<StorageNode> = {}, rules = policy) {
    const blocks = blocksOf(changes, rules);
    blocks.step();
    blocks.step();
    const [open] = blocks.members.openCommittees;
    const nodeId = defined(open?.audited[0], "somebody is audited").nodeId;
    return { blocks, nodeId };
  }

  test("are of as many signers as the policy says", () => {
    const { blocks } = audited({}, { ...policy, auditsPerBlock: 2 });
    assert.equal(blocks.members.openCommittees[0]?.audited.length, 2);
  });

  test("that fail cost 100 and boycott; the audit cannot fail again", () => {
    const { blocks, nodeId } = audited();
    blocks.step({ operations: [fail(nodeId)], signs: nobody });
    const { credit, suspension, auditFailed, changedHeight } = blocks.node(nodeId);
    assert.deepEqual([credit, suspension, auditFailed, changedHeight], [1, "boycotted", true, 3]);
    assert.equal(refusedAt(blocks, fail(nodeId)), "control[0].fail_audit.node_id");
    assert.ok(!blocks.members.eligibleStorageNodes(policy).includes(nodeId));
    const kinds = blocks.changes.filter((each) => each.nodeId === nodeId).map(({ kind }) => kind);
    assert.deepEqual(kinds, ["match", "audit-failed", "boycotted"]);
  });

  test("that fail end the reward for storing until a later one stands", () => {
    const rules = { ...policy, matchReward: 0n, storageReward: 2n ** 20n * 86_400n };
    const { blocks } = audited({ credit: 900 }, rules);
    while (!blocks.members.openCommittees.at(-1)?.audited.some((a) => a.nodeId === "storage-1")) {
      blocks.step();
    }
    const height = BigInt(blocks.height - 1);
    blocks.step({
      bytes: 1_024_000,
      operations: [fail("storage-1", ["manager-1", "manager-2"], height)],
    });
    const { reward } = blocks.node("storage-1");
    assert.equal(blocks.node("storage-1").auditFailed, true);
    while (blocks.node("storage-1").auditFailed) {
      assert.equal(blocks.node("storage-1").reward, reward);
      blocks.step();
      assert.ok(blocks.height < 60);
    }
    const since = blocks.node("storage-1").rewardedKibSeconds;
    while (blocks.node("storage-1").reward === reward) blocks.step();
    const { reward: earned, rewardedKibSeconds } = blocks.node("storage-1");
    assert.equal(earned - reward, rewardedKibSeconds - since);
  });

  for (const [what, field, of] of [
    ["of a node that was not drawn", "node_id", () => fail("storage-99")],
    ["of a height that is not open", "height", (id) => fail(id, ["manager-1", "manager-2"], 2n)],
    ["found by one manager", "findings", (id) => fail(id, ["manager-1"])],
    [
      "found by more than f+1",
      "findings",
      (id) => fail(id, ["manager-1", "manager-2", "manager-3"]),
    ],
    ["found by a stranger", "findings[1].manager_id", (id) => fail(id, ["manager-1", "manager-9"])],
    ["found twice by one", "findings[1]", (id) => fail(id, ["manager-1", "manager-1"])],
  ] as const satisfies readonly (readonly [string, string, (id: string) => OperationInit])[]) {
    test(`${what} do not fit`, () => {
      const { blocks, nodeId } = audited();
      assert.equal(refusedAt(blocks, of(nodeId)), `control[0].fail_audit.${field}`);
    });
  }
});

function listsOf({ managers, storageNodes, officers, totals }: Members) {
  return { managers, storageNodes, officers, totals };
}
