import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { concatBytes } from "../../../../src/base/bytes.js";
import {
  type ControlOperation,
  ControlOperationSchema,
  OfficerRole,
  PolicySchema,
} from "../../../../src/gen/bss/v1/genesis_pb.js";
import {
  MemberEntrySchema,
  MemberListSchema,
  SuspensionReason,
} from "../../../../src/gen/bss/v1/members_pb.js";
import {
  type Manager,
  officersMax,
  type StorageNode,
  storageNodesMax,
} from "../../../../src/ledger/members/member-lists.js";
import { Members } from "../../../../src/ledger/members/members.js";
import { merkleRoot } from "../../../../src/ledger/merkle/frontier.js";
import { creditAtAdmission } from "../../../../src/ledger/storage-nodes/credit.js";
import { bytesOf, managerOf, membersOf, policy, signerOf, storageNodeOf } from "../consortium.js";

const place = { policy, height: 5, timestampMs: 5_000 };

type AdmitInit = { nodeId?: string; signingKey?: Uint8Array; tlsSpkiSha256?: Uint8Array };

function admit(nodeId: string, sponsorId = "manager-1", keys: AdmitInit = {}): ControlOperation {
  const value = {
    nodeId,
    sponsorId,
    signingKey: signerOf(nodeId).publicKey,
    tlsSpkiSha256: bytesOf(`spki of ${nodeId}`),
    ...keys,
  };
  return create(ControlOperationSchema, { operation: { case: "admitStorageNode", value } });
}

function officer(
  officerId: string,
  role: OfficerRole = OfficerRole.OPERATOR,
  keys: AdmitInit = {},
) {
  const value = {
    officerId,
    role,
    signingKey: signerOf(officerId).publicKey,
    tlsSpkiSha256: bytesOf(`spki of ${officerId}`),
    managerId: role === OfficerRole.OPERATOR ? "manager-1" : "",
    ...keys,
  };
  return create(ControlOperationSchema, { operation: { case: "registerOfficer", value } });
}

function applied(members: Members, ...operations: ControlOperation[]): Members {
  const result = members.applyOperations(operations, place);
  assert.ok(result.ok, "the operations fit");
  return result.value;
}

describe("quorums", () => {
  for (const [managers, faultsMax, quorum] of [
    [1, 0, 1],
    [2, 0, 2],
    [3, 0, 3],
    [4, 1, 3],
    [5, 1, 4],
    [7, 2, 5],
    [100, 33, 67],
  ] as const) {
    test(`of ${managers} managers ${quorum} make a quorum and ${faultsMax} may fail`, () => {
      const members = membersOf({ managers, storage: 0 });
      assert.deepEqual([members.faultsMax, members.quorum], [faultsMax, quorum]);
      assert.ok(2 * quorum - managers >= faultsMax + 1, "two quorums share an honest manager");
    });
  }

  test("count suspended managers too", () => {
    const managers = ["a", "b", "c", "d"].map((id) => managerOf(id, id !== "b"));
    const members = new Members({ managers, storageNodes: [], officers: [] });
    assert.equal(members.quorum, 3);
    assert.deepEqual(members.activeManagerIds, ["a", "c", "d"]);
  });

  test("need an active manager", () => {
    const managers = [managerOf("a", false)];
    assert.throws(() => new Members({ managers, storageNodes: [], officers: [] }));
  });
});

describe("the turn", () => {
  test("goes round the active managers in ring order, by height plus round", () => {
    const managers = ["d", "b", "a", "c"].map((id) => managerOf(id, id !== "b"));
    const members = new Members({ managers, storageNodes: [], officers: [] });
    const turns = [0, 1, 2, 3, 4].map((round) => members.proposer(6, round));
    assert.deepEqual(turns, ["d", "a", "c", "d", "a"]);
    assert.equal(members.proposer(7, 0), "a");
  });

  test("is right where height plus round leaves the safe integers", () => {
    const members = membersOf({ managers: 4, storage: 0 });
    const height = Number.MAX_SAFE_INTEGER;
    const turn = Number((BigInt(height) + (2n ** 32n - 1n)) % 4n);
    assert.equal(members.proposer(height, 2 ** 32 - 1), `manager-${turn + 1}`);
  });
});

