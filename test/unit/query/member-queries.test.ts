import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  GetConsortiumRequestSchema,
  ListStorageNodesRequestSchema,
  MemberState,
} from "../../../src/gen/bss/v1/query_pb.js";
import { votesEvidence } from "../../../src/ledger/certificates/evidence.js";
import { rules } from "../../../src/ledger/records/rules.js";
import { getConsortium, listStorageNodes } from "../../../src/query/member-queries.js";
import { pageToken } from "../../../src/rpc/validation.js";
import { rpcErrorFrom } from "../../support/rpc-consortium.js";
import {
  consortiumId,
  floorPolicy,
  managerIds,
  policy,
  storageIds,
} from "../ledger/support/consortium.js";
import { admissionOf } from "../ledger/support/invitations.js";
import { accuse, approveOf, resume, suspend } from "../ledger/support/statements.js";
import { ChainWorld } from "../storage-node/support/chain-world.js";

const everything = create(GetConsortiumRequestSchema);
const nobody = { policy, isConnected: () => false };

const request = (init: MessageInitShape<typeof ListStorageNodesRequestSchema>) =>
  create(ListStorageNodesRequestSchema, init);

describe("GetConsortium", () => {
  test("names managers, policy, rules and every change of membership, oldest first", async () => {
    const world = await ChainWorld.open();
    await world.commit(world.ledger.extend());
    await world.commit(world.ledger.extend({ control: [admissionOf("storage-8")] }));
    const facts = { consortiumName: "test-grid", consortiumId, policy };
    const answer = await getConsortium(world.store, everything, facts);
    const managers = answer.managers ?? [];
    assert.deepEqual(
      managers.map(({ member }) => member?.managerId),
      managerIds,
    );
    assert.ok(managers.every(({ active }) => active));
    assert.deepEqual(answer.policy, policy);
    assert.deepEqual(
      answer.rules,
      rules.map(({ id }) => id),
    );
    const changes = (answer.history ?? []).map(({ height, operation }) => {
      const change = operation?.operation;
      if (change?.case === "admitStorageNode") return [Number(height), change.value.nodeId];
      if (change?.case === "registerOfficer") return [Number(height), change.value.officerId];
      return [];
    });
    const operators = managerIds.map((_, i) => [0, `operator-${i + 1}`]);
    const expected = [...storageIds.map((id) => [0, id]), ...operators, [2, "storage-8"]];
    assert.deepEqual(changes, expected);
  });
});

describe("GetConsortium's changes of membership", () => {
  test("come once each, in order, in pages of any size", async () => {
    const world = await ChainWorld.open();
    for (const ids of [["storage-6", "storage-7"], ["storage-8"]]) {
      await world.commit(world.ledger.extend({ control: ids.map((id) => admissionOf(id)) }));
    }
    const { store } = world;
    const facts = { consortiumName: "test-grid", consortiumId, policy };
    const { history: all = [], nextHistoryPageToken } = await getConsortium(
      ...[store, everything, facts],
    );
    assert.equal(nextHistoryPageToken, "");
    assert.equal(all.length, storageIds.length + managerIds.length + 3);
    for (const historyPageSize of [1, 2, 4, 1_000]) {
      const seen: unknown[] = [];
      let historyPageToken = "";
      do {
        const page = create(GetConsortiumRequestSchema, { historyPageSize, historyPageToken });
        const answer = await getConsortium(store, page, facts);
        assert.ok((answer.history ?? []).length <= historyPageSize);
        seen.push(...(answer.history ?? []));
        historyPageToken = answer.nextHistoryPageToken ?? "";
      } while (historyPageToken !== "");
      assert.deepEqual(seen, all);
    }
  });

  for (const [what, init, reason] of [
    ["pages of 1,001", { historyPageSize: 1_001 }, "FIELD_INVALID"],
    ["a token of blocks", { historyPageToken: pageToken("blocks", "3") }, "PAGE_TOKEN_INVALID"],
    [
      "a token of no place",
      { historyPageToken: pageToken("membership", "3,-1") },
      "PAGE_TOKEN_INVALID",
    ],
    [
      "a token of a height",
      { historyPageToken: pageToken("membership", "3") },
      "PAGE_TOKEN_INVALID",
    ],
  ] as const) {
    test(`refuse ${what}`, async () => {
      const { store } = await ChainWorld.open();
      const facts = { consortiumName: "test-grid", consortiumId, policy };
      const asked = create(GetConsortiumRequestSchema, init);
      assert.equal((await rpcErrorFrom(getConsortium(store, asked, facts))).reason, reason);
    });
  }
});

