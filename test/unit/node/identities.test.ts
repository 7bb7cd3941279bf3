import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { ControlOperationSchema, OfficerRole } from "../../../src/gen/bss/v1/genesis_pb.js";
import { identities } from "../../../src/node/identities.js";
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
