import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import {
  type ControlOperation,
  ControlOperationSchema,
  type ControlOperation as Operation,
} from "../../../../src/gen/bss/v1/genesis_pb.js";
import { retirementDigest } from "../../../../src/ledger/certificates/vote-digests.js";
import { OperationCheck } from "../../../../src/manager/operations/operation-check.js";
import { consortiumId, genesisMs } from "../../ledger/support/consortium.js";
import { admissionOf, expiresAtMs, invitationBytes } from "../../ledger/support/invitations.js";
import { sign } from "../../ledger/support/records.js";
import { LedgerWorld } from "../support/ledger-world.js";

function retirementOf(nodeId: string, signer = nodeId): ControlOperation {
  const digest = retirementDigest({ consortiumId, nodeId, admittedHeight: 0 });
  const value = { nodeId, signature: sign(signer, digest) };
  return create(ControlOperationSchema, { operation: { case: "retireStorageNode", value } });
}

const admissionWithoutConsent = create(ControlOperationSchema, {
  operation: { case: "admitStorageNode", value: { nodeId: "storage-9", sponsorId: "manager-1" } },
});

describe("whether the next block could carry an operation", () => {
  let world: LedgerWorld;
  let check: OperationCheck;
  before(async () => {
    world = await LedgerWorld.create();
    check = new OperationCheck(world.ports);
  });

  const reasonOf = async (operation: Operation) => (await check.problem(operation))?.reason;

  test("is so for what consent or a signature authorises", async () => {
    assert.equal(await reasonOf(admissionOf("storage-9")), undefined);
    assert.equal(await reasonOf(retirementOf("storage-2")), undefined);
  });

  const expired = invitationBytes({ expiresAtUnixMs: BigInt(genesisMs + 1) });
  for (const [what, make, reason] of [
    ["nobody has authorised", () => admissionWithoutConsent, "OPERATION_INVALID"],
    ["another has signed", () => retirementOf("storage-2", "storage-3"), "SIGNATURE_INVALID"],
    ["has an id that is taken", () => admissionOf("storage-2"), undefined],
    [
      "rests on an invitation that has expired",
      () => admissionOf("storage-9", { invitation: expired }),
      "INVITATION_EXPIRED",
    ],
    [
      "is too long for a block",
      () => admissionOf("storage-9", { consent: { possessionSignature: new Uint8Array(5_000) } }),
      "OPERATION_INVALID",
    ],
    [
      "has a signature of another length",
      () => admissionOf("storage-9", { consent: { possessionSignature: new Uint8Array(63) } }),
      "OPERATION_INVALID",
    ],
  ] as const) {
    test(`is not so for one that ${what}`, async () => {
      const found = await reasonOf(make());
      if (reason === undefined) assert.ok(found !== undefined);
      else assert.equal(found, reason);
    });
  }

  test("is judged by the clock, as the block would be", async () => {
    assert.ok(world.wallMs < expiresAtMs);
    const later = new OperationCheck({ ...world.ports, wallMs: () => expiresAtMs + 1 });
    assert.equal((await later.unfit(admissionOf("storage-9")))?.reason, "INVITATION_EXPIRED");
  });
});
