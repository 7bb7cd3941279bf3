/** A storage node that has left, or was boycotted, comes back with the same key, or not at all. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defined } from "../../../src/base/assert.js";
import type { StorageNode } from "../../../src/ledger/members/member-lists.js";
import { Members } from "../../../src/ledger/members/members.js";
import { admissionOf, invitationBytes } from "./support/invitations.js";
import { seedOf } from "./support/records.js";
import { Standings } from "./support/standings.js";
import { failAudit, retireNode } from "./support/storage-statements.js";

const [id, other] = ["storage-2", "storage-3"];
const u64Max = 2n ** 64n - 1n;

/** An invitation for ten, of an operator that knew the block at `height`. */
function invitedAt(height: number) {
  const [blockId, membersDigest] = [seedOf(`block ${height}`), seedOf("members")];
  const checkpoint = { height: BigInt(height), blockId, membersDigest };
  return { invitation: invitationBytes({ checkpoint }) };
}

/** A few blocks after genesis, with `id` as told. */
function ledgerWith(changes: Partial<StorageNode>, policy = {}): Standings {
  const ledger = new Standings({ nodes: { [id]: changes }, policy });
  ledger.block({ sealedBytes: 2 ** 20, hasLeaves: false });
  ledger.block({ hasLeaves: false });
  return ledger;
}

describe("a node that is admitted again", () => {
  for (const suspension of ["retired", "boycotted"] as const) {
    test(`after it was ${suspension} starts anew, and keeps what it has earned`, () => {
      const ledger = ledgerWith({
        suspension,
        credit: 3,
        reward: 70n,
        paid: 20n,
        lastAttestedHeight: 1,
        auditFailed: true,
        absences: 4,
      });
      const changes = ledger.block({
        operations: [admissionOf(id, { value: { tlsSpkiSha256: seedOf("tls of storage-2") } })],
      });
      const { signingKey, tlsSpkiSha256 } = ledger.node(id);
      assert.deepEqual(ledger.node(id), {
        nodeId: id,
        signingKey,
        tlsSpkiSha256,
        sponsorId: "manager-1",
        suspension: undefined,
        credit: 100,
        reward: 70n,
        paid: 20n,
        lastAttestedHeight: 1,
        admittedHeight: 3,
        changedHeight: 3,
        changedAtMs: ledger.timestampMs,
        absences: 0,
        auditFailed: false,
        rewardedKibSeconds: 2n * 1_024n,
      });
      assert.deepEqual(
        changes.map(({ nodeId, kind, creditDelta }) => [nodeId, kind, creditDelta]),
        [[id, "admitted", 97]],
      );
    });
  }

  test("may bring another certificate, of a key that nobody uses", () => {
    const ledger = ledgerWith({ suspension: "retired" });
    const taken = { tlsSpkiSha256: seedOf(`tls of ${other}`) };
    assert.equal(
      ledger.refuses(admissionOf(id, { value: taken })),
      "admit_storage_node.tls_spki_sha256",
    );
  });

  for (const [what, changes] of [
    ["that is active", {}],
    ["that is unreachable", { suspension: "unreachable" as const, changedHeight: 1 }],
  ] as const) {
    test(`cannot be one ${what}`, () => {
      const ledger = ledgerWith(changes);
      assert.equal(
        ledger.refuses(admissionOf(id), "MEMBER_ID_TAKEN"),
        "admit_storage_node.node_id",
      );
    });
  }

  for (const suspension of ["retired", "boycotted"] as const) {
    test(`after it was ${suspension} needs an invitation from after that`, () => {
      const ledger = ledgerWith({ suspension, changedHeight: 2 });
      for (const early of [{}, invitedAt(1)]) {
        const field = ledger.refuses(admissionOf(id, early), "INVITATION_INVALID");
        assert.equal(field, "admit_storage_node.consent.invitation");
      }
      ledger.block({ operations: [admissionOf(id, invitedAt(2))] });
      assert.equal(ledger.node(id).suspension, undefined);
    });
  }

  test("is not taken back by the words with which it came back the last time", () => {
    const ledger = ledgerWith({ suspension: "retired" });
    const admission = admissionOf(id, invitedAt(2));
    ledger.block({ operations: [admission] });
    ledger.block({ operations: [retireNode(id, 3)] });
    const at = "admit_storage_node.consent.invitation";
    assert.equal(ledger.refuses(admission, "INVITATION_INVALID"), at);
  });

  test("does not come back in the block in which it leaves", () => {
    const ledger = ledgerWith({ credit: 60 });
    const operations = [retireNode(id), admissionOf(id, invitedAt(2))];
    const found = ledger.members.applyBlock(ledger.effects({ operations }));
    assert.equal(found.ok ? "" : found.error.reason, "INVITATION_INVALID");
  });

  test("does not lose what committees from before it left were open for", () => {
    const ledger = new Standings();
    ledger.block();
    const absent = ledger.committee()[0] ?? "";
    ledger.block({ named: (all) => all.filter((each) => each !== absent) });
    ledger.block({ operations: [retireNode(absent)], hasLeaves: false });
    ledger.block({ operations: [admissionOf(absent, invitedAt(3))], hasLeaves: false });
    ledger.blocks(6, { hasLeaves: false });
    const [unseen] = ledger.changes.filter(({ kind }) => kind === "unseen");
    assert.deepEqual([ledger.node(absent).credit, unseen], [100, undefined]);
  });

  test("may still fail an audit from before it left", () => {
    const ledger = new Standings({ policy: { auditsPerBlock: 100 } });
    ledger.block();
    const [audited = ""] = ledger.committee();
    ledger.block({ hasLeaves: false });
    ledger.block({ operations: [retireNode(audited)], hasLeaves: false });
    ledger.block({ operations: [admissionOf(audited, invitedAt(3))], hasLeaves: false });
    ledger.block({ operations: [failAudit(audited, 1)] });
    const { suspension, credit, auditFailed } = ledger.node(audited);
    assert.deepEqual([suspension, credit, auditFailed], ["boycotted", 0, true]);
  });
});

