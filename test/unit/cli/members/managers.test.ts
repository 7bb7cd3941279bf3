import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { absencesOf } from "../../../../src/cli/members/managers.js";
import type { ControlOperationSchema } from "../../../../src/gen/bss/v1/genesis_pb.js";
import { MembershipChangeSchema } from "../../../../src/gen/bss/v1/query_pb.js";

type Change = NonNullable<MessageInitShape<typeof ControlOperationSchema>["operation"]>;

const change = (height: number, operation: Change) =>
  create(MembershipChangeSchema, { height: BigInt(height), operation: { operation } });
const suspend = (height: number, managerId: string) =>
  change(height, { case: "suspendManager", value: { managerId } });
const resume = (height: number, managerId: string) =>
  change(height, { case: "resumeManager", value: { managerId } });

describe("the history of absences", () => {
  test("goes from each suspension to the block that ended it, the last one first", () => {
    const history = [
      change(0, { case: "admitStorageNode", value: { nodeId: "storage-1" } }),
      suspend(5, "manager-2"),
      suspend(6, "manager-3"),
      resume(9, "manager-2"),
      suspend(12, "manager-2"),
      change(13, { case: "evidence", value: { managerId: "manager-4" } }),
    ];
    assert.deepEqual(absencesOf(history), [
      { managerId: "manager-4", fromHeight: 13, why: "equivocated" },
      { managerId: "manager-2", fromHeight: 12, why: "absent" },
      { managerId: "manager-3", fromHeight: 6, why: "absent" },
      { managerId: "manager-2", fromHeight: 5, toHeight: 9, why: "absent" },
    ]);
  });

  test("is empty where nobody was ever away", () => assert.deepEqual(absencesOf([]), []));
});
