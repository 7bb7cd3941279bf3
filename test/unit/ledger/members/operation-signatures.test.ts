import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { toHex } from "../../../../src/base/bytes.js";
import { ControlOperationSchema, InvitedRole } from "../../../../src/gen/bss/v1/genesis_pb.js";
import { AttestationVerdict } from "../../../../src/gen/bss/v1/vote_pb.js";
import {
  attestationDigest,
  findingDigest,
  payoutDigest,
  registrationDigest,
  retirementDigest,
  returnDigest,
  unreachableDigest,
} from "../../../../src/ledger/certificates/vote-digests.js";
import { invitationDigest } from "../../../../src/ledger/members/consent.js";
import { Members } from "../../../../src/ledger/members/members.js";
import { operationSignatureChecks } from "../../../../src/ledger/members/operation-signatures.js";
import { allVerify, bytesOf, consortiumId, membersOf, signerOf } from "../consortium.js";

type Operation = NonNullable<MessageInitShape<typeof ControlOperationSchema>["operation"]>;

const nodeId = "storage-1";
const audit = bytesOf("audit");
const open = {
  height: 7,
  round: 1,
  blockId: bytesOf("block 7"),
  hash1: bytesOf("root"),
  treeSize: 40,
  missing: ["storage-1", "storage-2"],
  audited: [{ nodeId, audit }],
};
const officer = {
  officerId: "operator-1",
  role: "operator" as const,
  managerId: "manager-1",
  signingKey: signerOf("operator-1").publicKey,
  tlsSpkiSha256: bytesOf("spki of operator-1"),
};
const members = new Members({
  ...membersOf({ managers: 4, storage: 2 }),
  officers: [officer],
  openCommittees: [open],
});

const sign = (id: string, digest: Uint8Array) => signerOf(id).sign(digest);

const retire = (signerId: string, operatorId: string): Operation => {
  const digest = retirementDigest({ consortiumId, nodeId, admittedHeight: 3 });
  const value = { nodeId, admittedHeight: 3n, operatorId, signature: sign(signerId, digest) };
  return { case: "retireStorageNode", value };
};
const suspend = (...managerIds: string[]): Operation => {
  const claims = managerIds.map((managerId) => {
    const digest = unreachableDigest({ consortiumId, nodeId, height: 9 });
    return { managerId, height: 9n, signature: sign(managerId, digest) };
  });
  return { case: "suspendStorageNode", value: { nodeId, claims } };
};
const giveBack = (signerId = nodeId): Operation => {
  const digest = returnDigest({ consortiumId, nodeId, suspendedHeight: 4, heldHeight: 8 });
  const value = { nodeId, suspendedHeight: 4n, heldHeight: 8n, signature: sign(signerId, digest) };
  return { case: "returnStorageNode", value };
};
const found = { hash2: bytesOf("another root"), treeSize: 39 };
const attested = (signerId = "storage-2") => {
  const { height, round, blockId, hash1, treeSize } = open;
  const claim = { consortiumId, height, round, blockId, audit };
  const match = { hash2: hash1, treeSize, verdict: AttestationVerdict.MATCH };
  const mismatch = { ...found, verdict: AttestationVerdict.MISMATCH };
  return [
    { nodeId, audit, signature: sign(nodeId, attestationDigest({ ...claim, ...match })) },
    {
      nodeId: "storage-2",
      audit,
      mismatch: { ...found, treeSize: BigInt(found.treeSize) },
      signature: sign(signerId, attestationDigest({ ...claim, ...mismatch })),
    },
  ];
};
const carry = (attestations = attested(), height = 7n, round = 1): Operation => {
  return { case: "carryAttestations", value: { height, round, attestations } };
};
const fail = (height = 7n, ...managerIds: string[]): Operation => {
  const findings = managerIds.map((managerId) => {
    const digest = findingDigest({ consortiumId, nodeId, height: 7, audit });
    return { managerId, signature: sign(managerId, digest) };
  });
  return { case: "failAudit", value: { nodeId, height, findings } };
};
const paid = { nodeId, amount: 2n ** 40n, paidBefore: 5n, reference: "transfer 7" };
const pay = (signerId = "operator-1", changes = {}): Operation => {
  const signature = sign(signerId, payoutDigest({ consortiumId, ...paid }));
  const value = { ...paid, operatorId: "operator-1", signature, ...changes };
  return { case: "recordPayout", value };
};

function checks(operation: Operation, signers = members) {
  const message = create(ControlOperationSchema, { operation });
  return operationSignatureChecks(message, signers, consortiumId);
}

