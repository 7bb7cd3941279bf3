import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { chosenManagers } from "../../../../src/consensus/public/links.js";
import { membersOf } from "../../ledger/consortium.js";

describe("the managers that a storage node links to", () => {
  for (const [managers, links] of [
    [1, 1],
    [4, 4],
    [7, 7],
    [10, 7],
    [22, 8],
    [100, 34],
  ] as const) {
    test(`are ${links} of ${managers}, so that at least one is honest`, () => {
      const members = membersOf({ managers, storage: 1 });
      const chosen = chosenManagers("storage-1", members).map(({ managerId }) => managerId);
      assert.equal(new Set(chosen).size, links);
      assert.ok(chosen.length > members.faultsMax);
    });
  }

  test("are not the same for all nodes", () => {
    const members = membersOf({ managers: 40, storage: 1 });
    const firsts = new Set<string>();
    for (let i = 0; i < 200; i++) {
      firsts.add(chosenManagers(`storage-${i}`, members)[0]?.managerId ?? "");
    }
    assert.ok(firsts.size > 20);
  });
});
