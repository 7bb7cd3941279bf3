import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { AssertionFailed, defined } from "../../../src/base/assert.js";
import { toHex, utf8 } from "../../../src/base/bytes.js";
import { sha256 } from "../../../src/crypto/hash.js";
import { type Attestation, AttestationSchema } from "../../../src/gen/bss/v1/vote_pb.js";
import { leafHashOf } from "../../../src/ledger/blocks/block-hashes.js";
import { appendLeaves, emptyFrontier, rootOf } from "../../../src/ledger/merkle/frontier.js";
import { verifyConsistency } from "../../../src/ledger/merkle/verify.js";
import { genesisStorageHead } from "../../../src/ledger/storage-nodes/storage-head.js";
import type { ChainStore } from "../../../src/storage-node/chain/chain-ports.js";
import { buckets } from "../../../src/store/buckets.js";
import { bucketKey } from "../../../src/store/key-codec.js";
import { ManagerStore } from "../../../src/store/manager-store.js";
import { type AttestedCandidate, StorageNodeStore } from "../../../src/store/storage-node-store.js";
import { gather } from "../../support/gather.js";
import { createMemoryDisk } from "../../support/memory-store.js";
import { genesis } from "../ledger/support/consortium.js";
import { seedOf } from "../ledger/support/records.js";
import { blockAt, blocks, records, storageBlocks } from "./support/chain.js";
import { contentOf, disks, keysIn, type TestDisk } from "./support/disks.js";

const last = defined(storageBlocks.at(-1), "the chain has blocks");
const treeSize = last.head.frontier.size;

for (const [name, createDisk] of disks) {
  describe(`a storage node's store on ${name}`, () => {
    let disk: TestDisk;
    let store: StorageNodeStore;
    before(async () => {
      disk = await createDisk();
      store = await StorageNodeStore.open(await disk.open(), genesis);
      for (const block of storageBlocks) await store.append(block);
      await store.close();
      store = await StorageNodeStore.open(await disk.open(), genesis);
    });
    after(async () => {
      await store.close();
      await disk.remove();
    });

    test("opens at the head that was appended last, with its certificates", () => {
      assert.deepEqual(store.head, last.head);
      assert.deepEqual(store.headCertificates, last.certificates);
      assert.deepEqual(store.readerHead.blockId, last.head.managerBlockId);
    });

    testReads(() => store);
  });
}

