import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { create, type JsonObject, type MessageInitShape, toJson } from "@bufbuild/protobuf";
import { utf8 } from "../../../src/base/bytes.js";
import {
  type ControlOperationSchema,
  GenesisSchema,
  OfficerRole,
  SuspensionMode,
} from "../../../src/gen/bss/v1/genesis_pb.js";
import { genesisBytesMax, parseGenesis } from "../../../src/ledger/genesis.js";
import { blockBytesBound, recordBytesBound } from "../../../src/ledger/message-sizes.js";
import { bytesOf, managerOf, policy, signerOf } from "./consortium.js";

type Operation = MessageInitShape<typeof ControlOperationSchema>;

const keysOf = (id: string) => {
  return { signingKey: signerOf(id).publicKey, tlsSpkiSha256: bytesOf(`spki of ${id}`) };
};
const node = (nodeId: string, changes = {}): Operation => {
  const value = { nodeId, sponsorId: "manager-1", ...keysOf(nodeId), ...changes };
  return { operation: { case: "admitStorageNode", value } };
};
const participant = (participantId: string, changes = {}): Operation => {
  const value = { participantId, ...keysOf(participantId), ...changes };
  return { operation: { case: "registerParticipant", value } };
};
const meter = (meterId: string, ownerId: string, changes = {}): Operation => {
  const value = { meterId, ownerId, ratedPowerW: 25_000n, intervalS: 3_600, ...changes };
  return { operation: { case: "registerMeter", value } };
};
const officer = (officerId: string, changes = {}): Operation => {
  const value = { officerId, role: OfficerRole.AUDITOR, ...keysOf(officerId), ...changes };
  return { operation: { case: "registerOfficer", value } };
};
const operations = [
  ...[participant("p-1"), node("storage-1"), meter("m-1", "p-1"), participant("p-2")],
  ...[officer("auditor-1"), meter("m-2", "p-1"), node("storage-2")],
  officer("operator-1", { role: OfficerRole.OPERATOR, managerId: "manager-1" }),
];
const pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

function member(id: string, changes = {}) {
  const { active: _, ...fields } = managerOf(id);
  return { ...fields, ...changes };
}

function jsonOf(changes: MessageInitShape<typeof GenesisSchema> = {}): JsonObject {
  const genesis = create(GenesisSchema, {
    consortiumName: "demo",
    timeUnixMs: 1_700_000_000_000n,
    managers: [member("manager-1"), member("manager-2")],
    policy,
    epochCommitment: bytesOf("epoch key"),
    beacon: new Uint8Array(64).fill(7),
    operations,
    caCertificatesPem: [pem, pem],
    ...changes,
  });
  return toJson(GenesisSchema, genesis) as JsonObject;
}

function fileOf(changes: MessageInitShape<typeof GenesisSchema> = {}): Uint8Array {
  return utf8(JSON.stringify(jsonOf(changes), null, 2));
}

function refusalOf(file: Uint8Array) {
  const result = parseGenesis(file);
  assert.ok(!result.ok, "refused");
  return [result.error.reason, result.error.field];
}

