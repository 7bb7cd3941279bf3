import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { HeadStateSchema } from "../../../../src/gen/bss/store/v1/head_pb.js";
import {
  type ControlOperation,
  ControlOperationSchema,
  OfficerRole,
} from "../../../../src/gen/bss/v1/genesis_pb.js";
import { BlockExecution } from "../../../../src/ledger/blocks/execution.js";
import { decodeHead, encodeHead, genesisHead } from "../../../../src/ledger/state/head.js";
import { stateDigest } from "../../../../src/ledger/state/state.js";
import { readKeysOfOperation } from "../../../../src/ledger/state/state-operations.js";
import { Chain } from "../support/chain.js";
import { consortiumId, genesis, policy } from "../support/consortium.js";
import { documentBytes, publicKeyOf, readingBytes, seedOf, submitted } from "../support/records.js";

type Operation = ControlOperation["operation"];

const keys = (id: string) => ({
  signingKey: publicKeyOf(id),
  tlsSpkiSha256: seedOf(`tls of ${id}`),
});

const operation = (value: Operation) => create(ControlOperationSchema, { operation: value });

const participant = (participantId: string, agentIds: string[] = []) =>
  create(ControlOperationSchema, {
    operation: {
      case: "registerParticipant",
      value: { participantId, agentIds, ...keys(participantId) },
    },
  });

const meter = (meterId: string, ownerId: string, intervalS = 900) =>
  create(ControlOperationSchema, {
    operation: {
      case: "registerMeter",
      value: { meterId, ownerId, ratedPowerW: 5_000n, intervalS },
    },
  });

const storageNode = (nodeId: string, sponsorId = "manager-1") =>
  create(ControlOperationSchema, {
    operation: { case: "admitStorageNode", value: { nodeId, sponsorId, ...keys(nodeId) } },
  });

const officer = (officerId: string) =>
  create(ControlOperationSchema, {
    operation: {
      case: "registerOfficer",
      value: { officerId, role: OfficerRole.AUDITOR, ...keys(officerId) },
    },
  });

function execution(chain = new Chain(), operations: readonly ControlOperation[] = []) {
  return new BlockExecution({
    state: chain.prefetched(operations.flatMap(readKeysOfOperation)),
    policy,
    members: chain.head.members,
    height: 1,
    timestampMs: 1,
    firstPosition: 0,
  });
}

/** Tries the operations in order and returns the last one's violation. */
function outcome(...operations: ControlOperation[]) {
  const run = execution(new Chain(), operations);
  for (const each of operations.slice(0, -1)) assert.equal(run.tryOperation(each), undefined);
  const before = run.writes();
  const violation = operations.at(-1) && run.tryOperation(operations.at(-1) as ControlOperation);
  if (violation !== undefined) {
    assert.match(violation.reason, /^(OPERATION_INVALID|MEMBER_ID_TAKEN)$/);
    assert.deepEqual(run.writes(), before, "a refused operation has no effect");
  }
  return violation?.field;
}

