import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clone, create } from "@bufbuild/protobuf";
import { defined } from "../../../../src/base/assert.js";
import { utf8 } from "../../../../src/base/bytes.js";
import { provenFork, UntrueAnswer } from "../../../../src/client/verify/answers.js";
import { Statement } from "../../../../src/client/verify/credit-statement.js";
import { sha256 } from "../../../../src/crypto/hash.js";
import {
  type BlockCertificates,
  BlockCertificatesSchema,
  type ManagerBlockHeader,
} from "../../../../src/gen/bss/v1/block_pb.js";
import { type BlockView, BlockViewSchema } from "../../../../src/gen/bss/v1/query_pb.js";
import { ForkProofSchema } from "../../../../src/gen/bss/v1/vote_pb.js";
import { type MadeBlock, StorageLedger } from "../../../support/storage-ledger.js";
import { genesis, storageIds } from "../../ledger/support/consortium.js";
import { sign } from "../../ledger/support/records.js";

const [nodeId = ""] = storageIds;

function viewOf({ block, certificates, parsed }: MadeBlock): BlockView {
  return create(BlockViewSchema, { block, certificates, height: BigInt(parsed.height) });
}

function chainOf(blocks: number): StorageLedger {
  const ledger = new StorageLedger(genesis, sign);
  for (let i = 0; i < blocks; i++) ledger.extend();
  return ledger;
}

describe("a statement", () => {
  test("follows a chain, and adds up to how its node stands", async () => {
    const ledger = chainOf(20);
    const statement = new Statement(nodeId, genesis);
    for (const made of ledger.appended) await statement.add(viewOf(made));
    assert.equal(statement.height, 20);
    assert.deepEqual(statement.node, ledger.head.members.storageNode(nodeId));
    assert.ok(statement.entries.length > 0);
    assert.ok(statement.entries.every((entry) => entry.nodeId === nodeId));
    const credit = statement.entries.reduce((sum, each) => sum + each.creditDelta, 100);
    const reward = statement.entries.reduce((sum, each) => sum + each.rewardDelta, 0n);
    assert.equal(credit, statement.node?.credit);
    assert.equal(reward, statement.node?.reward);
  });

  const spoiled: readonly [string, (made: MadeBlock) => BlockView][] = [
    ["has no certificates", (made) => create(BlockViewSchema, { block: made.block, height: 3n })],
    ["has no content", (made) => create(BlockViewSchema, { certificates: made.certificates })],
    ["is not signed by those who signed it", (made) => withCertificates(made, spoilCommit)],
    ["names a storage node that did not attest", (made) => withCertificates(made, spoilIntegrity)],
    ["lacks a leaf", (made) => withoutLeaf(made)],
  ];
  for (const [what, spoil] of spoiled) {
    test(`refuses a block that ${what}, and stays where it was`, async () => {
      const [first, second, third] = chainOf(3).appended.map((made) => made);
      const statement = new Statement(nodeId, genesis);
      for (const made of [first, second]) await statement.add(viewOf(defined(made, "3 blocks")));
      const before = [...statement.entries];
      const view = spoil(defined(third, "3 blocks"));
      await assert.rejects(statement.add(view), UntrueAnswer);
      assert.equal(statement.height, 2);
      assert.deepEqual(statement.entries, before);
      await statement.add(viewOf(defined(third, "3 blocks")));
    });
  }

  const signedWrong: readonly [string, Partial<ManagerBlockHeader>, RegExp][] = [
    [
      "other members",
      { membersDigest: sha256(utf8("members")) },
      /members after the block have another digest/,
    ],
    [
      "another block before it",
      { previousBlockId: sha256(utf8("block")) },
      /The block does not follow the head/,
    ],
  ];
  for (const [what, header, message] of signedWrong) {
    test(`refuses a block that states ${what}, although a quorum signed it`, async () => {
      const ledger = chainOf(2);
      const statement = new Statement(nodeId, genesis);
      for (const made of ledger.appended) await statement.add(viewOf(made));
      await assert.rejects(statement.add(viewOf(ledger.make({ header }))), message);
      assert.equal(statement.height, 2);
    });
  }

  test("refuses a block that is left out", async () => {
    const [first, , third] = chainOf(3).appended;
    const statement = new Statement(nodeId, genesis);
    await statement.add(viewOf(defined(first, "3 blocks")));
    await assert.rejects(statement.add(viewOf(defined(third, "3 blocks"))), UntrueAnswer);
  });
});

describe("a fork", () => {
  const [one] = chainOf(1).appended;
  const other = new StorageLedger(genesis, sign).make({ records: 5 });
  const first = one?.certificates.commit;
  const second = other.certificates.commit;

  test("is proven by two certificates, and names who committed to both", async () => {
    const proof = create(ForkProofSchema, { ...(first && { first }), ...(second && { second }) });
    const fork = await provenFork(proof, genesis);
    assert.equal(fork?.height, 1);
    assert.deepEqual(fork?.blockIds, [first?.blockId, second?.blockId]);
    assert.ok((fork?.accusedIds.length ?? 0) > 0);
  });

  test("is not proven by one block, by one certificate, or by a signature that fails", async () => {
    const same = create(ForkProofSchema, { ...(first && { first, second: first }) });
    const half = create(ForkProofSchema, { ...(first && { first }) });
    const forged = create(ForkProofSchema, {
      ...(first && { first }),
      second: defined(
        spoilCommit(clone(BlockCertificatesSchema, other.certificates)).commit,
        "a block has a commit certificate",
      ),
    });
    for (const proof of [same, half, forged]) {
      assert.equal(await provenFork(proof, genesis), undefined);
    }
  });
});

function withCertificates(
  made: MadeBlock,
  spoil: (certificates: BlockCertificates) => BlockCertificates,
): BlockView {
  const certificates = spoil(clone(BlockCertificatesSchema, made.certificates));
  return viewOf({ ...made, certificates });
}

function spoilCommit(certificates: BlockCertificates): BlockCertificates {
  flipOneBit(defined(certificates.commit?.signatures[0], "somebody committed").signature);
  return certificates;
}

function spoilIntegrity(certificates: BlockCertificates): BlockCertificates {
  flipOneBit(defined(certificates.integrity?.signatures[0], "somebody attested").signature);
  return certificates;
}

function flipOneBit(signature: Uint8Array): void {
  signature[40] = (signature[40] ?? 0) ^ 1;
}

function withoutLeaf(made: MadeBlock): BlockView {
  const { block, ...rest } = made;
  return viewOf({ ...rest, block: { ...block, leaves: block.leaves.slice(1) } });
}