function testReads(store: () => StorageNodeStore): void {
  test("gives back blocks with sealed records, certificates and storage header", async () => {
    for (const { block, sealedRecords, storageHeader, head } of storageBlocks) {
      const { height, managerBlockId } = head;
      const shipped = defined(await store().storageBlockAt(height), "the block is stored");
      const final = defined(await store().finalBlock(height), "the block is stored");
      assert.deepEqual(shipped.block, block);
      assert.deepEqual(shipped.sealedRecords, sealedRecords);
      assert.deepEqual(final.block, block);
      assert.deepEqual(final.storageHeader, storageHeader.headerBytes);
      assert.deepEqual(shipped.certificates, final.certificates);
      assert.equal(await store().heightOfBlock(managerBlockId), height);
    }
    assert.equal(await store().finalBlock(0), undefined);
    assert.equal(await store().storageBlockAt(storageBlocks.length + 1), undefined);
  });

  test("reads what a manager's store reads", async () => {
    const managers = await ManagerStore.open(await createMemoryDisk().open(), genesis);
    for (const block of blocks) await managers.append(block);
    for (let height = 1; height <= blocks.length; height++) {
      const shipped = await store().storageBlockAt(height);
      assert.deepEqual(shipped, await managers.storageBlockAt(height));
    }
    for (let position = 0; position < treeSize; position++) {
      const [stored] = await store().sealedRecordsAt([position]);
      const record = defined(stored, "a record is stored");
      assert.deepEqual([record], await managers.sealedRecordsAt([position]));
      const location = await store().location(record.recordHash);
      assert.deepEqual(location, await managers.location(record.recordHash));
    }
    const ids = ["storage-1", "storage-2", "storage-3", "storage-4"];
    const history = await gather(managers.membershipHistory());
    assert.deepEqual(await gather(store().membershipHistory()), history);
    const attested = await store().lastAttestedHeights(ids);
    assert.deepEqual(attested, await managers.lastAttestedHeights(ids));
    await managers.close();
  });

  test("holds a log whose root, rebuilt from its records, is the managers' HASH1", async () => {
    const leafHashes: Uint8Array[] = [];
    for (let position = 0; position < treeSize; position++) {
      const [record] = await store().sealedRecordsAt([position]);
      const { recordHash, sealed } = defined(record, "a record");
      leafHashes.push(leafHashOf({ recordHash, sealDigest: sha256(sealed) }));
    }
    const { frontier } = appendLeaves(emptyFrontier, leafHashes);
    assert.deepEqual(frontier, store().head.frontier);
    assert.deepEqual(rootOf(frontier), blockAt(blocks.length).executed.facts.hash1);
  });

  test("proves consistency between the sizes of all blocks", async () => {
    const toRoot = rootOf(last.head.frontier);
    for (const { head } of storageBlocks) {
      const fromSize = head.frontier.size;
      const proof = await store().consistencyProof(fromSize, treeSize);
      const fromRoot = await store().rootAt(fromSize);
      assert.deepEqual(fromRoot, rootOf(head.frontier));
      assert.ok(verifyConsistency({ fromSize, fromRoot, toSize: treeSize, toRoot, proof }));
    }
  });

  test("knows the certificates of participants, of genesis and of blocks", async () => {
    for (const id of ["participant-1", "head-end", "participant-5"]) {
      assert.deepEqual(await store().participantSpki(id), seedOf(`tls of ${id}`));
    }
    for (const id of ["nobody", "storage-5", "participant"]) {
      assert.equal(await store().participantSpki(id), undefined);
    }
  });
}

describe("a storage node's store", () => {
  test("holds genesis after its first opening", async () => {
    const { store } = await openStore();
    assert.deepEqual(store.head, genesisStorageHead(genesis));
    assert.equal(store.headCertificates, undefined);
    assert.deepEqual(await store.loadCandidates(), []);
    const asChain: ChainStore = store;
    assert.equal(asChain.head.height, 0);
  });

  test("holds no plaintext, no submission header and no private entry", async () => {
    const { kv, store } = await openStore();
    for (const block of storageBlocks) await store.append(block);
    const content = [...(await contentOf(kv)).values()].join("\n");
    for (const bytes of Object.values(records)) assert.ok(!content.includes(toHex(bytes)));
    for (const { block } of blocks) {
      for (const entry of block.privateEntries) assert.ok(!content.includes(toHex(entry)));
    }
  });

  test("takes only the block after its head", async () => {
    const { store } = await openStore();
    const [first, second, third] = storageBlocks.map((block) => () => store.append(block));
    await first?.();
    for (const append of [first, third])
      await assert.rejects(async () => append?.(), AssertionFailed);
    await second?.();
    assert.equal(store.head.height, 2);
  });

  test("takes up its check anew when what it has kept of it is damaged", async () => {
    const { kv, store } = await openStore();
    const nothing = { height: 0, lastPassUnixMs: 0 };
    assert.deepEqual(await store.scrubState(), nothing);
    await store.saveScrub({ height: 5, lastPassUnixMs: 7 });
    assert.deepEqual(await store.scrubState(), { height: 5, lastPassUnixMs: 7 });
    const key = bucketKey(buckets.meta, utf8("scrub"));
    for (const length of [0, 8, 15, 16, 17]) {
      const value = new Uint8Array(length).fill(0xff);
      await kv.write([{ type: "put", key, value }], "sync");
      assert.deepEqual(await store.scrubState(), nothing);
    }
  });

  test("keeps the first evidence of a fork for ever", async () => {
    const { disk, store } = await openStore();
    assert.equal(await store.forkEvidence(), undefined);
    await store.saveForkEvidence(utf8("two certificates"));
    await store.saveForkEvidence(utf8("two others"));
    disk.crash();
    const again = await StorageNodeStore.open(await disk.open(), genesis);
    assert.deepEqual(await again.forkEvidence(), utf8("two certificates"));
  });
});