describe("a genesis file", () => {
  test("gives everything to start from", () => {
    const file = fileOf();
    const result = parseGenesis(file);
    assert.ok(result.ok);
    const state = result.value;
    assert.deepEqual(
      state.consortiumId,
      new Uint8Array(createHash("sha256").update(file).digest()),
    );
    assert.equal(state.name, "demo");
    assert.equal(state.timestampMs, 1_700_000_000_000);
    assert.deepEqual(state.beacon, new Uint8Array(64).fill(7));
    assert.deepEqual(state.epochCommitment, bytesOf("epoch key"));
    assert.deepEqual(state.policy, policy);
    assert.deepEqual(state.members.activeManagerIds, ["manager-1", "manager-2"]);
    assert.deepEqual(
      state.members.storageNodes.map((each) => each.nodeId),
      ["storage-1", "storage-2"],
    );
    assert.equal(state.members.officer("auditor-1")?.role, "auditor");
    assert.deepEqual(
      state.operations.map((each) => each.operation.case),
      ["registerParticipant", "registerMeter", "registerParticipant", "registerMeter"],
    );
    assert.equal(state.genesis.caCertificatesPem.length, 2);
  });

  test("belongs to another consortium once a space in it changes", () => {
    const spaced = parseGenesis(utf8(JSON.stringify(jsonOf(), null, 1)));
    const plain = parseGenesis(fileOf());
    assert.ok(spaced.ok && plain.ok);
    assert.notDeepEqual(spaced.value.consortiumId, plain.value.consortiumId);
    assert.deepEqual(spaced.value.members.digest(), plain.value.members.digest());
  });

  test("keeps the managers in the ring order of the file", () => {
    const managers = ["c", "a", "b"].map((id) => member(id));
    const result = parseGenesis(fileOf({ managers, operations: [] }));
    assert.ok(result.ok);
    assert.deepEqual(result.value.members.activeManagerIds, ["c", "a", "b"]);
  });

  test("may start without storage nodes, participants and authorities", () => {
    assert.ok(parseGenesis(fileOf({ operations: [], caCertificatesPem: [] })).ok);
  });

  const files: Record<string, Uint8Array> = {
    "not UTF-8": new Uint8Array([0x22, 0xff, 0x22]),
    "not JSON": utf8("{"),
    "no object": utf8("[]"),
    empty: utf8(""),
    "with an unknown field": utf8(JSON.stringify({ ...jsonOf(), surprise: 1 })),
    "of a wrong type": utf8(JSON.stringify({ ...jsonOf(), managers: 1 })),
    "with a number that is none": utf8(JSON.stringify({ ...jsonOf(), timeUnixMs: "soon" })),
    "too long": new Uint8Array(genesisBytesMax + 1),
  };
  for (const [name, file] of Object.entries(files)) {
    test(`that is ${name} is refused`, () => {
      assert.deepEqual(refusalOf(file), ["GENESIS_INVALID", undefined]);
    });
  }

  test("that is too long is not decoded", () => {
    const result = parseGenesis(new Uint8Array(genesisBytesMax + 1));
    assert.ok(!result.ok);
    assert.match(result.error.message, /more than \d+ bytes/);
  });

  for (const count of [1, 100]) {
    test(`with ${count} managers is fine`, () => {
      const managers = Array.from({ length: count }, (_, i) => member(`manager-${i + 1}`));
      const result = parseGenesis(fileOf({ managers }));
      assert.ok(result.ok);
      assert.equal(result.value.members.managers.length, count);
    });
  }

  const short = new Uint8Array(31);
  const smallOrderKey = new Uint8Array(32).with(0, 1);
  const zeroKey = new Uint8Array(32);
  const [m1, m2] = [member("manager-1"), member("manager-2")];
  const withManager = (changes: object) => ({ managers: [m1, { ...m2, ...changes }] });
  const crowd = Array.from({ length: 101 }, () => m1);
  const wrong: readonly [string, MessageInitShape<typeof GenesisSchema>, string][] = [
    ["no name", { consortiumName: "" }, "consortium_name"],
    ["a name with a slash", { consortiumName: "a/b" }, "consortium_name"],
    ["no time", { timeUnixMs: 0n }, "time_unix_ms"],
    ["a time beyond 2^53", { timeUnixMs: 2n ** 53n }, "time_unix_ms"],
    ["no policy", { policy: undefined as never }, "policy"],
    ["a short beacon", { beacon: short }, "beacon"],
    ["a short commitment", { epochCommitment: short }, "epoch_commitment"],
    ["no managers", { managers: [] }, "managers"],
    ["too many managers", { managers: crowd }, "managers"],
    ["a manager without an id", withManager({ managerId: "" }), "managers[1].manager_id"],
    ["a manager's id twice", withManager({ managerId: "manager-1" }), "managers[1].manager_id"],
    ["a short signing key", withManager({ signingKey: short }), "managers[1].signing_key"],
    ["a weak signing key", withManager({ signingKey: smallOrderKey }), "managers[1].signing_key"],
    ["a weak VRF key", withManager({ vrfKey: smallOrderKey }), "managers[1].vrf_key"],
    ["a weak HPKE key", withManager({ hpkeKey: zeroKey }), "managers[1].hpke_key"],
    ["a short SPKI", withManager({ tlsSpkiSha256: short }), "managers[1].tls_spki_sha256"],
    ["a signing key twice", withManager({ signingKey: m1.signingKey }), "managers[1].signing_key"],
    [
      "another's signing key for the VRF",
      withManager({ vrfKey: m1.signingKey }),
      "managers[1].vrf_key",
    ],
    [
      "one's own signing key for the VRF",
      withManager({ vrfKey: m2.signingKey }),
      "managers[1].vrf_key",
    ],
    ["an HPKE key twice", withManager({ hpkeKey: m1.hpkeKey }), "managers[1].hpke_key"],
    [
      "an SPKI twice",
      withManager({ tlsSpkiSha256: m1.tlsSpkiSha256 }),
      "managers[1].tls_spki_sha256",
    ],
    ["an address twice", withManager({ address: m1.address }), "managers[1].address"],
    ...["", "host", "host:", ":7400", "host:0", "host:65536", "ho st:1", "h:1:2", "[::1]"].map(
      (address): [string, object, string] => [
        `the address ${JSON.stringify(address)}`,
        withManager({ address }),
        "managers[1].address",
      ],
    ),
    ["an authority that is none", { caCertificatesPem: [pem, "AAAA"] }, "ca_certificates_pem[1]"],
    [
      "an authority that is too long",
      { caCertificatesPem: [pem + " ".repeat(16_384)] },
      "ca_certificates_pem[0]",
    ],
    [
      "too many authorities",
      { caCertificatesPem: Array.from({ length: 101 }, () => pem) },
      "ca_certificates_pem",
    ],
  ];
  for (const [name, changes, field] of wrong) {
    test(`with ${name} is refused`, () => {
      assert.deepEqual(refusalOf(fileOf(changes)), ["GENESIS_INVALID", field]);
    });
  }

  for (const address of ["localhost:7401", "127.0.0.1:1", "[::1]:65535", "a-b_c.example:80"]) {
    test(`with the address ${address} is fine`, () => {
      assert.ok(parseGenesis(fileOf(withManager({ address }))).ok);
    });
  }
});

