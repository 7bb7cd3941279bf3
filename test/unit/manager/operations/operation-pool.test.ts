import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { toBinary } from "@bufbuild/protobuf";
import {
  type ControlOperation,
  ControlOperationSchema,
} from "../../../../src/gen/bss/v1/genesis_pb.js";
import {
  OperationPool,
  poolBytesPerBlock,
} from "../../../../src/manager/operations/operation-pool.js";
import {
  admissionOf,
  invitationBytes,
  participantInvitation,
  registrationOf,
} from "../../ledger/support/invitations.js";
import { seedOf } from "../../ledger/support/records.js";

const bytesOf = (operations: readonly ControlOperation[]) =>
  operations.reduce((sum, each) => sum + toBinary(ControlOperationSchema, each).length, 0);

describe("the pool of self-authorised operations", () => {
  test("leaves half of a block's room to what managers find, however many join", () => {
    const pool = new OperationPool();
    const agentIds = Array.from({ length: 30 }, (_, i) => `agent-${i}`.padEnd(63, "x"));
    for (let i = 0; i < 300; i += 1) {
      const invitation = participantInvitation(`home-${i}`, { agentIds });
      assert.ok(pool.add(registrationOf(`home-${i}`, { invitation, value: { agentIds } }), true));
    }
    const taken = pool.operations();
    assert.ok(taken.length > 50 && taken.length < 300, `${taken.length}`);
    assert.ok(bytesOf(taken) <= poolBytesPerBlock);
  });

  test("keeps no more admissions of an invitation than may join with it", () => {
    const pool = new OperationPool();
    const invitation = invitationBytes({ usesMax: 2 });
    const named = (i: number) => admissionOf(`storage-${i}`, { invitation });
    assert.ok(pool.add(named(1), true));
    assert.ok(pool.add(named(2), false));
    assert.equal(pool.add(named(3), true), false);
    assert.ok(pool.add(named(2), true), "the same one again");
    const invitationId = seedOf("another invitation").slice(0, 16);
    const other = invitationBytes({ usesMax: 1, invitationId });
    assert.ok(pool.add(admissionOf("storage-4", { invitation: other }), true));
    const [first] = pool.waiting;
    assert.ok(first);
    pool.delete(first);
    assert.ok(pool.add(named(3), true));
  });
});
