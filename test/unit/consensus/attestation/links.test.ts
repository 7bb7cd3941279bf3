import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import {
  chosenManagers,
  serviceRank,
  standInMs,
} from "../../../../src/consensus/attestation/links.js";
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

const ring = ["manager-1", "manager-2", "manager-3", "manager-4"] as const;

function ranks(nodeId: string, height: number): readonly number[] {
  return ring.map((managerId) => serviceRank(nodeId, height, ring, managerId));
}

describe("the managers in line to serve a storage node", () => {
  test("begin with the one that the first 32 bits of SHA-256 (node id, height) pick", () => {
    for (let height = 0; height < 20; height++) {
      const heightBytes = Buffer.alloc(8);
      heightBytes.writeBigUInt64BE(BigInt(height));
      const digest = createHash("sha256").update("storage-3").update(heightBytes).digest();
      const home = digest.readUInt32BE(0) % 4;
      assert.equal(ranks("storage-3", height)[home], 0);
    }
  });

  test("follow in ring order, each at a place of its own", () => {
    for (let height = 0; height < 20; height++) {
      const line = ranks("storage-1", height);
      const home = line.indexOf(0);
      const expected = ring.map((_, i) => (i - home + 4) % 4);
      assert.deepEqual(line, expected);
    }
  });

  test("change from height to height and from node to node: everybody gets its share", () => {
    const counts = [0, 0, 0, 0];
    for (let height = 0; height < 200; height++) {
      for (const nodeId of ["storage-1", "storage-2"]) {
        const home = ranks(nodeId, height).indexOf(0);
        counts[home] = (counts[home] ?? 0) + 1;
      }
    }
    for (const count of counts) assert.ok(count > 60 && count < 140, `${counts}`);
  });

  test("are waited for as long as a candidate's verification allows", () => {
    assert.equal(standInMs({ verifyMs: 1 }), 400);
    assert.equal(standInMs({ verifyMs: 3_000 }), 400);
    assert.equal(standInMs({ verifyMs: 30_000 }), 3_750);
  });

  test("are one, when there is one manager", () => {
    assert.equal(serviceRank("storage-1", 7, ["manager-1"], "manager-1"), 0);
  });

  test("do not hold a stranger: asking for its place is a bug", () => {
    assert.throws(() => serviceRank("storage-1", 7, ring, "manager-9"), /is in the ring/);
  });
});