async function openStore() {
  const disk = createMemoryDisk();
  const kv = await disk.open();
  return { disk, kv, store: await StorageNodeStore.open(kv, genesis) };
}

function attested(round: number, index = 0, signedBy = "storage-1"): AttestedCandidate {
  const { block, sealedRecords, head } = defined(storageBlocks[index], "the chain has blocks");
  return { block, sealedRecords, round, attestation: attestation(head.managerBlockId) };

  function attestation(blockId: Uint8Array): Attestation {
    return create(AttestationSchema, {
      height: 1n,
      round,
      blockId,
      nodeId: signedBy,
      signature: seedOf(`${signedBy} ${round} ${index}`),
    });
  }
}

describe("what a storage node has attested", () => {
  for (const [name, createDisk] of disks) {
    test(`is there after a restart with its blocks, on ${name}`, async () => {
      const disk = await createDisk();
      const store = await StorageNodeStore.open(await disk.open(), genesis);
      const all = [attested(0), attested(2, 3), attested(300), attested(301, 3)];
      for (const candidate of all.toReversed()) await store.saveCandidate(candidate);
      await store.close();
      const again = await StorageNodeStore.open(await disk.open(), genesis);
      assert.deepEqual(await again.loadCandidates(), all);
      await again.close();
      await disk.remove();
    });
  }

  test("survives the death of the machine once it is saved", async () => {
    const { disk, store } = await openStore();
    await store.saveCandidate(attested(0));
    disk.crash();
    const again = await StorageNodeStore.open(await disk.open(), genesis);
    assert.deepEqual(await again.loadCandidates(), [attested(0)]);
  });

  test("is one thing per round, also after a restart; the same again is allowed", async () => {
    const { disk, store } = await openStore();
    await store.saveCandidate(attested(0));
    await store.saveCandidate(attested(0));
    await assert.rejects(store.saveCandidate(attested(0, 3)), AssertionFailed);
    await store.close();
    const again = await StorageNodeStore.open(await disk.open(), genesis);
    await assert.rejects(again.saveCandidate(attested(0, 3)), AssertionFailed);
    await again.saveCandidate(attested(0));
    assert.deepEqual(await again.loadCandidates(), [attested(0)]);
  });

  test("is about the candidate, its round and the next height", async () => {
    const { store } = await openStore();
    const right = attested(0);
    const wrong: readonly Partial<Attestation>[] = [
      { height: 2n },
      { round: 1 },
      { blockId: seedOf("another block") },
    ];
    for (const change of wrong) {
      const attestation = { ...right.attestation, ...change };
      await assert.rejects(store.saveCandidate({ ...right, attestation }), AssertionFailed);
    }
    assert.deepEqual(await store.loadCandidates(), []);
  });

  test("goes with the block that decides the height, also after a restart", async () => {
    for (const restart of [false, true]) {
      const { disk, ...opened } = await openStore();
      let { kv, store } = opened;
      await store.saveCandidate(attested(0));
      await store.saveCandidate(attested(1, 3));
      assert.equal((await keysIn(kv, buckets.attestationLog)).length, 2);
      assert.equal((await keysIn(kv, buckets.candidate)).length, 2);
      if (restart) {
        disk.crash();
        kv = await disk.open();
        store = await StorageNodeStore.open(kv, genesis);
      }
      await store.append(defined(storageBlocks[0], "the chain has blocks"));
      assert.deepEqual(await keysIn(kv, buckets.attestationLog), []);
      assert.deepEqual(await keysIn(kv, buckets.candidate), []);
      assert.deepEqual(await store.loadCandidates(), []);
    }
  });

  test("is left out when its block is lost", async () => {
    const { kv, store } = await openStore();
    await store.saveCandidate(attested(0));
    for (const hex of await keysIn(kv, buckets.candidate)) {
      await kv.write([{ type: "delete", key: Buffer.from(hex, "hex") }], "sync");
    }
    assert.deepEqual(await store.loadCandidates(), []);
  });
});
