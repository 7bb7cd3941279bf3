import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { UnreachableClaimSchema } from "../../../../src/gen/bss/v1/genesis_pb.js";
import {
  type UnreachableNotice,
  UnreachableNoticeSchema,
} from "../../../../src/gen/bss/v1/vote_pb.js";
import { unreachableDigest } from "../../../../src/ledger/certificates/vote-digests.js";
import { operationSignatureChecks } from "../../../../src/ledger/members/operation-signatures.js";
import { checkOperation } from "../../../../src/ledger/members/operations.js";
import { UnreachableClaims } from "../../../../src/manager/storage-nodes/unreachable-claims.js";
import { consortiumId, policy } from "../../ledger/support/consortium.js";
import { sign } from "../../ledger/support/records.js";
import { PublicHead } from "../support/public-head.js";

const nodeId = "storage-2";

function notice(managerId: string, height = 10, signer = managerId): UnreachableNotice {
  const signature = sign(signer, unreachableDigest({ consortiumId, nodeId, height }));
  const claim = create(UnreachableClaimSchema, { managerId, height: BigInt(height), signature });
  return create(UnreachableNoticeSchema, { nodeId, claim });
}

describe("claims that a storage node cannot be reached", () => {
  let world: PublicHead;
  let told: UnreachableNotice[];
  let claims: UnreachableClaims;

  beforeEach(() => {
    world = new PublicHead();
    world.at(10);
    told = [];
    const parts = world.partsThat((message) => {
      if (message.case === "unreachable") told.push(message.value);
    });
    claims = new UnreachableClaims(world.ports, parts);
  });

  const claimants = () =>
    claims
      .operations()
      .map(({ operation }) =>
        operation.case === "suspendStorageNode"
          ? operation.value.claims.map(({ managerId, height }) => `${managerId} at ${height}`)
          : [],
      );
  const take = (managerId: string, height?: number) =>
    claims.take(managerId, notice(managerId, height));

  test("make an operation once f+1 managers agree, which everybody can check", async () => {
    await claims.say([nodeId]);
    assert.deepEqual([told.length, claims.isComplete, world.wakes], [1, false, 0]);
    await take("manager-3");
    assert.deepEqual([claims.isComplete, world.wakes], [true, 1]);
    await take("manager-2");
    assert.deepEqual(claimants(), [["manager-1 at 10", "manager-2 at 10"]], "no more than f+1");
    const [operation] = claims.operations();
    assert.ok(operation);
    assert.equal(checkOperation(operation, policy), undefined);
    const checks = operationSignatureChecks(operation, world.head.members, consortiumId);
    assert.equal(await world.ports.signatures.firstInvalid(checks), undefined);
    assert.equal(checks.length, 2);
  });

  test("are this manager's own as long as it says so, and signed anew on each head", async () => {
    await claims.say([nodeId]);
    await claims.say([nodeId]);
    assert.equal(world.signed.length, 1);
    // The block that is made now may carry that the node has attested this head.
    world.at(11);
    await claims.say([nodeId]);
    assert.deepEqual(
      told.map(({ claim }) => claim?.height),
      [10n, 10n, 11n],
    );
    world.canSign = false;
    world.at(12);
    await claims.say([nodeId]);
    assert.equal(told.length, 3, "nothing is said while nothing can be signed");
  });

  test("are withdrawn by saying nothing", async () => {
    await take("manager-2");
    await take("manager-3");
    world.nowMs = 20_000;
    await take("manager-3");
    world.nowMs = 30_001;
    await claims.say([]);
    assert.deepEqual([claims.isComplete, claims.count], [false, 1]);
  });

  test("take turns when there are many", async () => {
    const many = Array.from({ length: 700 }, (_, i) => `storage-x${i}`);
    await claims.say(many);
    assert.equal(told.length, 500);
    await claims.say(many);
    assert.equal(new Set(told.map((each) => each.nodeId)).size, 700);
  });

  test("go into the block with the latest heights, as it may settle an attestation", async () => {
    world.at(12);
    await take("manager-2", 10);
    await take("manager-3", 12);
    await take("manager-4", 11);
    assert.deepEqual(claimants(), [["manager-3 at 12", "manager-4 at 11"]]);
  });

  test("count only where they fit the next block", async () => {
    await take("manager-2", 12);
    await take("manager-3", 10);
    assert.deepEqual(claimants(), [], "one is ahead of this manager");
    world.at(12);
    assert.deepEqual(claimants(), [["manager-2 at 12", "manager-3 at 10"]]);
    world.change(nodeId, { changedHeight: 11 });
    assert.deepEqual(claimants(), [], "one is from before the node came back");
    world.change(nodeId, { changedHeight: 0, lastAttestedHeight: 11 });
    assert.deepEqual(claimants(), [], "one is from before a block that the node attested");
    world.change(nodeId, { lastAttestedHeight: 0 });
    world.at(110);
    assert.deepEqual(claimants(), [], "one is too old");
    world.at(12);
    world.change(nodeId, { suspension: "unreachable", changedHeight: 13 });
    claims.onAppended();
    assert.deepEqual([claimants(), claims.count], [[], 0]);
  });

  for (const [what, from, make, reason] of [
    ["another manager's", "manager-3", () => notice("manager-2"), "CLAIM_OF_ANOTHER"],
    [
      "signed by another",
      "manager-2",
      () => notice("manager-2", 10, "manager-3"),
      "SIGNATURE_INVALID",
    ],
    [
      "about a stranger",
      "manager-2",
      () => ({ ...notice("manager-2"), nodeId: "storage-9" }),
      "OPERATION_INVALID",
    ],
    ["empty", "manager-2", () => create(UnreachableNoticeSchema, { nodeId }), "CLAIM_OF_ANOTHER"],
  ] as const) {
    test(`are dropped when they are ${what}`, async () => {
      await claims.take(from, make());
      assert.deepEqual([world.dropped, claims.count], [[`${from}: ${reason}`], 0]);
    });
  }

  test("of far ahead and far behind are passed over", async () => {
    world.at(500);
    await take("manager-2", 400);
    await take("manager-2", 517);
    assert.deepEqual([claims.count, world.dropped], [0, []]);
    await take("manager-2", 401);
    assert.equal(claims.count, 1);
  });
});
