import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { type AuditFinding, AuditFindingSchema } from "../../../../src/gen/bss/v1/vote_pb.js";
import { findingDigest } from "../../../../src/ledger/certificates/vote-digests.js";
import type { OpenCommittee } from "../../../../src/ledger/members/member-lists.js";
import { operationSignatureChecks } from "../../../../src/ledger/members/operation-signatures.js";
import { checkOperation } from "../../../../src/ledger/members/operations.js";
import { AuditFindings } from "../../../../src/manager/storage-nodes/audit-findings.js";
import { consortiumId, policy } from "../../ledger/support/consortium.js";
import { seedOf, sign } from "../../ledger/support/records.js";
import { PublicHead } from "../support/public-head.js";

const nodeId = "storage-2";
const audit = seedOf("an invented digest");
const found = { nodeId, height: 9, audit };
const committee: OpenCommittee = {
  height: 9,
  blockId: seedOf("block 9"),
  round: 0,
  hash1: seedOf("root"),
  treeSize: 4,
  missing: [],
  audited: [{ nodeId, audit }],
};

function finding(managerId: string, claim = found, signer = managerId): AuditFinding {
  const signature = sign(signer, findingDigest({ consortiumId, ...claim }));
  const height = BigInt(claim.height);
  return create(AuditFindingSchema, { ...claim, height, managerId, signature });
}

describe("findings that an audit digest is false", () => {
  let world: PublicHead;
  let told: AuditFinding[];
  let findings: AuditFindings;

  beforeEach(() => {
    world = new PublicHead();
    world.at(10);
    world.open(committee);
    told = [];
    const parts = world.partsThat((message) => {
      if (message.case === "finding") told.push(message.value);
    });
    findings = new AuditFindings(world.ports, parts);
  });

  test("make an operation once f+1 managers agree, which everybody can check", async () => {
    findings.note(found);
    await findings.say();
    assert.deepEqual([told.length, findings.isComplete, world.wakes], [1, false, 0]);
    await findings.take("manager-4", finding("manager-4"));
    assert.deepEqual([findings.isComplete, world.wakes], [true, 1]);
    await findings.take("manager-2", finding("manager-2"));
    const [operation, ...rest] = findings.operations();
    assert.ok(operation?.operation.case === "failAudit");
    assert.deepEqual(rest, []);
    const { value } = operation.operation;
    assert.deepEqual(
      value.findings.map(({ managerId }) => managerId),
      ["manager-1", "manager-2"],
    );
    assert.equal(checkOperation(operation, policy), undefined);
    const checks = operationSignatureChecks(operation, world.head.members, consortiumId);
    assert.equal(await world.ports.signatures.firstInvalid(checks), undefined);
  });

  test("are signed once and said again until the audit is over", async () => {
    findings.note(found);
    await findings.say();
    await findings.say();
    assert.deepEqual([told.length, world.signed], [2, ["audit-finding"]]);
    world.open({ ...committee, audited: [] });
    findings.onAppended();
    await findings.say();
    assert.deepEqual([told.length, findings.operations()], [2, []]);
  });

  test("wait for the signer", async () => {
    findings.note(found);
    world.canSign = false;
    await findings.say();
    assert.equal(told.length, 0);
    world.canSign = true;
    await findings.say();
    assert.equal(told.length, 1);
  });

  for (const [what, from, make, reason] of [
    ["another manager's", "manager-3", () => finding("manager-2"), "FINDING_OF_ANOTHER"],
    [
      "signed by another",
      "manager-2",
      () => finding("manager-2", found, "manager-3"),
      "SIGNATURE_INVALID",
    ],
    ["a stranger's", "manager-9", () => finding("manager-9"), "OPERATION_INVALID"],
  ] as const) {
    test(`are dropped when they are ${what}`, async () => {
      await findings.take(from, make());
      assert.deepEqual(world.dropped, [`${from}: ${reason}`]);
    });
  }

  test("about what nobody is audited for are passed over", async () => {
    for (const claim of [
      { ...found, height: 8 },
      { ...found, nodeId: "storage-3" },
      { ...found, audit: seedOf("another digest") },
    ]) {
      for (const from of ["manager-2", "manager-3"])
        await findings.take(from, finding(from, claim));
    }
    assert.deepEqual([findings.operations(), world.dropped, world.wakes], [[], [], 0]);
  });
});
