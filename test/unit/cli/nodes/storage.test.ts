import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { stateText } from "../../../../src/cli/nodes/storage.js";
import { StorageSuspension } from "../../../../src/gen/bss/v1/members_pb.js";
import { MemberState, StorageNodeStatusSchema } from "../../../../src/gen/bss/v1/query_pb.js";

describe("the state of a storage node in the list", () => {
  const textOf = (state: MemberState, eligible: boolean) => {
    const suspension = StorageSuspension.UNREACHABLE;
    return stateText(create(StorageNodeStatusSchema, { state, eligible, suspension }));
  };

  test("says of an active node that committees are drawn without it", () => {
    assert.equal(textOf(MemberState.ACTIVE, true), "active");
    assert.equal(textOf(MemberState.ACTIVE, false), "active, beyond its sponsor's share");
  });

  test("says only the cause of one that is suspended, which is never eligible", () => {
    assert.equal(textOf(MemberState.SUSPENDED, false), "unreachable");
  });
});
