import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { ControlOperationSchema } from "../../../../src/gen/bss/v1/genesis_pb.js";
import {
  type Attestation,
  AttestationSchema,
  AttestationVerdict,
} from "../../../../src/gen/bss/v1/vote_pb.js";
import { controlOperationBytesMax } from "../../../../src/ledger/blocks/block-parsing.js";
import { attestationDigest } from "../../../../src/ledger/certificates/vote-digests.js";
import type { OpenCommittee } from "../../../../src/ledger/members/member-lists.js";
import { operationSignatureChecks } from "../../../../src/ledger/members/operation-signatures.js";
import { checkOperation } from "../../../../src/ledger/members/operations.js";
import { lateAttestationsMax } from "../../../../src/ledger/storage-nodes/storage-operations.js";
import {
  keptPerNodeMax,
  LateAttestations,
} from "../../../../src/manager/storage-nodes/late-attestations.js";
import { Chain } from "../../ledger/support/chain.js";
import { consortiumId, policy } from "../../ledger/support/consortium.js";
import { documentBytes, seedOf, sign, submitted } from "../../ledger/support/records.js";
import { PublicHead } from "../support/public-head.js";

const height = 9;
const blockId = seedOf("block 9");
const hash1 = seedOf("root 9");
const committee: OpenCommittee = {
  height,
  blockId,
  round: 1,
  hash1,
  treeSize: 40,
  missing: ["storage-1", "storage-3"],
  audited: [],
};

function attestationOf(
  nodeId: string,
  changes: MessageInitShape<typeof AttestationSchema> = {},
): Attestation {
  const audit = seedOf(`audit of ${nodeId}`);
  const attestation = create(AttestationSchema, {
    height: BigInt(height),
    round: 1,
    blockId,
    hash2: hash1,
    treeSize: 40n,
    verdict: AttestationVerdict.MATCH,
    audit,
    nodeId,
    ...changes,
  });
  const { round, hash2, verdict } = attestation;
  const claim = { consortiumId, round, hash2, verdict, audit: attestation.audit };
  attestation.signature = sign(
    nodeId,
    attestationDigest({
      ...claim,
      height: Number(attestation.height),
      blockId: attestation.blockId,
      treeSize: Number(attestation.treeSize),
    }),
  );
  return attestation;
}

const mismatch = { verdict: AttestationVerdict.MISMATCH, hash2: seedOf("elsewhere") };

