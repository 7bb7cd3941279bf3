import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { DescFile } from "@bufbuild/protobuf";
import { file_bss_v1_broadcast } from "../../../../src/gen/bss/v1/broadcast_pb.js";
import { file_bss_v1_governance } from "../../../../src/gen/bss/v1/governance_pb.js";
import { file_bss_v1_query } from "../../../../src/gen/bss/v1/query_pb.js";
import { file_bss_v1_registration } from "../../../../src/gen/bss/v1/registration_pb.js";
import { file_bss_v1_verify_integrity } from "../../../../src/gen/bss/v1/verify_integrity_pb.js";
import { file_bss_v1_vote } from "../../../../src/gen/bss/v1/vote_pb.js";
import { methodName } from "../../../../src/rpc/message-codec.js";
import { RpcError } from "../../../../src/rpc/rpc-error.js";
import { authorize, methodRoles } from "../../../../src/rpc/server/method-roles.js";
import { memberRoles, type Role, roles } from "../../../../src/rpc/tls/tls-identity.js";
import { repositoryRoot } from "../../../support/tree.js";

const files: readonly DescFile[] = [
  file_bss_v1_broadcast,
  file_bss_v1_governance,
  file_bss_v1_query,
  file_bss_v1_registration,
  file_bss_v1_verify_integrity,
  file_bss_v1_vote,
];

describe("the table of roles", () => {
  const methods = files
    .flatMap((file) => file.services)
    .flatMap((service) => service.methods)
    .map(methodName);

  test("is compared with every method that the proto files define", () => {
    const directory = join(repositoryRoot(), "proto", "bss", "v1");
    const text = readdirSync(directory).map((name) => readFileSync(join(directory, name), "utf8"));
    const defined = [...text.join("\n").matchAll(/^ {2}rpc (\w+)\(/gm)].map((match) => match[1]);
    assert.deepEqual(methods.map((name) => name.split("/")[1]).toSorted(), defined.toSorted());
  });

  test("names every method of the API, and no other of its package", () => {
    const named = Object.keys(methodRoles).filter((name) => name.startsWith("bss."));
    assert.deepEqual(named.toSorted(), methods.toSorted());
  });

  const allowed: readonly [string, readonly Role[]][] = [
    ["bss.v1.BroadcastService/Submit", ["participant"]],
    ["bss.v1.BroadcastService/SubmitStream", ["participant"]],
    ["bss.v1.BroadcastService/Broadcast", ["manager"]],
    ["bss.v1.VoteService/Vote", ["manager"]],
    ["bss.v1.VerifyIntegrityService/VerifyIntegrity", ["storage"]],
    ["bss.v1.QueryService/GetRecord", memberRoles],
    ["bss.v1.RegistrationService/RegisterStorageNode", roles],
    ["bss.v1.RegistrationService/RegisterParticipant", roles],
    ["bss.v1.RegistrationService/RenewCertificate", memberRoles],
    ["bss.v1.RegistrationService/RetireStorageNode", ["storage", "operator"]],
    ["bss.v1.RegistrationService/RecordPayout", ["operator"]],
    ["bss.v1.GovernanceService/Propose", ["operator"]],
    ["bss.v1.GovernanceService/GetProposal", ["manager", "auditor", "operator"]],
    ["grpc.health.v1.Health/Check", memberRoles],
    ["grpc.reflection.v1.ServerReflection/ServerReflectionInfo", memberRoles],
    ["bss.v1.QueryService/NoSuchMethod", []],
    ["toString", []],
  ];
  for (const [method, callers] of allowed) {
    test(`lets ${callers.join(", ") || "nobody"} call ${method}`, () => {
      assert.deepEqual(
        roles.filter((role) => mayCall(role, method)),
        callers,
      );
    });
  }
});

function mayCall(role: Role, method: string): boolean {
  try {
    authorize({ role, id: "somebody" }, method);
    return true;
  } catch (error) {
    assert.ok(error instanceof RpcError && error.reason === "ROLE_NOT_ALLOWED");
    return false;
  }
}