describe("the signatures of an operation", () => {
  const fine: readonly [string, Operation, number][] = [
    ["of a node that leaves", retire(nodeId, ""), 1],
    ["of an operator that sends a node away", retire("operator-1", "operator-1"), 1],
    ["of two managers that heard nothing", suspend("manager-1", "manager-3"), 2],
    ["of a node that is back", giveBack(), 1],
    ["of late attestations, one a mismatch", carry(), 2],
    ["of two managers that found an audit false", fail(7n, "manager-1", "manager-2"), 2],
    ["of an operator that paid", pay(), 1],
  ];
  for (const [what, operation, count] of fine) {
    test(`${what} are those that verify`, () => {
      const obligations = checks(operation);
      assert.equal(obligations.length, count);
      assert.ok(allVerify(obligations));
      for (const { what: name } of obligations) assert.match(name, /(manager|storage|operator)-\d/);
      const elsewhere = operationSignatureChecks(
        create(ControlOperationSchema, { operation }),
        members,
        bytesOf("another consortium"),
      );
      for (const each of elsewhere) assert.ok(!allVerify([each]), "it binds the consortium");
    });
  }

  const wrong: readonly [string, Operation][] = [
    ["of the node with the operator's key", retire("operator-1", "")],
    ["of the operator with the node's key", retire(nodeId, "operator-1")],
    ["of a manager as operator", retire("manager-1", "manager-1")],
    ["of a manager that is none", suspend("manager-1", "operator-1")],
    ["of a return that another node signed", giveBack("storage-2")],
    ["of an attestation that another node signed", carry(attested(nodeId))],
    ["of another round's committee", carry(undefined, 7n, 0)],
    ["of a committee that is closed", carry(undefined, 6n)],
    ["about a block whose audits are over", fail(8n, "manager-1", "manager-2")],
    ["of a finding by a storage node", fail(7n, "storage-2")],
    ["of a payout by a manager", pay("manager-1")],
    ["of a payout by nobody", pay("operator-1", { operatorId: "operator-9" })],
    ["of another amount", pay("operator-1", { amount: 7n })],
    ["after another sum", pay("operator-1", { paidBefore: 6n })],
    ["with another reference", pay("operator-1", { reference: "transfer 8" })],
  ];
  for (const [what, operation] of wrong) {
    test(`${what} do not verify`, () => {
      const obligations = checks(operation);
      assert.ok(obligations.length > 0);
      assert.ok(!allVerify(obligations));
      for (const { violation } of obligations) {
        assert.match(violation.reason, /^(SIGNATURE_INVALID|SIGNER_UNKNOWN)$/);
      }
    });
  }

  test("of a finding about a node that nobody drew do not verify", () => {
    const unaudited = new Members({ ...members, openCommittees: [{ ...open, audited: [] }] });
    assert.ok(!allVerify(checks(fail(7n, "manager-1"), unaudited)));
  });

  test("are never fewer for want of a signer", () => {
    const nobody = new Members({ managers: members.managers, storageNodes: [], officers: [] });
    for (const [what, operation, count] of fine.filter(([, { case: kind }]) => {
      return kind !== "suspendStorageNode";
    })) {
      const obligations = checks(operation, nobody);
      assert.equal(obligations.length, count, what);
      for (const each of obligations) assert.ok(!allVerify([each]), what);
    }
    const resume = { managerId: "manager-9", suspendedHeight: 1n, heldHeight: 1n };
    assert.ok(!allVerify(checks({ case: "resumeManager", value: resume })));
    assert.ok(!allVerify(checks({ case: "evidence", value: { managerId: "manager-9" } })));
  });

  test("are none where everybody has to have seen what is claimed", () => {
    assert.deepEqual(checks({ case: "suspendManager", value: { managerId: "manager-1" } }), []);
  });

  test("are over bytes that no release changes", () => {
    const digests = {
      retirement: retirementDigest({ consortiumId, nodeId, admittedHeight: 3 }),
      unreachable: unreachableDigest({ consortiumId, nodeId, height: 9 }),
      return: returnDigest({ consortiumId, nodeId, suspendedHeight: 4, heldHeight: 8 }),
      finding: findingDigest({ consortiumId, nodeId, height: 7, audit }),
      payout: payoutDigest({ consortiumId, ...paid }),
      registration: registrationDigest({
        consortiumId,
        invitationDigest: bytesOf("invitation"),
        role: InvitedRole.STORAGE,
        memberId: nodeId,
        tlsSpkiSha256: bytesOf("spki"),
        signingKey: bytesOf("key"),
      }),
      invitation: invitationDigest(bytesOf("invitation")),
    };
    const values = Object.values(digests).map(toHex);
    assert.equal(new Set(values).size, values.length);
    for (const [name, digest] of Object.entries(digests)) {
      assert.equal(toHex(digest).slice(0, 16), fixed[name as keyof typeof digests], name);
    }
  });
});

/** Computed apart, with Python's hashlib over hand-written protobuf bytes. */
const fixed = {
  retirement: "76241c0fa5fd0e3f",
  unreachable: "4a914d8c34adab3a",
  return: "6c7d9c5034810907",
  finding: "27c4f8054c725bc9",
  payout: "b1b8848897e5e214",
  registration: "2de71d3707ad5803",
  invitation: "d55ed25339a75b1f",
};