describe("attestations that came too late", () => {
  let world: PublicHead;
  let late: LateAttestations;

  beforeEach(() => {
    world = new PublicHead();
    world.at(10);
    world.open(committee);
    late = new LateAttestations(() => world.head);
  });

  const carried = () =>
    late.operations().flatMap(({ operation }) => {
      assert.ok(operation.case === "carryAttestations");
      const { value } = operation;
      return value.attestations.map(
        (each) =>
          `${each.nodeId} ${value.height}/${value.round}${each.mismatch ? " mismatch" : ""}`,
      );
    });

  test("are carried, in the order of the nodes, so that everybody can check them", async () => {
    late.note(attestationOf("storage-3"));
    late.note(attestationOf("storage-1"));
    assert.deepEqual(carried(), ["storage-1 9/1", "storage-3 9/1"]);
    const [operation] = late.operations();
    assert.ok(operation);
    assert.equal(checkOperation(operation, policy), undefined);
    const checks = operationSignatureChecks(operation, world.head.members, consortiumId);
    assert.equal(checks.length, 2);
    assert.equal(await world.ports.signatures.firstInvalid(checks), undefined);
  });

  test("that contradict the block are carried too, and before a match of the same node", async () => {
    late.note(attestationOf("storage-1"));
    late.note(attestationOf("storage-1", mismatch));
    assert.deepEqual(carried(), ["storage-1 9/1 mismatch"]);
    const [operation] = late.operations();
    assert.ok(operation);
    const checks = operationSignatureChecks(operation, world.head.members, consortiumId);
    assert.equal(await world.ports.signatures.firstInvalid(checks), undefined);
  });

  const { executed } = new Chain().propose({ candidates: [submitted([documentBytes()])] });

  test("may have come while the block was voted on, before its certificate was made", () => {
    world.at(8);
    world.open();
    late.note(attestationOf("storage-1"));
    assert.deepEqual(carried(), []);
    world.at(9);
    late.onAppended();
    assert.deepEqual(carried(), [], "its certificate stands in the next block");
    world.at(10);
    world.open(committee);
    late.onAppended();
    assert.deepEqual(carried(), ["storage-1 9/1"]);
  });

  for (const [what, value] of [
    ["of another round", attestationOf("storage-1", { round: 0 })],
    ["of another block", attestationOf("storage-1", { blockId: seedOf("another") })],
    ["of a node that is in the certificate", attestationOf("storage-2")],
    ["of a height that is closed", attestationOf("storage-1", { height: 2n })],
  ] as const) {
    test(`are not worth a look when they are ${what}`, () => {
      assert.equal(late.wants(value), false);
      late.note(value);
      assert.deepEqual(carried(), []);
    });
  }

  test("are left out when they say MATCH of another root, or MISMATCH of the block's own", () => {
    late.note(attestationOf("storage-1", { hash2: seedOf("elsewhere") }));
    late.note(attestationOf("storage-3", { treeSize: 41n }));
    late.note(attestationOf("storage-1", { verdict: AttestationVerdict.MISMATCH }));
    assert.deepEqual(carried(), []);
  });

  test("are wanted once", () => {
    const value = attestationOf("storage-1");
    assert.equal(late.wants(value), true);
    late.note(value);
    assert.equal(late.wants(value), false);
  });

  test("of the head are wanted if they are of the final block", () => {
    const { facts } = executed;
    world.head = { ...world.head, height: facts.height, facts };
    const ofHead = { height: BigInt(facts.height), blockId: facts.blockId };
    assert.equal(late.wants(attestationOf("storage-1", ofHead)), true);
    const other = attestationOf("storage-1", { ...ofHead, blockId: seedOf("another") });
    assert.equal(late.wants(other), false);
  });

  test("go once a block has carried them, or the committee is closed", () => {
    late.note(attestationOf("storage-1"));
    late.note(attestationOf("storage-3"));
    world.open({ ...committee, missing: ["storage-3"] });
    late.onAppended();
    world.open(committee);
    assert.deepEqual(carried(), ["storage-3 9/1"]);
    world.open();
    late.onAppended();
    world.open(committee);
    assert.deepEqual(carried(), []);
  });

  test("are bounded for each node: the newest count", () => {
    for (let i = 0; i <= keptPerNodeMax; i++) {
      late.note(attestationOf("storage-1", { round: 1 + i }));
    }
    assert.deepEqual(carried(), [], "round 1 was the oldest");
  });

  test("are at most a thousand in a block, in operations that fit, the oldest heights first", () => {
    const ids = Array.from({ length: 700 }, (_, i) => `storage-node-${String(i).padStart(4, "0")}`);
    const second = { ...committee, height: 10, blockId: seedOf("block 10") };
    world.at(11);
    world.open({ ...committee, missing: ids }, { ...second, missing: ids });
    for (const id of ids) {
      late.note(attestationOf(id, { ...mismatch }));
      late.note(attestationOf(id, { height: 10n, blockId: second.blockId }));
    }
    const operations = late.operations();
    assert.equal(carried().length, lateAttestationsMax);
    assert.equal(carried().filter((each) => each.includes(" 9/1 mismatch")).length, 700);
    for (const operation of operations) {
      assert.ok(toBinary(ControlOperationSchema, operation).length <= controlOperationBytesMax);
    }
    assert.ok(operations.length < 80);
  });
});
