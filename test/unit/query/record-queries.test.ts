import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { defined } from "../../../src/base/assert.js";
import {
  GetConsistencyProofRequestSchema,
  GetReceiptRequestSchema,
} from "../../../src/gen/bss/v1/query_pb.js";
import { leafHashOf } from "../../../src/ledger/blocks/block-hashes.js";
import { parseHeader } from "../../../src/ledger/blocks/block-parsing.js";
import { verifyConsistency, verifyInclusion } from "../../../src/ledger/merkle/verify.js";
import {
  getConsistencyProof,
  getReceipt,
  publicRecordEntry,
} from "../../../src/query/record-queries.js";
import { rpcErrorFrom } from "../../support/rpc-consortium.js";
import { accepted } from "../ledger/support/outcome.js";
import { ChainWorld } from "../storage-node/support/chain-world.js";

async function worldOf(heights: number): Promise<ChainWorld> {
  const world = await ChainWorld.open();
  for (let i = 0; i < heights; i++) await world.commit(world.ledger.extend({ records: 3 }));
  return world;
}

describe("a receipt", () => {
  test("of every record leads from its leaf to HASH1 in its block's header", async () => {
    const world = await worldOf(4);
    for (let height = 1; height <= 4; height++) {
      const { block, parsed, certificates, committee } = world.ledger.at(height);
      for (const [i, leaf] of block.leaves.entries()) {
        const { recordHash } = leaf;
        const request = create(GetReceiptRequestSchema, { recordHash });
        const { receipt } = await getReceipt(world.store, request);
        assert.equal(receipt?.height, BigInt(height));
        assert.equal(receipt?.position, BigInt(3 * (height - 1) + i));
        assert.equal(receipt?.confirmations, BigInt(4 - height + 1));
        assert.equal(receipt?.timeUnixMs, BigInt(parsed.timestampMs));
        assert.deepEqual(receipt?.commitCertificate, certificates.commit);
        assert.equal(receipt?.storageAttestations, committee.length);
        const { header, treeSize } = accepted(
          parseHeader(defined(receipt?.header, "a receipt has its header")),
        );
        const proved = verifyInclusion({
          leafHash: leafHashOf(leaf),
          leafIndex: Number(receipt?.position),
          treeSize,
          proof: defined(receipt?.inclusionProof, "a receipt has its proof"),
          root: header.hash1,
        });
        assert.ok(proved);
        const before = height === 1 ? undefined : world.ledger.at(height - 1).block.header;
        assert.deepEqual(receipt?.previousHeader, before);
      }
    }
  });

  for (const [length, reason] of [
    [32, "RECORD_UNKNOWN"],
    [31, "FIELD_INVALID"],
    [0, "FIELD_INVALID"],
  ] as const) {
    test(`of a hash of ${length} bytes that nobody has is refused: ${reason}`, async () => {
      const { store } = await worldOf(1);
      const recordHash = new Uint8Array(length);
      const request = create(GetReceiptRequestSchema, { recordHash });
      assert.equal((await rpcErrorFrom(getReceipt(store, request))).reason, reason);
      assert.equal((await rpcErrorFrom(publicRecordEntry(store, { recordHash }))).reason, reason);
    });
  }
});

describe("the public part of a record", () => {
  test("is its hash, place and seal digest, and nothing else", async () => {
    const world = await worldOf(2);
    const leaf = defined(world.ledger.at(2).block.leaves[1], "it has three leaves");
    const { recordHash, sealDigest } = leaf;
    assert.deepEqual(await publicRecordEntry(world.store, { recordHash }), {
      recordHash,
      height: 2n,
      position: 4n,
      sealDigest,
    });
  });
});

describe("GetConsistencyProof", () => {
  test("proves any size of the log against any later one", async () => {
    const { store } = await worldOf(4);
    for (let fromSize = 1; fromSize <= 12; fromSize++) {
      for (let toSize = fromSize; toSize <= 12; toSize++) {
        const request = create(GetConsistencyProofRequestSchema, {
          fromTreeSize: BigInt(fromSize),
          toTreeSize: BigInt(toSize),
        });
        const answer = await getConsistencyProof(store, request);
        const { fromRoot, toRoot, proof } = answer;
        assert.ok(fromRoot && toRoot && proof);
        assert.ok(verifyConsistency({ fromSize, toSize, fromRoot, toRoot, proof }));
      }
    }
  });

  test("goes to the head when no later size is named", async () => {
    const { store } = await worldOf(2);
    const request = create(GetConsistencyProofRequestSchema, { fromTreeSize: 1n });
    assert.equal((await getConsistencyProof(store, request)).toTreeSize, 6n);
  });

  const refusals = [
    [0n, 3n, "FIELD_INVALID"],
    [4n, 3n, "RANGE_INVALID"],
    [1n, 7n, "RANGE_INVALID"],
    [7n, 0n, "RANGE_INVALID"],
    [2n ** 60n, 0n, "FIELD_INVALID"],
    [1n, 2n ** 63n, "FIELD_INVALID"],
  ] as const;
  for (const [fromTreeSize, toTreeSize, reason] of refusals) {
    test(`refuses sizes from ${fromTreeSize} to ${toTreeSize} of 6 with ${reason}`, async () => {
      const { store } = await worldOf(2);
      const request = create(GetConsistencyProofRequestSchema, { fromTreeSize, toTreeSize });
      assert.equal((await rpcErrorFrom(getConsistencyProof(store, request))).reason, reason);
    });
  }

  test("refuses everything while the log is empty", async () => {
    const { store } = await worldOf(0);
    const request = create(GetConsistencyProofRequestSchema, { fromTreeSize: 1n });
    assert.equal((await rpcErrorFrom(getConsistencyProof(store, request))).reason, "RANGE_INVALID");
  });
});