describe("the first operations", () => {
  const one = participant("p-1");
  const node1 = node("storage-1");
  const key = (id: string) => ({ signingKey: signerOf(id).publicKey });
  const spki = (id: string) => ({ tlsSpkiSha256: bytesOf(`spki of ${id}`) });
  const path = "register_participant";
  const { managerId } = member("manager-1");
  const suspension: Operation = { operation: { case: "suspendManager", value: { managerId } } };
  const resume: Operation = { operation: { case: "resumeManager", value: { managerId } } };
  const evidence: Operation = { operation: { case: "evidence", value: { managerId } } };
  const wrong: readonly [string, Operation[], string, string?][] = [
    ["nothing", [{}], "[0].operation"],
    ["an unknown sponsor", [node("s", { sponsorId: "m" })], "[0].admit_storage_node.sponsor_id"],
    ["a node twice", [node1, node1], "[1].admit_storage_node.node_id"],
    [
      "an officer with a node's id",
      [node1, officer("storage-1")],
      "[1].register_officer.officer_id",
    ],
    ["a participant twice", [one, one], `[1].${path}.participant_id`, "MEMBER_ID_TAKEN"],
    [
      "a participant with a manager's id",
      [participant("manager-2")],
      `[0].${path}.participant_id`,
      "MEMBER_ID_TAKEN",
    ],
    [
      "a participant with the id of a node that follows",
      [participant("storage-1", key("x")), node1],
      `[0].${path}.participant_id`,
      "MEMBER_ID_TAKEN",
    ],
    [
      "a participant with another's key",
      [one, participant("p", key("p-1"))],
      `[1].${path}.signing_key`,
    ],
    [
      "a participant with another's SPKI",
      [one, participant("p", spki("p-1"))],
      `[1].${path}.tls_spki_sha256`,
    ],
    [
      "a participant with a manager's key",
      [participant("p", key("manager-1"))],
      `[0].${path}.signing_key`,
    ],
    [
      "a participant with a node's SPKI",
      [participant("p", spki("storage-1")), node1],
      `[0].${path}.tls_spki_sha256`,
    ],
    [
      "a participant with a weak key",
      [participant("p", { signingKey: new Uint8Array(32) })],
      `[0].${path}.signing_key`,
    ],
    ["a suspension", [node1, suspension], "[1]"],
    ["a return", [resume], "[0]"],
    ["evidence", [evidence], "[0]"],
    ["a payout", [{ operation: { case: "recordPayout", value: {} } }], "[0]"],
    ["a node by consent", [node1, node("s", { consent: {} })], "[1]"],
    ["a participant by consent", [participant("p-1", { consent: {} })], "[0]"],
    [
      "an operator of no manager",
      [officer("o", { role: OfficerRole.OPERATOR, managerId: "manager-9" })],
      "[0].register_officer.manager_id",
    ],
    [
      "an operator that acts for nobody",
      [officer("o", { role: OfficerRole.OPERATOR })],
      "[0].register_officer.manager_id",
    ],
    [
      "an auditor of a manager",
      [officer("o", { managerId: "manager-1" })],
      "[0].register_officer.manager_id",
    ],
    ["a meter before its owner", [meter("m", "p-1"), one], "[0].register_meter.owner_id"],
    ["a meter of a node", [node1, meter("m", "storage-1")], "[1].register_meter.owner_id"],
    [
      "a meter twice",
      [one, meter("m", "p-1"), meter("m", "p-1")],
      "[2].register_meter.meter_id",
      "MEMBER_ID_TAKEN",
    ],
    [
      "a meter twice, in another case",
      [one, meter("DE*ABC*E1", "p-1"), meter("De*ABC*e1", "p-1")],
      "[2].register_meter.meter_id",
      "MEMBER_ID_TAKEN",
    ],
    ["a meter of no id", [one, meter("a b", "p-1")], "[1].register_meter.meter_id"],
    [
      "a meter with an interval that does not divide the market's",
      [one, meter("m", "p-1", { intervalS: 1_000 })],
      "[1].register_meter.interval_s",
    ],
  ];
  for (const [name, list, field, reason = "OPERATION_INVALID"] of wrong) {
    test(`may not have ${name}`, () => {
      const expected = [reason, `operations${field}`];
      assert.deepEqual(refusalOf(fileOf({ operations: list })), expected);
    });
  }
});