describe("a control operation", () => {
  test("registers participants and meters, meters of new participants too", () => {
    assert.equal(outcome(participant("new", ["participant-1"])), undefined);
    assert.equal(outcome(meter("meter-9", "participant-1")), undefined);
    assert.equal(outcome(participant("new"), meter("meter-9", "new")), undefined);
    assert.equal(outcome(meter("541448820070000000", "participant-1")), undefined);
    const capitals = meter("DE*ABC*E1", "participant-1");
    const run = execution(new Chain(), [capitals, meter("Meter-1", "participant-1")]);
    assert.equal(run.tryOperation(capitals), undefined);
    assert.equal(run.tables.meters.get("de*abc*e1")?.spelling, "DE*ABC*E1");
    assert.equal(run.tables.meters.get("Meter-1")?.spelling, "");
  });

  test("admits storage nodes and officers", () => {
    const run = execution(new Chain(), [storageNode("storage-9"), officer("auditor-1")]);
    assert.equal(run.members(), genesis.members);
    assert.equal(run.tryOperation(storageNode("storage-9")), undefined);
    assert.equal(run.tryOperation(officer("auditor-1")), undefined);
    assert.equal(run.members().storageNode("storage-9")?.credit, 100);
    assert.equal(run.members().officer("auditor-1")?.role, "auditor");
    assert.deepEqual(run.writes(), []);
  });

  const refused: readonly (readonly [string, readonly ControlOperation[], string])[] = [
    ["a participant again", [participant("participant-1")], "register_participant.participant_id"],
    [
      "a participant twice",
      [participant("new"), participant("new")],
      "register_participant.participant_id",
    ],
    [
      "a participant with a manager's id",
      [participant("manager-1")],
      "register_participant.participant_id",
    ],
    [
      "a participant with a storage node's id",
      [participant("storage-1")],
      "register_participant.participant_id",
    ],
    [
      "a participant with the id of a node admitted before it in the block",
      [storageNode("storage-9"), participant("storage-9")],
      "register_participant.participant_id",
    ],
    [
      "a participant with an officer's new id",
      [officer("new"), participant("new")],
      "register_participant.participant_id",
    ],
    [
      "a participant that is its own agent",
      [participant("new", ["new"])],
      "register_participant.agent_ids[0]",
    ],
    ["a meter again", [meter("meter-1", "participant-1")], "register_meter.meter_id"],
    ["a meter of nobody", [meter("meter-9", "stranger")], "register_meter.owner_id"],
    [
      "a meter with an interval of 7 s",
      [meter("meter-9", "participant-1", 7)],
      "register_meter.interval_s",
    ],
    [
      "a storage node with a participant's id",
      [storageNode("participant-1")],
      "admit_storage_node.node_id",
    ],
    [
      "a storage node of nobody",
      [storageNode("storage-9", "manager-9")],
      "admit_storage_node.sponsor_id",
    ],
    ["a storage node again", [storageNode("storage-1")], "admit_storage_node.node_id"],
    ["an officer with a participant's id", [officer("head-end")], "register_officer.officer_id"],
    ["a meter whose id is a path", [meter("../m", "participant-1")], "register_meter.meter_id"],
    [
      "a meter that differs from another only in case",
      [meter("Meter-1", "participant-2")],
      "register_meter.meter_id",
    ],
    [
      "a meter that differs only in case from one of the same block",
      [meter("DE*ABC*E1", "participant-1"), meter("de*ABC*e1", "participant-2")],
      "register_meter.meter_id",
    ],
    ["nothing", [operation({ case: undefined })], "operation"],
  ];
  for (const [what, operations, field] of refused) {
    test(`is refused that registers ${what}`, () => {
      assert.equal(outcome(...operations), field);
    });
  }
});

describe("a block's control operations", () => {
  test("come before its records, so both may be new", () => {
    const chain = new Chain();
    const reading = readingBytes({ owner: "new", meter: "meter-9", exported: 1_000 });
    chain.extend({
      control: [participant("new"), meter("meter-9", "new"), storageNode("storage-9")],
      candidates: [submitted([reading], "new")],
    });
    const state = chain.tables();
    assert.equal(state.participants.get("new")?.height, 1n);
    assert.equal(state.meters.get("meter-9")?.ratedPowerW, 5_000n);
    chain.extend({ candidates: [submitted([documentBytes({}, { ownerId: "new" })], "new")] });
  });

  test("change members for the next block, not for the certificates of their own", () => {
    const chain = new Chain();
    chain.extend({
      control: [storageNode("storage-9")],
      candidates: [submitted([documentBytes()])],
    });
    const { facts, electorate, members } = chain.head;
    assert.deepEqual(facts?.eligible, genesis.members.eligibleStorageNodes(policy));
    assert.equal(electorate, genesis.members);
    assert.ok(members.storageNode("storage-9"));
    chain.extend({ candidates: [submitted([documentBytes()])] });
    assert.equal(chain.head.electorate, members);
  });

  test("are left out and reported when they do not fit", () => {
    const chain = new Chain();
    const control = [participant("participant-1"), participant("new"), participant("new")];
    const built = chain.propose({ control });
    assert.equal(built.block.block?.control.length, 1);
    assert.deepEqual(
      built.refusedOperations.map((each) => each.operation),
      [control[0], control[2]],
    );
    assert.ok(chain.judge(built.block).ok);
  });
});

