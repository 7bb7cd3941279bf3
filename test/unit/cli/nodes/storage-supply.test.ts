import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  storageSupply,
  supplyJson,
  supplyTroubles,
} from "../../../../src/cli/nodes/storage-supply.js";
import { StorageSuspension } from "../../../../src/gen/bss/v1/members_pb.js";
import {
  GetStatusResponseSchema,
  MemberState,
  NodeRole,
  StorageNodeStatusSchema,
} from "../../../../src/gen/bss/v1/query_pb.js";

type NodeInit = Omit<MessageInitShape<typeof StorageNodeStatusSchema>, "$typeName">;

const node = (nodeId: string, init: NodeInit = {}) =>
  create(StorageNodeStatusSchema, {
    nodeId,
    state: MemberState.ACTIVE,
    eligible: true,
    lastAttestedHeight: 5n,
    ...init,
  });
const suspended = (suspension: StorageSuspension): NodeInit => ({
  state: MemberState.SUSPENDED,
  eligible: false,
  suspension,
});
/** What a manager at height 100 says of the nodes that are linked to it. */
const manager = (linked: Readonly<Record<string, number>>) =>
  create(GetStatusResponseSchema, {
    height: 100n,
    step: "idle",
    peers: Object.entries(linked).map(([peerId, height]) => {
      const role = NodeRole.STORAGE;
      return { peerId, role, connected: true, height: BigInt(height) };
    }),
  });

describe("storage nodes for blocks with records", () => {
  const four = ["a", "b", "c", "d"].map((id) => node(id));

  test("are no trouble while as many take part as are needed", () => {
    const supply = storageSupply(four, [manager({ a: 100, b: 99, c: 90 })], 2);
    assert.deepEqual([supply.eligible, supply.present, supply.needed], [4, 3, 3]);
    assert.deepEqual(supplyTroubles(supply), []);
  });

  test("are present where any of the managers is connected to them", () => {
    const statuses = [manager({ a: 100 }), manager({ b: 100, a: 0 }), manager({ c: 100 })];
    assert.equal(storageSupply(four, statuses, 2).present, 3);
  });

  test("are waited for where the policy demands more than are eligible", () => {
    const nodes = [
      node("a"),
      node("b", suspended(StorageSuspension.UNREACHABLE)),
      node("c", suspended(StorageSuspension.RETIRED)),
      node("d", suspended(StorageSuspension.BOYCOTTED)),
      node("e", { eligible: false }),
    ];
    assert.deepEqual(supplyTroubles(storageSupply(nodes, [manager({ a: 100 })], 4)), [
      "the ledger waits for storage nodes: blocks with records need 4, of 1 eligible ones 1 takes part",
      "storage nodes that are retired: c",
      "storage nodes that are suspended with too little credit: d",
      "storage nodes that are suspended as unreachable: b",
      "storage nodes that are beyond their sponsors' shares: operators of other managers have to " +
        "invite some: e",
    ]);
  });

  test("are waited for where too few of the eligible take part", () => {
    const nodes = [
      node("a"),
      node("b", { halted: "a fork" }),
      node("c", { lastAttestedHeight: 0n }),
      node("d"),
      node("e"),
    ];
    const supply = storageSupply(nodes, [manager({ a: 100, b: 100, e: 12 })], 1);
    assert.deepEqual(supplyTroubles(supply), [
      "the ledger waits for storage nodes: blocks with records need 3, of 5 eligible ones 1 takes part",
      "storage nodes that have halted: b",
      "storage nodes that are not connected, and have attested nothing so far: c",
      "storage nodes that are not connected: d",
      "storage nodes that are behind: e",
    ]);
    assert.deepEqual(supplyJson(supply), {
      eligible: 5,
      present: 1,
      needed: 3,
      waits: true,
      halted: ["b"],
      retired: [],
      boycotted: [],
      unreachable: [],
      suspended: [],
      beyond_share: [],
      never_attested: ["c"],
      not_connected: ["d"],
      behind: ["e"],
    });
  });
});
