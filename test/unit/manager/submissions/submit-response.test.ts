import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  BlockCertificatesSchema,
  BlockSchema,
  ManagerBlockHeaderSchema,
} from "../../../../src/gen/bss/v1/block_pb.js";
import {
  RecordOutcomeSchema,
  SubmitResponseSchema,
} from "../../../../src/gen/bss/v1/broadcast_pb.js";
import { submitResponse } from "../../../../src/manager/submissions/submit-response.js";
import type { ManagerStore } from "../../../../src/store/manager-store.js";

const hash = new Uint8Array(32).fill(1);

const header = toBinary(
  ManagerBlockHeaderSchema,
  create(ManagerBlockHeaderSchema, {
    consortiumId: hash,
    height: 2n ** 53n - 1n,
    previousBlockId: hash,
    createdRound: 2 ** 32 - 1,
    proposerId: "m".repeat(63),
    timestampUnixMs: 2n ** 53n - 1n,
    treeSize: 2n ** 53n - 1n,
    hash1: hash,
    sealedBytes: 2n ** 53n - 1n,
    membersDigest: hash,
    previousStateDigest: hash,
    bodyDigest: hash,
    certificatesDigest: hash,
    beacon: new Uint8Array(64),
    beaconProof: new Uint8Array(80),
  }),
);

/** A ledger of which each block has the longest header, and COMMITs of so many managers. */
function storeWith(managers: number): ManagerStore {
  const signatures = Array.from({ length: managers }, (_, i) => {
    return { managerId: `${i}`.padStart(63, "m"), signature: new Uint8Array(64) };
  });
  const block = create(BlockSchema, { header });
  const commit = { height: 1n, round: 1, blockId: hash, signatures };
  const certificates = create(BlockCertificatesSchema, { commit });
  const store = { head: { height: 2_000 }, finalBlock: async () => ({ block, certificates }) };
  return store as unknown as ManagerStore;
}

const outcomes = (count: number) =>
  Array.from({ length: count }, (_, i) => {
    const value = { height: BigInt(i + 1), position: BigInt(i), sealDigest: hash };
    return create(RecordOutcomeSchema, {
      recordHash: hash,
      outcome: { case: "committed", value },
    });
  });

describe("the answer to a submission", () => {
  test("proves the blocks that it names", async () => {
    const { blocks } = await submitResponse(storeWith(100), outcomes(10));
    assert.equal(blocks.length, 10);
    assert.ok(
      blocks.every(({ header, commitCertificate }) => header.length > 0 && commitCertificate),
    );
  });

  test("names blocks without proof once it would be too long, and says where records are", async () => {
    const response = await submitResponse(storeWith(100), outcomes(1_000));
    assert.ok(toBinary(SubmitResponseSchema, response).length < 4 * 2 ** 20);
    const proven = response.blocks.filter(({ header }) => header.length > 0).length;
    assert.ok(proven > 100 && proven < 1_000, `${proven}`);
    assert.deepEqual(
      response.blocks.map(({ height, managerSignatures }) => [height, managerSignatures]),
      outcomes(1_000).map((_, i) => [BigInt(i + 1), 100]),
    );
    const bare = response.blocks.slice(proven);
    assert.ok(bare.every(({ header, commitCertificate }) => !header.length && !commitCertificate));
  });
});