describe("a block has no room for", () => {
  test("an operation with unknown fields, which nobody else would read", () => {
    const chain = new Chain();
    const hidden = { no: 9, wireType: 2, data: Uint8Array.of(1, 0) };
    const control = [{ ...participant("new"), $unknown: [hidden] }];
    const built = chain.propose({ control });
    assert.equal(built.refusedOperations[0]?.violation.reason, "OPERATION_INVALID");
    assert.deepEqual(built.block.block?.control, []);
  });

  test("more than a thousand operations: the rest waits", () => {
    const chain = new Chain();
    const meters = Array.from({ length: 1_001 }, (_, i) =>
      meter(`meter-new-${i}`, "participant-1"),
    );
    const built = chain.propose({ control: meters });
    assert.equal(built.block.block?.control.length, 1_000);
    assert.deepEqual(built.refusedOperations, []);
    assert.ok(chain.judge(built.block).ok);
  });
});

describe("the head", () => {
  test("of genesis has an empty log, and a state that starts from the consortium id", () => {
    const { head, stateWrites } = genesisHead(genesis);
    assert.equal(head.height, 0);
    assert.deepEqual(head.blockId, consortiumId);
    assert.equal(head.frontier.size, 0);
    assert.equal(head.facts, undefined);
    // Five participants with their number, four meters.
    assert.equal(stateWrites.length, 10);
    assert.deepEqual(head.stateDigest, stateDigest(consortiumId, stateWrites));
  });

  test("is the same after a way through bytes, at every height", () => {
    const chain = new Chain();
    const steps = [
      {},
      { control: [storageNode("storage-9"), officer("auditor-1")] },
      { candidates: [submitted([documentBytes(), documentBytes()])], createdRound: 2 },
      {},
    ];
    for (const step of steps) {
      const bytes = encodeHead(chain.head);
      const decoded = decodeHead(bytes);
      assert.ok(decoded);
      assert.deepEqual(encodeHead(decoded), bytes);
      const { members, electorate, ...rest } = chain.head;
      const { members: decodedMembers, electorate: decodedElectorate, ...decodedRest } = decoded;
      assert.deepEqual(decodedRest, rest);
      assert.deepEqual(decodedMembers.digest(), members.digest());
      assert.deepEqual(decodedElectorate.digest(), electorate.digest());
      chain.head = decoded;
      chain.extend(step);
    }
  });

  test("is not read from anything else", () => {
    const chain = new Chain();
    chain.extend();
    const bytes = encodeHead(chain.head);
    const right = fromBinary(HeadStateSchema, bytes);
    const changed = (change: Partial<typeof right>) =>
      toBinary(HeadStateSchema, { ...right, ...change });
    assert.ok(decodeHead(changed({})));
    for (const wrong of [
      changed({ height: 2n ** 53n }),
      changed({ frontier: new Uint8Array(7) }),
      changed({ members: Uint8Array.of(1) }),
      changed({ electorate: Uint8Array.of(1) }),
      new Uint8Array(),
      Uint8Array.of(1),
      bytes.subarray(0, bytes.length - 1),
      Uint8Array.of(...bytes, 0),
      encodeHead({ ...chain.head, height: 0 }),
      encodeHead({ ...genesisHead(genesis).head, height: 1 }),
      encodeHead({ ...chain.head, timestampMs: -1 }),
    ]) {
      assert.equal(decodeHead(wrong), undefined);
    }
  });
});