describe("GetConsortium tells", () => {
  test("who is suspended, why, since when and how often, and the operations that did it", async () => {
    const world = await ChainWorld.open("storage-1", floorPolicy);
    const offence = accuse(
      votesEvidence(
        approveOf({ managerId: "manager-3", block: "A" }),
        approveOf({ managerId: "manager-3", block: "B" }),
      ),
    );
    const operations = [suspend("manager-2"), resume("manager-2", 1, 1), offence];
    for (const operation of operations) {
      await world.commit(world.ledger.extend({ control: [operation] }));
    }
    const facts = { consortiumName: "test-grid", consortiumId, policy: floorPolicy };
    const { managers = [], history = [] } = await getConsortium(world.store, everything, facts);
    const timeOf = (height: number) => BigInt(world.ledger.at(height).parsed.timestampMs);
    assert.deepEqual(
      managers.map(({ member: _, ...standing }) => standing),
      [
        { active: true, reason: 0, ...changed(0n, 0n), absences: 0, offenceHeight: 0n },
        { active: true, reason: 0, ...changed(2n, timeOf(2)), absences: 1, offenceHeight: 0n },
        { active: false, reason: 2, ...changed(3n, timeOf(3)), absences: 0, offenceHeight: 3n },
        { active: true, reason: 0, ...changed(0n, 0n), absences: 0, offenceHeight: 0n },
      ],
    );
    const changes = history.filter(({ height = 0n }) => height > 0n);
    assert.deepEqual(
      changes.map(({ height }) => height),
      [1n, 2n, 3n],
    );
    assert.deepEqual(
      changes.map(({ operation }) => operation),
      operations,
    );
  });

  const changed = (changedHeight: bigint, changedAtUnixMs: bigint) => {
    return { changedHeight, changedAtUnixMs };
  };
});

describe("ListStorageNodes", () => {
  test("gives every node once, ascending, in pages of any size", async () => {
    const world = await ChainWorld.open();
    const { store } = world;
    for (const pageSize of [1, 2, 3, 4, 1_000]) {
      const seen: (string | undefined)[] = [];
      let token = "";
      do {
        const page = await listStorageNodes(store, request({ pageSize, pageToken: token }), {
          policy,
          isConnected: (id) => id === "storage-2",
        });
        for (const node of page.nodes ?? []) {
          seen.push(node.nodeId);
          assert.equal(node.state, MemberState.ACTIVE);
          assert.deepEqual([node.credit, node.eligible], [100, true]);
          assert.equal(node.connected, node.nodeId === "storage-2");
        }
        token = page.nextPageToken ?? "";
      } while (token !== "");
      assert.deepEqual(seen, storageIds);
    }
  });

  test("says when a node last attested, by the certificates that blocks carry", async () => {
    const world = await ChainWorld.open();
    for (let i = 0; i < 4; i++) await world.commit(world.ledger.extend());
    const { nodes } = await listStorageNodes(world.store, request({}), nobody);
    for (const { nodeId, lastAttestedHeight } of nodes ?? []) {
      const heights = [1, 2, 3].filter((height) =>
        world.ledger.at(height).committee.includes(nodeId ?? ""),
      );
      assert.equal(lastAttestedHeight, BigInt(heights.at(-1) ?? 0));
    }
  });

  test("tells what the answering node has heard of each", async () => {
    const { store } = await ChainWorld.open();
    const heardOf = (id: string) =>
      id === "storage-2" ? { height: 7, halted: "it forks" } : { height: 0, halted: undefined };
    const { nodes = [] } = await listStorageNodes(store, request({}), { ...nobody, heardOf });
    assert.deepEqual(
      nodes.slice(0, 2).map(({ height, halted }) => [height, halted]),
      [
        [0n, ""],
        [7n, "it forks"],
      ],
    );
  });

  test("ends a page before it is too long, whatever nodes say of themselves", async () => {
    const { store } = await ChainWorld.open();
    const halted = "é".repeat(600_000);
    const heardOf = () => ({ height: 7, halted });
    const seen: (string | undefined)[][] = [];
    let token = "";
    do {
      const asked = request({ pageToken: token });
      const page = await listStorageNodes(store, asked, { ...nobody, heardOf });
      seen.push((page.nodes ?? []).map(({ nodeId }) => nodeId));
      token = page.nextPageToken ?? "";
    } while (token !== "");
    assert.deepEqual(seen, [storageIds.slice(0, 3), storageIds.slice(3)]);
  });

  test("goes on after the last node of a page also when a node has joined before it", async () => {
    const world = await ChainWorld.open();
    const first = await listStorageNodes(world.store, request({ pageSize: 2 }), nobody);
    await world.commit(world.ledger.extend({ control: [admissionOf("storage-0")] }));
    const rest = await listStorageNodes(
      world.store,
      request({ pageToken: first.nextPageToken ?? "" }),
      nobody,
    );
    assert.deepEqual(
      rest.nodes?.map(({ nodeId }) => nodeId),
      ["storage-3", "storage-4"],
    );
  });

  for (const [what, init, reason] of [
    ["pages of 1,001", { pageSize: 1_001 }, "FIELD_INVALID"],
    ["a made-up token", { pageToken: "@" }, "PAGE_TOKEN_INVALID"],
    ["a token of blocks", { pageToken: pageToken("blocks", "3") }, "PAGE_TOKEN_INVALID"],
    [
      "a token without an id",
      { pageToken: pageToken("storage-nodes", "A b") },
      "PAGE_TOKEN_INVALID",
    ],
  ] as const) {
    test(`refuses ${what} with ${reason}`, async () => {
      const { store } = await ChainWorld.open();
      const error = await rpcErrorFrom(listStorageNodes(store, request(init), nobody));
      assert.equal(error.reason, reason);
    });
  }
});
