import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { SignatureCache } from "../../../../src/crypto/signature-cache.js";
import {
  BlockCertificatesSchema,
  type CommitCertificate,
  CommitCertificateSchema,
} from "../../../../src/gen/bss/v1/block_pb.js";
import {
  type ForkProof,
  ForkProofSchema,
  type ManagerBlocks,
  ManagerBlocksSchema,
} from "../../../../src/gen/bss/v1/vote_pb.js";
import { commitDigest } from "../../../../src/ledger/certificates/vote-digests.js";
import { ForkWatch, forkMessage } from "../../../../src/manager/supervision/fork-watch.js";
import { consortiumId, genesis } from "../../ledger/support/consortium.js";
import { sign } from "../../ledger/support/records.js";

const height = 7;
const askedAgainMs = 10_000;

/** A certificate for a made-up block. */
function commitOf(
  block: number,
  signers: readonly string[],
  at = height,
  round = 0,
): CommitCertificate {
  const blockId = new Uint8Array(32).fill(block);
  const digest = commitDigest({ consortiumId, height: at, round, blockId });
  return create(CommitCertificateSchema, {
    height: BigInt(at),
    round,
    blockId,
    signatures: signers.map((managerId) => ({ managerId, signature: sign(managerId, digest) })),
  });
}

const own = commitOf(1, ["manager-1", "manager-2", "manager-3"]);
const forkers = ["manager-2", "manager-3", "manager-4"];
const forked = commitOf(2, forkers);
const elsewhere = commitOf(2, forkers, height + 1);

function answer(commit: CommitCertificate): ManagerBlocks {
  return create(ManagerBlocksSchema, { blocks: [{ certificates: { commit } }] });
}

describe("the watch for forks", () => {
  let watch: ForkWatch;
  let asked: (readonly [peer: string, height: number])[];
  let saved: ForkProof[];
  let proven: ForkProof[];
  let dropped: string[];
  let nowMs: number;

  beforeEach(() => {
    asked = [];
    saved = [];
    proven = [];
    dropped = [];
    nowMs = 0;
    watch = new ForkWatch(
      {
        consortiumId,
        members: () => genesis.members,
        signatures: new SignatureCache(),
        monotonicMs: () => nowMs,
        store: {
          certificatesAt: async (at) =>
            at === height ? create(BlockCertificatesSchema, { commit: own }) : undefined,
          offences: { saveForkProof: async (proof) => void saved.push(proof) },
        },
        observer: { dropped: (_, reason) => dropped.push(reason) },
      },
      {
        peers: { fetchBlocks: (peer, at) => asked.push([peer, at]) > 0 },
        onProven: (proof) => {
          assert.deepEqual(saved, [proof], "it is on disk first");
          proven.push(proof);
        },
      },
    );
  });

  test("asks a manager for the block that it holds, and not at each of its heads", () => {
    watch.ask("manager-4", height);
    watch.ask("manager-4", height + 1);
    watch.ask("manager-3", height);
    nowMs += askedAgainMs;
    watch.ask("manager-4", height + 2);
    watch.ask("manager-2", 0);
    assert.deepEqual(asked, [
      ["manager-4", height],
      ["manager-3", height],
      ["manager-4", height + 2],
    ]);
  });

  test("proves a fork by two certificates, once", async () => {
    watch.ask("manager-4", height);
    assert.equal(await watch.takeAnswer("manager-4", answer(forked)), true);
    assert.deepEqual(proven, [create(ForkProofSchema, { first: own, second: forked })]);
    await watch.take("manager-3", create(ForkProofSchema, { first: forked, second: own }));
    assert.equal(proven.length, 1);
    assert.match(forkMessage(create(ForkProofSchema, { first: own, second: forked })), /height 7/);
    const [proof] = proven;
    assert.ok(proof);
    assert.match(forkMessage(proof), /committed to both: manager-2, manager-3$/);
  });

  test("leaves answers to others' questions alone", async () => {
    assert.equal(await watch.takeAnswer("manager-4", answer(forked)), false);
    watch.ask("manager-4", height);
    assert.equal(await watch.takeAnswer("manager-3", answer(forked)), false);
    assert.equal(await watch.takeAnswer("manager-4", answer(elsewhere)), false);
    assert.equal(await watch.takeAnswer("manager-4", create(ManagerBlocksSchema)), false);
    assert.deepEqual([proven, dropped], [[], []]);
  });

  test("is content when the manager holds the same block after all", async () => {
    watch.ask("manager-4", height);
    const same = commitOf(1, forkers);
    assert.equal(await watch.takeAnswer("manager-4", answer(same)), true);
    assert.deepEqual([proven, dropped], [[], []]);
  });

  test("believes a proof by anybody, of any height", async () => {
    const all = ["manager-1", "manager-2", "manager-3", "manager-4"];
    const [first, second] = [commitOf(1, all, 99, 1), commitOf(2, all, 99, 4)];
    await watch.take("manager-4", create(ForkProofSchema, { first, second }));
    assert.equal(proven.length, 1);
  });

  const tooFew = commitOf(2, ["manager-2", "manager-4"]);
  const forged = create(CommitCertificateSchema, {
    ...forked,
    signatures: forked.signatures.map((entry) => ({ ...entry, signature: new Uint8Array(64) })),
  });
  const stranger = commitOf(2, ["manager-2", "manager-3", "storage-1"]);
  for (const [why, proof] of [
    ["is empty", {}],
    ["has one certificate", { first: own }],
    ["is about one block", { first: own, second: own }],
    ["is about two heights", { first: own, second: elsewhere }],
    ["has a certificate of too few", { first: own, second: tooFew }],
    ["has a certificate of a stranger", { first: own, second: stranger }],
    ["has a forged certificate", { first: forged, second: own }],
  ] as const) {
    test(`does not believe a proof that ${why}`, async () => {
      await watch.take("manager-4", create(ForkProofSchema, proof));
      assert.deepEqual([saved, proven], [[], []]);
      assert.deepEqual(dropped, ["FORK_NOT_PROVEN"]);
    });
  }
});