describe("another node", () => {
  for (const suspension of [undefined, "unreachable", "retired", "boycotted"] as const) {
    test(`cannot take the id of one that is ${suspension ?? "active"}`, () => {
      const ledger = ledgerWith({
        suspension,
        signingKey: seedOf("another key"),
        reward: u64Max,
        changedHeight: 1,
      });
      assert.equal(
        ledger.refuses(admissionOf(id), "MEMBER_ID_TAKEN"),
        "admit_storage_node.node_id",
      );
    });
  }

  for (const nodeId of ["manager-1", "operator-1"]) {
    test(`cannot be called ${nodeId}`, () => {
      const ledger = ledgerWith({});
      assert.equal(
        ledger.refuses(admissionOf(nodeId), "MEMBER_ID_TAKEN"),
        "admit_storage_node.node_id",
      );
    });
  }

  test("that is new starts with the time of its admission, and is drawn from the next block on", () => {
    const ledger = ledgerWith({}, { storageReward: 10n ** 12n });
    const eligible = () => ledger.members.eligibleStorageNodes(ledger.policy);
    ledger.block({ operations: [admissionOf("newcomer")] });
    const { credit, reward, rewardedKibSeconds, sponsorId } = ledger.node("newcomer");
    assert.deepEqual([credit, reward, rewardedKibSeconds], [100, 0n, 2_048n]);
    assert.equal(sponsorId, "manager-1");
    assert.ok(eligible().includes("newcomer"));
    assert.ok(!ledger.committee().includes("newcomer"));
  });

  test("finds room as long as its sponsor has a share of the places left", () => {
    const ledger = ledgerWith({ suspension: "retired", sponsorId: "manager-2" });
    const { managers, officers, storageNodes: known } = ledger.members;
    const some = defined(known[0], "there are nodes");
    const storageNodes = Array.from({ length: 2_499 }, (_, i) => {
      const nodeId = `filling-${String(i).padStart(4, "0")}`;
      const keys = { signingKey: seedOf(nodeId), tlsSpkiSha256: seedOf(`tls of ${nodeId}`) };
      return { ...some, ...keys, nodeId, sponsorId: "manager-1" };
    });
    const others = known.filter(({ sponsorId }) => sponsorId !== "manager-1");
    const lists = { managers, officers, storageNodes: [...storageNodes, ...others] };
    ledger.members = new Members(lists);
    const admissions = ["newcomer-1", "newcomer-2"].map((each) => admissionOf(each));
    const both = ledger.members.applyBlock(ledger.effects({ operations: admissions }));
    assert.ok(!both.ok && both.error.field === "control[1].admit_storage_node");
    ledger.block({ operations: admissions.slice(0, 1), hasLeaves: false });
    assert.equal(ledger.refuses(admissionOf("newcomer-2")), "admit_storage_node");
    assert.equal(ledger.refuses(admissionOf(id)), "admit_storage_node", "from another sponsor");
    const value = { sponsorId: "manager-2" };
    const invitation = invitationBytes({ operatorId: "operator-2" });
    ledger.block({ operations: [admissionOf("newcomer-2", { invitation, value })] });
  });
});