describe("the first policy", () => {
  const timeouts = policy.timeouts ?? assert.fail("there are timeouts");
  const floor = {
    suspension: SuspensionMode.FLOOR,
    suspendAfterMs: 5_000,
    resumeWaitMs: 5_000,
    resumeWaitMaxMs: 600_000,
  };
  const bounds: readonly [string, string, number, number][] = [
    ["futureBoundMs", "future_bound_ms", 100, 86_400_000],
    ["blockRecordsMax", "block_records_max", 1, 10_000],
    ["submissionRecordsMax", "submission_records_max", 1, 1_000],
    ["verdictWaitMs", "verdict_wait_ms", 0, 3_600_000],
    ["heartbeatMs", "heartbeat_ms", 0, 86_400_000],
    ["minStorage", "min_storage", 1, 10_000],
    ["auditRecords", "audit_records", 0, 1_000],
    ["boycottLine", "boycott_line", 0, 100],
    ["auditsPerBlock", "audits_per_block", 0, 100],
  ];
  for (const [name, field, min, max] of bounds) {
    test(`has ${field} from ${min} to ${max}`, () => {
      const at = (value: number) =>
        fileOf({ policy: { ...policy, [name]: value }, operations: [] });
      for (const value of [min, max]) assert.ok(parseGenesis(at(value)).ok, `${value}`);
      for (const value of [min - 1, max + 1].filter((each) => each >= 0)) {
        assert.deepEqual(refusalOf(at(value)), ["GENESIS_INVALID", `policy.${field}`]);
      }
    });
  }

  const all = (ms: number) => {
    return { proposeMs: ms, approveMs: ms, verifyMs: ms, commitMs: ms, stepMs: ms, maxMs: ms };
  };
  const fine: readonly object[] = [
    { recordBytesMax: 65_536, blockBytesMax: 65_536 },
    { blockRecordsMax: 1, blockBytesMax: blockBytesBound },
    { recordBytesMax: recordBytesBound, auditRecords: 16, auditsPerBlock: 4 },
    { recordBytesMax: 1_000, auditRecords: 256, auditsPerBlock: 64 },
    { submissionRecordsMax: 1_000, blockBytesMax: 34_099, recordBytesMax: 1_000 },
    { heartbeatMs: 100 },
    { deliveryIntervalS: 86_400 },
    { deliveryIntervalS: 3_600, deliveryOffsetS: 2_700 },
    { deliveryIntervalS: 86_400, deliveryOffsetS: 85_500 },
    { priceMinMicroPerKwh: 5n, priceMaxMicroPerKwh: 5n },
    { priceMinMicroPerKwh: -(10n ** 12n), priceMaxMicroPerKwh: 10n ** 12n },
    { timeouts: { ...timeouts, ...all(1), maxMs: 1_000 } },
    { timeouts: { ...timeouts, ...all(1_000), stepMs: 0 } },
    { timeouts: { ...timeouts, ...all(3_600_000) } },
    { unreachableAfterMs: 0 },
    { unreachableAfterMs: 1_000 },
    { unreachableAfterMs: 86_400_000 },
    { matchReward: 10n ** 9n, storageReward: 10n ** 12n },
    floor,
    { ...floor, suspendAfterMs: 100, resumeWaitMs: 0, resumeWaitMaxMs: 0 },
    { ...floor, suspendAfterMs: 3_600_000, resumeWaitMs: 86_400_000, resumeWaitMaxMs: 86_400_000 },
  ];
  for (const [i, changes] of fine.entries()) {
    test(`may have ${Object.keys(changes).join(", ")} at a limit (${i + 1})`, () => {
      const file = fileOf({ policy: { ...policy, ...changes }, operations: [] });
      assert.ok(parseGenesis(file).ok);
    });
  }

  const wrong: readonly [object, string][] = [
    [{ recordBytesMax: 0 }, "record_bytes_max"],
    [{ recordBytesMax: 65_537, blockBytesMax: 65_536 }, "record_bytes_max"],
    [{ blockBytesMax: 0 }, "block_bytes_max"],
    [{ blockBytesMax: 64 * 2 ** 20 }, "block_bytes_max"],
    [{ blockRecordsMax: 1, blockBytesMax: blockBytesBound + 1 }, "block_bytes_max"],
    [{ blockRecordsMax: 1_000, blockBytesMax: blockBytesBound }, "block_bytes_max"],
    [{ recordBytesMax: recordBytesBound + 1 }, "record_bytes_max"],
    [
      { submissionRecordsMax: 1_000, blockBytesMax: 34_098, recordBytesMax: 1_000 },
      "submission_records_max",
    ],
    [{ recordBytesMax: recordBytesBound, auditRecords: 17 }, "audit_records"],
    [{ recordBytesMax: recordBytesBound, auditRecords: 16, auditsPerBlock: 5 }, "audits_per_block"],
    [{ recordBytesMax: 1_000, auditRecords: 256, auditsPerBlock: 65 }, "audits_per_block"],
    [{ heartbeatMs: 99 }, "heartbeat_ms"],
    [{ deliveryIntervalS: 0 }, "delivery_interval_s"],
    [{ deliveryIntervalS: 86_401 }, "delivery_interval_s"],
    [{ deliveryIntervalS: 3_600, deliveryOffsetS: 3_600 }, "delivery_offset_s"],
    [{ deliveryIntervalS: 900, deliveryOffsetS: 900 }, "delivery_offset_s"],
    [{ deliveryIntervalS: 3_600, deliveryOffsetS: 30 }, "delivery_offset_s"],
    [{ deliveryIntervalS: 3_600, deliveryOffsetS: 899 }, "delivery_offset_s"],
    [{ priceMinMicroPerKwh: 2n, priceMaxMicroPerKwh: 1n }, "price_min_micro_per_kwh"],
    [{ priceMaxMicroPerKwh: 10n ** 12n + 1n }, "price_min_micro_per_kwh"],
    [{ priceMinMicroPerKwh: -(10n ** 12n) - 1n }, "price_min_micro_per_kwh"],
    [{ currency: "usd" }, "currency"],
    [{ currency: "EURO" }, "currency"],
    [{ suspension: 0 }, "suspension"],
    [{ suspension: 3 }, "suspension"],
    [{ suspendAfterMs: 1 }, "suspend_after_ms"],
    [{ resumeWaitMs: 1 }, "resume_wait_ms"],
    [{ resumeWaitMaxMs: 1 }, "resume_wait_max_ms"],
    [{ ...floor, suspendAfterMs: 99 }, "suspend_after_ms"],
    [{ ...floor, suspendAfterMs: 3_600_001 }, "suspend_after_ms"],
    [{ ...floor, resumeWaitMs: 86_400_000, resumeWaitMaxMs: 86_400_001 }, "resume_wait_max_ms"],
    [{ ...floor, resumeWaitMs: 1, resumeWaitMaxMs: 0 }, "resume_wait_ms"],
    [{ matchReward: 10n ** 9n + 1n }, "match_reward"],
    [{ storageReward: 10n ** 12n + 1n }, "storage_reward"],
    [{ unreachableAfterMs: 999 }, "unreachable_after_ms"],
    [{ unreachableAfterMs: 86_400_001 }, "unreachable_after_ms"],
    [{ timeouts: undefined }, "timeouts"],
    [{ timeouts: { ...timeouts, ...all(1), maxMs: 999 } }, "timeouts.max_ms"],
    [{ timeouts: { ...timeouts, verifyMs: 999, stepMs: 0 } }, "timeouts.verify_ms"],
    [{ timeouts: { ...timeouts, maxMs: 3_600_001 } }, "timeouts.max_ms"],
    [{ timeouts: { ...timeouts, stepMs: 20_001 } }, "timeouts.step_ms"],
    [{ timeouts: { ...timeouts, proposeMs: 0 } }, "timeouts.propose_ms"],
    [{ timeouts: { ...timeouts, approveMs: 20_001 } }, "timeouts.approve_ms"],
    [{ timeouts: { ...timeouts, verifyMs: 0 } }, "timeouts.verify_ms"],
    [{ timeouts: { ...timeouts, commitMs: 0 } }, "timeouts.commit_ms"],
  ];
  for (const [changes, field] of wrong) {
    test(`is refused for ${field}: ${Object.values(changes).map(String).join(", ")}`, () => {
      const file = fileOf({ policy: { ...policy, ...changes }, operations: [] });
      assert.deepEqual(refusalOf(file), ["GENESIS_INVALID", `policy.${field}`]);
    });
  }
});
