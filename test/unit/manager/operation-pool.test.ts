import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { toBinary } from "@bufbuild/protobuf";
import {
  type ControlOperation,
  ControlOperationSchema,
} from "../../../src/gen/bss/v1/genesis_pb.js";
import { OperationPool, poolBytesPerBlock } from "../../../src/manager/operation-pool.js";
import { participantInvitation, registrationOf } from "../ledger/support/invitations.js";

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
});
