import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import type { ParticipantState } from "../../../../src/gen/bss/store/v1/state_pb.js";
import {
  ConsentSchema,
  type ControlOperation,
  InvitationSchema,
  InvitedRole,
  RecordPayoutSchema,
  RetireStorageNodeSchema,
} from "../../../../src/gen/bss/v1/genesis_pb.js";
import type {
  RegisterParticipantRequest,
  RegisterStorageNodeRequest,
} from "../../../../src/gen/bss/v1/registration_pb.js";
import type { StorageNode } from "../../../../src/ledger/members/member-lists.js";
import {
  type RegistrationPorts,
  registrationService,
} from "../../../../src/manager/operations/registration-service.js";
import {
  createCertificateRequest,
  readCertificateRequest,
} from "../../../../src/pki/certificate-request.js";
import { generateTlsKeyPair, privateKeyPem } from "../../../../src/pki/key-pairs.js";
import type { Reason } from "../../../../src/rpc/reasons.js";
import { RpcError } from "../../../../src/rpc/rpc-error.js";
import type { CallContext } from "../../../../src/rpc/server/handlers.js";
import type { Role } from "../../../../src/rpc/tls/tls-identity.js";
import { consortiumId, genesis } from "../../ledger/support/consortium.js";
import { publicKeyOf, seedOf } from "../../ledger/support/records.js";

const issued = [seedOf("a certificate")];
const signingKey = seedOf("signing key");
const bearerKey = publicKeyOf("bearer");
const invitation = toBinary(
  InvitationSchema,
  create(InvitationSchema, {
    consortiumId,
    invitationId: new Uint8Array(16).fill(1),
    operatorId: "operator-1",
    role: InvitedRole.PARTICIPANT,
    usesMax: 5,
    expiresAtUnixMs: 10n,
    agentIds: ["agent"],
    bearerKey,
    checkpoint: { height: 0n, blockId: consortiumId, membersDigest: seedOf("members") },
  }),
);
const consent = create(ConsentSchema, { invitation });

const callOf = (role: Role, id: string): CallContext => ({
  identity: { role, id },
  peerAddress: "",
  method: "",
  deadlineUnixMs: undefined,
  signal: new AbortController().signal,
});
const invited = callOf("invited", "0123456789abcdef");

