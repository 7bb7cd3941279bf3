import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { ControlOperationSchema, OfficerRole } from "../../../src/gen/bss/v1/genesis_pb.js";
import { identities, refusalLog, rpcLimitsOf } from "../../../src/node/rpc-options.js";
import type { MemberRole } from "../../../src/rpc/tls/tls-identity.js";
import { genesis, policy } from "../ledger/support/consortium.js";
import { accepted } from "../ledger/support/outcome.js";
import { publicKeyOf, seedOf } from "../ledger/support/records.js";

const officer = create(ControlOperationSchema, {
  operation: {
    case: "registerOfficer",
    value: {
      officerId: "auditor-1",
      role: OfficerRole.AUDITOR,
      signingKey: publicKeyOf("auditor-1"),
      tlsSpkiSha256: seedOf("tls of auditor-1"),
    },
  },
});

describe("who may call a storage node", () => {
  const members = accepted(
    genesis.members.applyOperation(officer, { policy, height: 1, timestampMs: 1 }),
  );
  const registry = identities({
    members: () => members,
    participantSpki: async (id) => (id === "participant-1" ? seedOf("tls of one") : undefined),
  });

  const known: readonly [MemberRole, string, Uint8Array | undefined][] = [
    ["manager", "manager-2", seedOf("tls of manager-2")],
    ["manager", "storage-1", undefined],
    ["storage", "storage-1", seedOf("tls of storage-1")],
    ["storage", "manager-2", undefined],
    ["participant", "participant-1", seedOf("tls of one")],
    ["participant", "participant-9", undefined],
    ["auditor", "auditor-1", seedOf("tls of auditor-1")],
    ["operator", "auditor-1", undefined],
    ["operator", "nobody", undefined],
  ];
  for (const [role, id, spki] of known) {
    test(`${role} ${id} is ${spki === undefined ? "unknown" : "known by its key"}`, async () => {
      assert.deepEqual(await registry.spkiOf(role, id), spki);
    });
  }
});

const MiB = 2 ** 20;

test("every configured limit of the network reaches the gRPC server", () => {
  const limits = {
    messageBytesMax: 1,
    peerMessageBytesMax: 2,
    callsPerPeerMax: 3,
    streamsPerPeerMax: 4,
    peerQueueMessagesMax: 5,
    peerQueueBytesMax: 600 * MiB,
    connectionsPerClientMax: 7,
    connectionsPerPeerMax: 8,
    answerBytesPerClientMax: 9,
    answerBytesMax: 10,
  };
  const perManager = 1_232 * MiB;
  const perStorageNode = 632 * MiB;
  assert.deepEqual(rpcLimitsOf(limits, 1_000), {
    limits: {
      participantMessageBytesMax: 1,
      peerMessageBytesMax: 2,
      callsPerPeerMax: 3,
      streamsPerPeerMax: 4,
      streamQueueMessagesMax: 5,
      streamQueueBytesMax: 600 * MiB,
    },
    connections: {
      strangersMax: 250,
      strangersPerAddressMax: 125,
      clientsMax: 250,
      invitedMax: 32,
      peersMax: 500,
      managersMax: 125,
      perClientMax: 7,
      perPeerMax: 8,
    },
    answers: {
      perClientBytesMax: 9,
      clientsBytesMax: 10,
      perManagerBytesMax: perManager,
      managersBytesMax: perManager,
      perStorageNodeBytesMax: perStorageNode,
      storageNodesBytesMax: perStorageNode,
    },
  });
});

describe("the log of refused callers", () => {
  test("has one line a minute for each address and reason, and a bound for all", () => {
    const lines: { peerAddress: string; reason: string; untold: number }[] = [];
    let nowMs = 5;
    const log = { warn: (line: (typeof lines)[number]) => void lines.push(line) };
    const refused = refusalLog(log as never, () => nowMs);
    for (let i = 0; i < 3; i++) refused("10.0.0.1", "TLS: unknown ca");
    refused("10.0.0.2", "TLS: unknown ca");
    assert.deepEqual(
      lines.map(({ peerAddress }) => peerAddress),
      ["10.0.0.1", "10.0.0.2"],
    );
    for (let i = 0; i < 100; i++) refused(`10.0.1.${i}`, "TLS: http request");
    assert.equal(lines.length, 20);
    nowMs += 60_000;
    refused("10.0.0.1", "TLS: unknown ca");
    assert.deepEqual(lines.at(-1), {
      peerAddress: "10.0.0.1",
      reason: "TLS: unknown ca",
      untold: 82,
    });
  });

  test("tells of a caller as soon as there is room, if there was none at first", () => {
    const lines: string[] = [];
    let nowMs = 5;
    const log = { warn: (line: { peerAddress: string }) => void lines.push(line.peerAddress) };
    const refused = refusalLog(log as never, () => nowMs);
    for (let i = 0; i < 20; i++) refused(`10.0.1.${i}`, "TLS: http request");
    refused("10.0.0.1", "TLS: unknown ca");
    assert.equal(lines.length, 20);
    nowMs += 3_000;
    for (let i = 0; i < 2; i++) refused("10.0.0.1", "TLS: unknown ca");
    assert.deepEqual(lines.slice(20), ["10.0.0.1"]);
    nowMs += 3_000;
    refused("10.0.0.1", "TLS: unknown ca");
    assert.equal(lines.length, 21, "once a minute");
  });
});
