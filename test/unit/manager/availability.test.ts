import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Availability } from "../../../src/manager/availability.js";
import { genesis, managerIds, policy, storageIds } from "../ledger/support/consortium.js";

function missing(managers: readonly string[], storage: readonly string[], minStorage = 1) {
  return new Availability({
    policy: { ...policy, minStorage },
    selfId: "manager-1",
    members: () => genesis.members,
    connectedManagers: () => managers,
    connectedStorage: () => storage,
  }).whatIsMissing();
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
    assert.equal(error?.status, "UNAVAILABLE");
    assert.equal(error?.metadata.missing_managers, "manager-2, manager-4");
  });

  test("names the storage nodes that are missing, and how many are needed", () => {
    const error = missing(others, ["storage-1", "storage-2", "a stranger"]);
    assert.equal(error?.reason, "STORAGE_UNAVAILABLE");
    assert.deepEqual(error?.metadata, { missing_storage: "storage-3, storage-4", needed: "3" });
    assert.match(error?.message ?? "", /^2 of 4 storage nodes are connected, 3 are needed/);
  });

  test("counts as many storage nodes as the policy wants, if that is more", () => {
    assert.equal(missing(others, storageIds.slice(1), 4)?.metadata.needed, "4");
  });
});