describe("the registration service", () => {
  let certificateRequest = new Uint8Array();
  let spki = new Uint8Array();
  const submitted: ControlOperation["operation"][] = [];

  before(async () => {
    const { privateKey } = await generateTlsKeyPair();
    const keyPem = await privateKeyPem(privateKey);
    const options = { keyPem, commonName: "x" };
    certificateRequest = new Uint8Array(await createCertificateRequest(options));
    const request = await readCertificateRequest(certificateRequest);
    assert.ok(typeof request !== "string");
    spki = new Uint8Array(request.spkiSha256);
  });

  const serviceWith = (ports: Partial<RegistrationPorts> = {}) => {
    submitted.length = 0;
    return registrationService({
      waitMaxMs: 600_000,
      issuer: { issue: async () => issued },
      operations: {
        submit: async ({ operation }) => {
          submitted.push(operation);
          return { height: 12 };
        },
      },
      members: () => genesis.members,
      participant: async () => undefined,
      registry: { spkiOf: async () => undefined },
      ...ports,
    });
  };
  const nodeRequest = () => {
    const request = { consent, certificateRequest, signingKey, nodeId: "pc-7" };
    return request as unknown as RegisterStorageNodeRequest;
  };
  const participantRequest = () => {
    const request = { consent, certificateRequest, signingKey, participantId: "home-9" };
    return request as unknown as RegisterParticipantRequest;
  };

  test("admits a storage node with the operator's manager as sponsor", async () => {
    const service = serviceWith();
    const answer = await service.registerStorageNode?.(nodeRequest(), invited);
    assert.deepEqual(answer, { certificateChain: issued, admittedHeight: 12n });
    const [operation] = submitted;
    assert.ok(operation?.case === "admitStorageNode");
    const { nodeId, sponsorId, tlsSpkiSha256 } = operation.value;
    const { managerId } = genesis.members.officer("operator-1") ?? {};
    assert.deepEqual([nodeId, sponsorId, tlsSpkiSha256], ["pc-7", managerId, spki]);
  });

  test("registers a participant with the invitation's agents", async () => {
    const service = serviceWith();
    const answer = await service.registerParticipant?.(participantRequest(), invited);
    assert.deepEqual(answer, { certificateChain: issued, admittedHeight: 12n });
    const [operation] = submitted;
    assert.ok(operation?.case === "registerParticipant");
    assert.deepEqual(operation.value.agentIds, ["agent"]);
  });

  test("answers who has joined with the same keys, and asks the chain about other keys", async () => {
    const known = { signingKey, tlsSpkiSha256: spki, height: 5n } as ParticipantState;
    const same = serviceWith({ participant: async () => known });
    const answer = await same.registerParticipant?.(participantRequest(), invited);
    assert.deepEqual(answer, { certificateChain: issued, admittedHeight: 5n });
    assert.equal(submitted.length, 0);
    const other = { ...known, signingKey: seedOf("another") };
    const taken = serviceWith({ participant: async () => other });
    await taken.registerParticipant?.(participantRequest(), invited);
    assert.equal(submitted.length, 1);
  });

  test("issues nothing when the chain refuses", async () => {
    let count = 0;
    const refusal = new RpcError("INVITATION_USED_UP", "used up");
    const service = serviceWith({
      operations: { submit: () => Promise.reject(refusal) },
      issuer: {
        issue: async () => {
          count += 1;
          return issued;
        },
      },
    });
    await assert.rejects(async () => service.registerStorageNode?.(nodeRequest(), invited), {
      reason: "INVITATION_USED_UP",
    });
    assert.equal(count, 0);
  });

  test("says so without an authority, and of a request that is none", async () => {
    const without = serviceWith({ issuer: undefined });
    await assert.rejects(async () => without.registerStorageNode?.(nodeRequest(), invited), {
      reason: "NOT_AN_ISSUER",
    });
    const request = { ...nodeRequest(), certificateRequest: new Uint8Array(9) };
    await assert.rejects(async () => serviceWith().registerStorageNode?.(request, invited), {
      reason: "CERTIFICATE_REQUEST_INVALID",
    });
  });

  test("renews for the registered key and for no other", async () => {
    const request = { certificateRequest } as never;
    const caller = callOf("storage", "storage-1");
    const own = serviceWith({ registry: { spkiOf: async () => spki } });
    assert.deepEqual(await own.renewCertificate?.(request, caller), { certificateChain: issued });
    const others = serviceWith({ registry: { spkiOf: async () => seedOf("another key") } });
    await assert.rejects(async () => others.renewCertificate?.(request, caller), {
      reason: "CERTIFICATE_REQUEST_INVALID",
    });
  });

  test("takes retirements and payouts from those who sign them alone", async () => {
    const service = serviceWith();
    const leaving = create(RetireStorageNodeSchema, { nodeId: "storage-1" });
    const retire = (retirement: typeof leaving, role: Role, id: string) =>
      Promise.resolve().then(() =>
        service.retireStorageNode?.({ retirement } as never, callOf(role, id)),
      );
    assert.deepEqual(await retire(leaving, "storage", "storage-1"), { height: 12n });
    const refused = { reason: "ROLE_NOT_ALLOWED" };
    await assert.rejects(retire(leaving, "storage", "storage-2"), refused);
    await assert.rejects(retire(leaving, "operator", "operator-1"), refused);
    const sent = { ...leaving, operatorId: "operator-1" };
    assert.deepEqual(await retire(sent, "operator", "operator-1"), { height: 12n });
    await assert.rejects(retire(sent, "storage", "storage-1"), refused);
    const payout = create(RecordPayoutSchema, { nodeId: "storage-1", operatorId: "operator-1" });
    const pay = async (id: string) =>
      service.recordPayout?.({ payout } as never, callOf("operator", id));
    assert.deepEqual(await pay("operator-1"), { height: 12n });
    await assert.rejects(pay("operator-2"), refused);
  });

  /** Of one that the managers retired with block 9, or have paid 70 units. */
  const membersWith = (change: Partial<StorageNode>) => {
    const before = genesis.members.storageNode("storage-1");
    assert.ok(before);
    const storageNode = () => ({ ...before, admittedHeight: 4, changedHeight: 9, ...change });
    return () => ({ storageNode, officer: (id: string) => genesis.members.officer(id) }) as never;
  };
  const refusing = (reason: Reason, change: Partial<StorageNode>) =>
    serviceWith({
      operations: { submit: () => Promise.reject(new RpcError(reason, "it does not fit")) },
      members: membersWith(change),
    });

  test("answers a retirement that is repeated with the block that retired the node", async () => {
    const { sponsorId } = genesis.members.storageNode("storage-1") ?? {};
    const operators = genesis.members.officers.filter(({ role }) => role === "operator");
    const own = operators.find(({ managerId }) => managerId === sponsorId)?.officerId ?? "";
    const foreign = operators.find(({ managerId }) => managerId !== sponsorId)?.officerId ?? "";
    const repeat = async (
      operatorId: string,
      { admittedHeight = 4n, reason = "OPERATION_INVALID" as Reason, suspended = true } = {},
    ) => {
      const value = { nodeId: "storage-1", admittedHeight, operatorId };
      const retirement = create(RetireStorageNodeSchema, value);
      const caller = operatorId === "" ? "storage-1" : operatorId;
      const context = callOf(operatorId === "" ? "storage" : "operator", caller);
      const service = refusing(reason, { suspension: suspended ? "retired" : "boycotted" });
      return service.retireStorageNode?.({ retirement } as never, context);
    };
    assert.deepEqual(await repeat(own), { height: 9n });
    assert.deepEqual(await repeat(""), { height: 9n });
    const invalid = { reason: "OPERATION_INVALID" };
    await assert.rejects(repeat(foreign), invalid);
    await assert.rejects(repeat(own, { admittedHeight: 3n }), invalid);
    await assert.rejects(repeat(own, { suspended: false }), invalid);
    const forged = repeat(own, { reason: "SIGNATURE_INVALID" });
    await assert.rejects(forged, { reason: "SIGNATURE_INVALID" });
  });

  test("says of a payout that came before that it may be recorded already", async () => {
    const pay = async (paidBefore: bigint, reason: Reason = "OPERATION_INVALID") => {
      const value = { nodeId: "storage-1", operatorId: "operator-1", amount: 50n, paidBefore };
      const request = { payout: create(RecordPayoutSchema, value) } as never;
      const service = refusing(reason, { paid: 70n });
      return service.recordPayout?.(request, callOf("operator", "operator-1"));
    };
    await assert.rejects(pay(20n), {
      reason: "PAYOUT_OUTDATED",
      message:
        "70 units are paid by now, and this payout is on top of 20: it may be recorded already",
    });
    await assert.rejects(pay(0n), { reason: "PAYOUT_OUTDATED" });
    await assert.rejects(pay(30n), { reason: "OPERATION_INVALID" });
    await assert.rejects(pay(20n, "DEADLINE"), { reason: "DEADLINE" });
  });
});