describe("eligible storage nodes", () => {
  const eligible = (nodes: readonly StorageNode[], managers = 4, boycottLine = 50) => {
    const ring = Array.from({ length: managers }, (_, i) => managerOf(`manager-${i + 1}`));
    const storageNodes = nodes.toSorted((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
    return new Members({ managers: ring, storageNodes, officers: [] }).eligibleStorageNodes(
      create(PolicySchema, { boycottLine }),
    );
  };

  test("are those not suspended and at or above the boycott line, by id", () => {
    const nodes = [
      storageNodeOf("d", "manager-1"),
      { ...storageNodeOf("c", "manager-2"), credit: 50 },
      { ...storageNodeOf("b", "manager-3"), credit: 49 },
      { ...storageNodeOf("a", "manager-4"), suspension: "unreachable" as const },
    ];
    assert.deepEqual(eligible(nodes), ["c", "d"]);
    assert.deepEqual(eligible(nodes, 4, 49), ["b", "c", "d"]);
    assert.deepEqual(eligible(nodes, 4, 101), []);
  });

  for (const [sponsored, managers, expected] of [
    ["1111", 4, "a"],
    ["1112", 4, "ad"],
    ["11112", 4, "abe"],
    ["1122333344", 4, "abcdefgij"],
    ["1111", 1, "abcd"],
    ["111", 2, "ab"],
  ] as const) {
    test(`sponsored by ${sponsored} among ${managers} are ${expected}`, () => {
      const ids = "abcdefghij";
      const nodes = [...sponsored].map((i, at) => storageNodeOf(ids[at] ?? "", `manager-${i}`));
      assert.equal(eligible(nodes, managers).join(""), expected);
    });
  }

  test("of a sponsor give way in the order of their ids, whatever the order of admission", () => {
    const ids = ["storage-3", "storage-1", "storage-2"];
    const members = applied(membersOf({ managers: 3, storage: 0 }), ...ids.map((id) => admit(id)));
    assert.deepEqual(members.eligibleStorageNodes(policy), ["storage-1"]);
  });

  test("that are suspended do not enlarge the sponsors' share", () => {
    const nodes = "abcdefgh".split("").map((id) => storageNodeOf(id, "manager-1"));
    const some = nodes.map((node, i) => ({
      ...node,
      suspension: i < 4 ? ("unreachable" as const) : undefined,
    }));
    assert.deepEqual(eligible(nodes), ["a", "b"]);
    assert.deepEqual(eligible(some), ["e"]);
  });
});

describe("operations", () => {
  const base = membersOf({ managers: 4, storage: 2 });

  test("admit storage nodes and register officers, and leave the old members as they were", () => {
    const before = base.encode();
    const operations = [officer("op"), admit("node"), officer("audit", OfficerRole.AUDITOR)];
    const after = applied(base, ...operations);
    assert.deepEqual(base.encode(), before);
    assert.equal(base.storageNode("node"), undefined);
    const { height, timestampMs } = place;
    assert.deepEqual(after.storageNode("node"), {
      ...storageNodeOf("node"),
      admittedHeight: height,
      changedHeight: height,
      changedAtMs: timestampMs,
    });
    assert.equal(after.storageNode("node")?.credit, creditAtAdmission);
    assert.deepEqual(
      after.storageNodes.map((each) => each.nodeId),
      ["node", "storage-1", "storage-2"],
    );
    assert.equal(after.officer("op")?.role, "operator");
    assert.equal(after.officer("audit")?.role, "auditor");
    assert.ok(after.hasId("op") && after.hasId("node") && after.hasId("manager-4"));
    assert.ok(!after.hasId("nobody"));
    for (const id of ["op", "node", "manager-4"]) assert.ok(after.hasKey(signerOf(id).publicKey));
    assert.ok(after.hasKey(managerOf("manager-4").vrfKey));
    assert.ok(after.hasKey(managerOf("manager-4").hpkeKey));
    assert.ok(!base.hasKey(signerOf("node").publicKey));
  });

  test("one by one or together make the same members", () => {
    const operations = [admit("y"), officer("op"), admit("x", "manager-2")];
    let members = base;
    for (const operation of operations) {
      const next = members.applyOperation(operation, place);
      assert.ok(next.ok);
      members = next.value;
    }
    assert.deepEqual(members.digest(), applied(base, ...operations).digest());
  });

  test("about participants and meters leave the members as they are", () => {
    const participant = create(ControlOperationSchema, {
      operation: {
        case: "registerParticipant",
        value: {
          participantId: "p",
          signingKey: signerOf("p").publicKey,
          tlsSpkiSha256: bytesOf("spki of p"),
        },
      },
    });
    const result = base.applyOperation(participant, place);
    assert.ok(result.ok && result.value === base);
    assert.equal(applied(base, participant), base);
  });

  const key = signerOf("storage-1").publicKey;
  const spki = bytesOf("spki of manager-2");
  const fresh = signerOf("fresh").publicKey;
  const refused: readonly [string, readonly ControlOperation[], string][] = [
    ["a node whose id a node has", [admit("storage-1")], "[0].admit_storage_node.node_id"],
    ["a node whose id a manager has", [admit("manager-3")], "[0].admit_storage_node.node_id"],
    [
      "a node admitted twice in one block",
      [admit("x"), admit("x")],
      "[1].admit_storage_node.node_id",
    ],
    ["an officer whose id a node has", [officer("storage-2")], "[0].register_officer.officer_id"],
    [
      "an officer registered twice",
      [officer("o"), officer("o")],
      "[1].register_officer.officer_id",
    ],
    ["an unknown sponsor", [admit("x", "manager-5")], "[0].admit_storage_node.sponsor_id"],
    [
      "another node's signing key",
      [admit("x", "manager-1", { signingKey: key })],
      "[0].admit_storage_node.signing_key",
    ],
    [
      "a manager's VRF key",
      [admit("x", "manager-1", { signingKey: managerOf("manager-1").vrfKey })],
      "[0].admit_storage_node.signing_key",
    ],
    [
      "a manager's SPKI",
      [admit("x", "manager-1", { tlsSpkiSha256: spki })],
      "[0].admit_storage_node.tls_spki_sha256",
    ],
    [
      "one key for both purposes",
      [officer("x", OfficerRole.AUDITOR, { signingKey: fresh, tlsSpkiSha256: fresh })],
      "[0].register_officer.tls_spki_sha256",
    ],
    [
      "the key of the operation before",
      [admit("x"), officer("y", OfficerRole.OPERATOR, { signingKey: signerOf("x").publicKey })],
      "[1].register_officer.signing_key",
    ],
    ["no operation", [create(ControlOperationSchema)], "[0].operation"],
  ];
  for (const [name, operations, path] of refused) {
    test(`with ${name} are refused`, () => {
      const result = base.applyOperations(operations, place);
      assert.ok(!result.ok);
      assert.deepEqual(
        [result.error.reason, result.error.field],
        ["OPERATION_INVALID", `control${path}`],
      );
    });
  }

  test("are refused one by one without the place in a block", () => {
    const result = base.applyOperation(admit("storage-1"), place);
    assert.ok(!result.ok);
    assert.equal(result.error.field, "admit_storage_node.node_id");
  });

  test("admit no more storage nodes than there may be", () => {
    const storageNodes = Array.from({ length: storageNodesMax }, (_, i) => {
      const node = storageNodeOf("x", "m");
      return { ...node, nodeId: `n-${String(i).padStart(5, "0")}` };
    });
    const full = new Members({ managers: [managerOf("m")], storageNodes, officers: [] });
    const result = full.applyOperation(admit("y", "m"), place);
    assert.ok(!result.ok);
    assert.match(result.error.message, /10000 storage nodes/);
    const { managers, officers } = full;
    const oneLess = new Members({ managers, storageNodes: storageNodes.slice(1), officers });
    assert.ok(oneLess.applyOperation(admit("y", "m"), place).ok);
  });

  test("register no more officers than there may be", () => {
    const officers = Array.from({ length: officersMax }, (_, i) => {
      const { signingKey, tlsSpkiSha256 } = storageNodeOf("x");
      const officerId = `o-${String(i).padStart(4, "0")}`;
      return { officerId, role: "auditor" as const, signingKey, tlsSpkiSha256, managerId: "" };
    });
    const full = new Members({ managers: [managerOf("m")], storageNodes: [], officers });
    const result = full.applyOperation(officer("y"), place);
    assert.ok(!result.ok);
    assert.match(result.error.message, /1000 officers/);
    const { managers, storageNodes } = full;
    const oneLess = new Members({ managers, storageNodes, officers: officers.slice(1) });
    assert.ok(oneLess.applyOperation(officer("y"), place).ok);
  });
});

describe("members_digest", () => {
  const members = applied(membersOf({ managers: 2, storage: 1 }), officer("op"));

  test("is the RFC 9162 root over the entries: managers, storage nodes, officers", () => {
    const key = (id: string) => {
      return { signingKey: signerOf(id).publicKey, tlsSpkiSha256: bytesOf(`spki of ${id}`) };
    };
    const ring = ["manager-1", "manager-2"].map((id) => {
      const { active: _, ...member } = managerOf(id);
      return create(MemberEntrySchema, { entry: { case: "manager", value: { member } } });
    });
    const admission = { nodeId: "storage-1", ...key("storage-1"), sponsorId: "manager-1" };
    const node = create(MemberEntrySchema, {
      entry: { case: "storageNode", value: { admission, credit: 100 } },
    });
    const registration = {
      officerId: "op",
      ...key("op"),
      role: OfficerRole.OPERATOR,
      managerId: "manager-1",
    };
    const last = create(MemberEntrySchema, {
      entry: { case: "officer", value: { registration } },
    });
    const entries = [...ring, node, last].map((each) => toBinary(MemberEntrySchema, each));
    assert.deepEqual(members.digest(), merkleRoot(entries));
    assert.deepEqual(
      members.encode(),
      toBinary(MemberListSchema, create(MemberListSchema, { entries })),
    );
  });

  test("covers every field of every member", () => {
    const { managers, storageNodes, officers } = members;
    const [m1, m2] = managers;
    const [node] = storageNodes;
    const [op] = officers;
    assert.ok(m1 && m2 && node && op);
    const other = bytesOf("other");
    const variants: readonly Partial<Members>[] = [
      { managers: [m2, m1] },
      ...Object.entries({
        managerId: "manager-0",
        signingKey: other,
        vrfKey: other,
        hpkeKey: other,
        tlsSpkiSha256: other,
        address: "other:1",
        active: false,
        reason: "absent" as const,
        changedHeight: 1,
        changedAtMs: 1,
        absences: 1,
        offenceHeight: 1,
      }).map(([name, value]) => ({ managers: [{ ...m1, [name]: value }, m2] })),
      ...Object.entries({
        nodeId: "storage-0",
        signingKey: other,
        tlsSpkiSha256: other,
        sponsorId: "manager-2",
        suspension: "unreachable" as const,
        credit: 99,
        reward: 1n,
        paid: 1n,
        admittedHeight: 1,
        changedHeight: 1,
        changedAtMs: 1,
        absences: 1,
        lastAttestedHeight: 1,
        auditFailed: true,
        rewardedKibSeconds: 1n,
      }).map(([name, value]) => ({ storageNodes: [{ ...node, [name]: value }] })),
      ...Object.entries({
        officerId: "op-2",
        managerId: "manager-9",
        role: "auditor" as const,
        signingKey: other,
        tlsSpkiSha256: other,
      }).map(([name, value]) => ({ officers: [{ ...op, [name]: value }] })),
    ];
    const digests = variants.map((variant) => {
      const lists = { managers, storageNodes, officers, ...variant };
      return Buffer.from(new Members(lists).digest()).toString("hex");
    });
    const own = Buffer.from(members.digest()).toString("hex");
    assert.equal(new Set([...digests, own]).size, variants.length + 1);
  });
});

describe("the blob of members", () => {
  const suspended = { ...managerOf("manager-2", false), changedHeight: 3, changedAtMs: 4_000 };
  const offender: Manager = {
    ...managerOf("manager-3", false),
    reason: "equivocated",
    absences: 5,
    offenceHeight: 6,
  };
  const members = applied(
    new Members({
      managers: [managerOf("manager-1"), suspended, offender],
      storageNodes: [
        {
          ...storageNodeOf("s"),
          suspension: "boycotted" as const,
          credit: 7,
          reward: 2n ** 60n,
          paid: 5n,
        },
      ],
      officers: [],
    }),
    officer("a-officer", OfficerRole.AUDITOR),
    officer("b-officer"),
  );

  test("is read back as it was", () => {
    const read = Members.decode(members.encode());
    assert.ok(read !== undefined);
    for (const list of ["managers", "storageNodes", "officers"] as const) {
      assert.deepEqual(read[list], members[list]);
    }
    assert.deepEqual(read.digest(), members.digest());
    assert.deepEqual(read.activeManagerIds, ["manager-1"]);
  });

  const entriesOf = (...entries: Parameters<typeof create<typeof MemberEntrySchema>>[1][]) =>
    toBinary(
      MemberListSchema,
      create(MemberListSchema, {
        entries: entries.map((entry) =>
          toBinary(MemberEntrySchema, create(MemberEntrySchema, entry)),
        ),
      }),
    );
  const { active: _, ...member } = managerOf("m");
  const manager = { entry: { case: "manager", value: { member } } } as const;
  const reason = SuspensionReason.ABSENT;
  const other = (standing: object) => {
    const value = { member: { ...member, managerId: "other" }, ...standing };
    return { entry: { case: "manager", value } } as const;
  };
  const node = (nodeId: string) =>
    ({ entry: { case: "storageNode", value: { admission: { nodeId } } } }) as const;
  const anOfficer = (officerId: string, role: OfficerRole = OfficerRole.AUDITOR) =>
    ({ entry: { case: "officer", value: { registration: { officerId, role } } } }) as const;

  const wrong: Record<string, Uint8Array> = {
    "an empty one": new Uint8Array(),
    "one that is cut off": members.encode().subarray(0, -1),
    "one with bytes after it": concatBytes(members.encode(), new Uint8Array([0])),
    "one without an active manager": entriesOf({
      entry: { case: "manager", value: { member, suspended: true, reason } },
    }),
    "a manager that is suspended without a reason": entriesOf(manager, other({ suspended: true })),
    "a manager that is active with a reason": entriesOf(manager, other({ reason })),
    "a manager that is suspended for who knows what": entriesOf(
      manager,
      other({ suspended: true, reason: 9 }),
    ),
    "a manager with a height beyond all": entriesOf(manager, other({ offenceHeight: 2n ** 60n })),
    "an entry of nothing": entriesOf(manager, {}),
    "a manager after a node": entriesOf(node("a"), manager),
    "a manager twice": entriesOf(manager, manager),
    "a manager of nothing": entriesOf({ entry: { case: "manager", value: {} } }),
    "nodes in the wrong order": entriesOf(manager, node("b"), node("a")),
    "a node twice": entriesOf(manager, node("a"), node("a")),
    "a node after an officer": entriesOf(manager, anOfficer("o"), node("a")),
    "a node of nothing": entriesOf(manager, { entry: { case: "storageNode", value: {} } }),
    "officers in the wrong order": entriesOf(manager, anOfficer("b"), anOfficer("a")),
    "an officer without a role": entriesOf(manager, anOfficer("o", OfficerRole.UNSPECIFIED)),
    "an officer of nothing": entriesOf(manager, { entry: { case: "officer", value: {} } }),
  };
  for (const [name, bytes] of Object.entries(wrong)) {
    test(`is not ${name}`, () => assert.equal(Members.decode(bytes), undefined));
  }
  test("is what these mistakes start from", () => {
    assert.ok(Members.decode(entriesOf(manager, node("a"), node("b"), anOfficer("a"))));
    assert.ok(Members.decode(entriesOf(manager, other({ suspended: true, reason }))));
  });
});
