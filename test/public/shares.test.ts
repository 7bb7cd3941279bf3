import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startMembers } from "../../bench/public/credit-run.js";
import { seededRandom } from "../../bench/public/random.js";
import { defaultPolicy } from "../../src/cli/init/defaults.js";
import {
  committeeSize,
  drawCommittee,
  matchesNeeded,
} from "../../src/ledger/certificates/committee.js";
import { Members } from "../../src/ledger/members/members.js";

const policy = defaultPolicy(80);
const packer = "manager-1";

/** Members of which the packer sponsors the first `packed` nodes, the others the rest in turn. */
function sponsored(nodes: number, packed: number): Members {
  const { managers, storageNodes } = startMembers({ nodes }, seededRandom("shares"));
  const others = managers.slice(1).map(({ managerId }) => managerId);
  const sponsorOf = (i: number) => (i < packed ? packer : others[i % others.length]) ?? "";
  return new Members({
    managers,
    officers: [],
    storageNodes: storageNodes.map((node, i) => ({ ...node, sponsorId: sponsorOf(i) })),
  });
}

describe("a manager that sponsors 50 storage nodes beside 30 of the three others", () => {
  const members = sponsored(80, 50);
  const eligible = members.eligibleStorageNodes(policy);
  const isPacked = (id: string) => members.storageNode(id)?.sponsorId === packer;

  test("brings a quarter of them all, ⌈80/4⌉ = 20, into the draw", () => {
    assert.equal(eligible.filter(isPacked).length, 20);
    assert.equal(eligible.length, 50);
  });

  test("never has a certificate in its own hands, whatever is drawn", () => {
    const needed = matchesNeeded(committeeSize(eligible.length));
    assert.equal(needed, 23);
    assert.ok(eligible.filter(isPacked).length < needed);
    const random = seededRandom("packed");
    let packed = 0;
    const draws = 500;
    for (let draw = 0; draw < draws; draw++) {
      const committee = drawCommittee({ eligible, beacon: random.bytes(64), round: 0 });
      packed += committee.filter(isPacked).length / committee.length;
    }
    // 20 of 50; the mean of 500 draws strays by 0.002.
    assert.ok(Math.abs(packed / draws - 0.4) < 0.02, `${packed / draws}`);
  });

  test("loses the share that its nodes lose: those that are suspended count for nobody", () => {
    const nodes = members.storageNodes.map((node) =>
      node.sponsorId === packer ? { ...node, suspension: "unreachable" as const } : node,
    );
    const { managers } = members;
    const after = new Members({ managers, storageNodes: nodes, officers: [] });
    const remaining = after.eligibleStorageNodes(policy);
    assert.equal(remaining.filter(isPacked).length, 0);
    // The share of 30 able ones is 8, and each of the three others has 10.
    assert.equal(remaining.length, 24);
  });
});

test("A share is one of all able nodes: who sponsors more than all others has most of it", () => {
  const members = sponsored(53, 50);
  const eligible = members.eligibleStorageNodes(policy);
  assert.equal(eligible.length, 14 + 3);
});
