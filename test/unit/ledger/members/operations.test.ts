import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { ControlOperationSchema, OfficerRole } from "../../../../src/gen/bss/v1/genesis_pb.js";
import { carriesAuthority, checkOperation } from "../../../../src/ledger/members/operations.js";
import { agentsMax, ratedPowerMaxW } from "../../../../src/ledger/members/registrations.js";
import { bytesOf, policy, signerOf } from "../consortium.js";

type Operation = NonNullable<MessageInitShape<typeof ControlOperationSchema>["operation"]>;

const keys = { signingKey: signerOf("x").publicKey, tlsSpkiSha256: bytesOf("spki of x") };
/** y = 1: the neutral element, under which a forged signature would hold. */
const smallOrderKey = new Uint8Array(32).with(0, 1);

const right = {
  admitStorageNode: { nodeId: "storage-1", sponsorId: "manager-1", ...keys },
  registerParticipant: { participantId: "p", agentIds: ["utility", "other"], ...keys },
  registerMeter: { meterId: "m", ownerId: "p", ratedPowerW: 25_000n, intervalS: 900 },
  registerOfficer: { officerId: "o", role: OfficerRole.AUDITOR, ...keys },
  suspendManager: { managerId: "manager-1" },
  resumeManager: {
    managerId: "manager-1",
    suspendedHeight: 7n,
    heldHeight: 7n,
    signature: new Uint8Array(64),
  },
};
type Kind = keyof typeof right;

function check(kind: Kind, changes: object) {
  const operation = { case: kind, value: { ...right[kind], ...changes } } as Operation;
  return checkOperation(create(ControlOperationSchema, { operation }), policy);
}

describe("a control operation", () => {
  for (const kind of Object.keys(right) as Kind[]) {
    test(`${kind} of the right shape is fine`, () => assert.equal(check(kind, {}), undefined));
  }

  const fine: readonly [Kind, object][] = [
    ["registerParticipant", { agentIds: [] }],
    [
      "registerParticipant",
      { agentIds: Array.from({ length: agentsMax }, (_, i) => `agent-${i}`) },
    ],
    ["registerMeter", { intervalS: 3600, ratedPowerW: BigInt(ratedPowerMaxW) }],
    ["registerMeter", { intervalS: 1, ratedPowerW: 1n }],
    ["registerOfficer", { role: OfficerRole.OPERATOR, managerId: "manager-1" }],
  ];
  for (const [kind, changes] of fine) {
    test(`${kind} at a limit is fine: ${Object.keys(changes).join(", ")}`, () => {
      assert.equal(check(kind, changes), undefined);
    });
  }

  const wrong: readonly [Kind, object, string][] = [
    ["admitStorageNode", { nodeId: "" }, "admit_storage_node.node_id"],
    ["admitStorageNode", { sponsorId: "Manager" }, "admit_storage_node.sponsor_id"],
    ["admitStorageNode", { signingKey: new Uint8Array(31) }, "admit_storage_node.signing_key"],
    ["admitStorageNode", { signingKey: smallOrderKey }, "admit_storage_node.signing_key"],
    ["admitStorageNode", { tlsSpkiSha256: new Uint8Array() }, "admit_storage_node.tls_spki_sha256"],
    ["registerParticipant", { participantId: "a b" }, "register_participant.participant_id"],
    ["registerParticipant", { agentIds: ["A"] }, "register_participant.agent_ids[0]"],
    ["registerParticipant", { agentIds: ["a", "a"] }, "register_participant.agent_ids[1]"],
    ["registerParticipant", { agentIds: ["a", "p"] }, "register_participant.agent_ids[1]"],
    [
      "registerParticipant",
      { agentIds: Array.from({ length: agentsMax + 1 }, (_, i) => `agent-${i}`) },
      "register_participant.agent_ids",
    ],
    [
      "registerParticipant",
      { signingKey: new Uint8Array(32).fill(255) },
      "register_participant.signing_key",
    ],
    ["registerMeter", { meterId: "ä" }, "register_meter.meter_id"],
    ["registerMeter", { ownerId: "" }, "register_meter.owner_id"],
    ["registerMeter", { ratedPowerW: 0n }, "register_meter.rated_power_w"],
    ["registerMeter", { ratedPowerW: BigInt(ratedPowerMaxW) + 1n }, "register_meter.rated_power_w"],
    ["registerMeter", { intervalS: 0 }, "register_meter.interval_s"],
    ["registerMeter", { intervalS: 7 }, "register_meter.interval_s"],
    ["registerMeter", { intervalS: 7200 }, "register_meter.interval_s"],
    ["registerOfficer", { officerId: "." }, "register_officer.officer_id"],
    ["registerOfficer", { role: OfficerRole.UNSPECIFIED }, "register_officer.role"],
    ["registerOfficer", { role: 7 }, "register_officer.role"],
    ["registerOfficer", { role: OfficerRole.OPERATOR }, "register_officer.manager_id"],
    ["registerOfficer", { managerId: "manager-1" }, "register_officer.manager_id"],
    ["suspendManager", { managerId: "Manager" }, "suspend_manager.manager_id"],
    ["resumeManager", { managerId: "" }, "resume_manager.manager_id"],
    ["resumeManager", { suspendedHeight: 0n }, "resume_manager.suspended_height"],
    ["resumeManager", { suspendedHeight: 2n ** 53n }, "resume_manager.suspended_height"],
    ["resumeManager", { heldHeight: 6n }, "resume_manager.held_height"],
    ["resumeManager", { heldHeight: 2n ** 53n }, "resume_manager.held_height"],
    ["resumeManager", { signature: new Uint8Array(63) }, "resume_manager.signature"],
    ["registerOfficer", { tlsSpkiSha256: new Uint8Array(33) }, "register_officer.tls_spki_sha256"],
  ];
  for (const [kind, changes, field] of wrong) {
    test(`${kind} with a wrong ${field} is refused: ${Object.keys(changes)}`, () => {
      const found = check(kind, changes);
      assert.deepEqual([found?.reason, found?.field], ["OPERATION_INVALID", field]);
    });
  }

  test("carries its authority if it is signed by whom it concerns, or claims what all can see", () => {
    const kinds = [...Object.keys(right), "evidence"] as (Kind | "evidence")[];
    const carrying = kinds.filter((kind) => {
      const operation = { case: kind, value: {} } as Operation;
      return carriesAuthority(create(ControlOperationSchema, { operation }));
    });
    assert.deepEqual(carrying, ["suspendManager", "resumeManager", "evidence"]);
    assert.ok(!carriesAuthority(create(ControlOperationSchema)));
  });

  test("of nothing is refused", () => {
    const found = checkOperation(create(ControlOperationSchema), policy);
    assert.deepEqual([found?.reason, found?.field], ["OPERATION_INVALID", "operation"]);
  });
});
