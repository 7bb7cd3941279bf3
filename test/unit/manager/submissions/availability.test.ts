import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SuspensionMode } from "../../../../src/gen/bss/v1/genesis_pb.js";
import { Members } from "../../../../src/ledger/members/members.js";
import { Availability } from "../../../../src/manager/submissions/availability.js";
import { genesis, managerIds, policy, storageIds } from "../../ledger/support/consortium.js";

type Situation = {
  readonly minStorage?: number;
  readonly suspension?: SuspensionMode;
  readonly members?: Members;
};

function missing(
  managers: readonly string[],
  storage: readonly string[],
  { minStorage = 1, suspension = SuspensionMode.NEVER, members = genesis.members }: Situation = {},
) {
  const context = {
    policy: { ...policy, minStorage, suspension },
    selfId: "manager-1",
    members: () => members,
    links: () => ({ connectedIds: managers }),
  };
  return new Availability(context, { connectedIds: storage }).whatIsMissing();
}

describe("what a caller is told when nothing becomes final", () => {
  const others = managerIds.slice(1);

  test("is nothing while everybody who is needed is there", () => {
    assert.equal(missing(others, storageIds), undefined);
    assert.equal(missing(others, storageIds.slice(1)), undefined, "three of four can match");
  });

  test("names the managers whose acceptance is missing, before anything else", () => {
    const error = missing(["manager-3"], []);
    assert.equal(error?.reason, "MANAGERS_UNAVAILABLE");
    assert.match(error?.message ?? "", /3 of 4 managers are needed/);
    assert.equal(error?.status, "UNAVAILABLE");
    assert.equal(error?.metadata.missing_managers, "manager-2, manager-4");
  });

  test("names the storage nodes that are missing, and how many are needed", () => {
    const error = missing(others, ["storage-1", "storage-2", "a stranger"]);
    assert.equal(error?.reason, "STORAGE_UNAVAILABLE");
    assert.deepEqual(error?.metadata, { missing_storage: "storage-3, storage-4", needed: "3" });
    assert.match(
      error?.message ?? "",
      /^2 of 4 eligible storage nodes are connected, 3 are needed/,
    );
  });

  test("names storage nodes that are suspended, as they are not eligible meanwhile", () => {
    const { managers, storageNodes, officers } = genesis.members;
    const nodes = storageNodes.map((each) =>
      each.nodeId === "storage-2" ? { ...each, suspension: "unreachable" as const } : each,
    );
    const members = new Members({ managers, storageNodes: nodes, officers });
    const error = missing(others, storageIds, { minStorage: 4, members });
    assert.equal(error?.reason, "STORAGE_UNAVAILABLE");
    assert.deepEqual(error?.metadata, { missing_storage: "storage-2", needed: "4" });
  });

  test("says when one sponsor has brought more than its share, as nobody is missing", () => {
    const { managers, storageNodes, officers } = genesis.members;
    const nodes = storageNodes.map((each) => ({ ...each, sponsorId: "manager-1" }));
    const members = new Members({ managers, storageNodes: nodes, officers });
    const error = missing(others, storageIds, { minStorage: 2, members });
    assert.equal(
      error?.message,
      "1 of 1 eligible storage nodes are connected, 2 are needed; beyond the shares of their " +
        "sponsors: storage-2, storage-3, storage-4; operators of other managers have to invite some",
    );
  });

  test("counts as many storage nodes as the policy wants, if that is more", () => {
    assert.equal(missing(others, storageIds.slice(1), { minStorage: 4 })?.metadata.needed, "4");
  });

  test("names one absent manager if it cannot be suspended", () => {
    const error = missing(others.slice(1), storageIds);
    assert.equal(error?.reason, "MANAGERS_UNAVAILABLE");
    assert.equal(error?.metadata.missing_managers, "manager-2");
  });

  describe("where absent managers are suspended", () => {
    const suspension = SuspensionMode.FLOOR;
    const suspended = (id: string): Members => {
      const { managers, storageNodes, officers } = genesis.members;
      const list = managers.map((each) => ({ ...each, active: each.managerId !== id }));
      return new Members({ managers: list, storageNodes, officers });
    };

    test("is nothing as long as Q are left", () => {
      assert.equal(missing(others.slice(1), storageIds, { suspension }), undefined);
    });

    test("is all who are away, suspended or not, once fewer than Q are there", () => {
      const members = suspended("manager-4");
      const error = missing(["manager-2"], storageIds, { suspension, members });
      assert.equal(error?.metadata.missing_managers, "manager-3, manager-4");
      assert.match(error?.message ?? "", /3 of 4 managers are needed/);
    });

    test("does not count one that is suspended already", () => {
      const members = suspended("manager-4");
      const present = ["manager-2", "manager-3"];
      assert.equal(missing(present, storageIds, { suspension, members }), undefined);
      const never = SuspensionMode.NEVER;
      assert.equal(missing(present, storageIds, { suspension: never, members }), undefined);
    });

    test("is an active one that the floor keeps from being suspended", () => {
      const members = suspended("manager-4");
      const present = ["manager-2", "manager-4"];
      const error = missing(present, storageIds, { suspension, members });
      assert.equal(error?.metadata.missing_managers, "manager-3");
      assert.match(error?.message ?? "", /none can be suspended now/);
    });
  });
});
