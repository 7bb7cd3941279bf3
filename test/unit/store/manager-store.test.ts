import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { toBinary } from "@bufbuild/protobuf";
import { AssertionFailed, defined } from "../../../src/base/assert.js";
import { emptyBytes, toHex } from "../../../src/base/bytes.js";
import { sha256 } from "../../../src/crypto/hash.js";
import { unsealRecord } from "../../../src/crypto/seal.js";
import {
  BlockCertificatesSchema,
  CertifiedManagerBlockSchema,
  ManagerBlockSchema,
} from "../../../src/gen/bss/v1/block_pb.js";
import { leafHashOf } from "../../../src/ledger/blocks/block-hashes.js";
import { parseBlock } from "../../../src/ledger/blocks/block-parsing.js";
import { appendLeaves, emptyFrontier, rootOf } from "../../../src/ledger/merkle/frontier.js";
import { verifyConsistency, verifyInclusion } from "../../../src/ledger/merkle/verify.js";
import { genesisHead } from "../../../src/ledger/state/head.js";
import { stateKeys } from "../../../src/ledger/state/state-keys.js";
import { ManagerStore } from "../../../src/store/manager-store.js";
import { gather } from "../../support/gather.js";
import { epochKey, genesis } from "../ledger/support/consortium.js";
import { accepted } from "../ledger/support/outcome.js";
import { documentBytes, hashOf, seedOf } from "../ledger/support/records.js";
import { blockAt, blocks, operations, records, updates, versions } from "./support/chain.js";
import { contentOf, disks, type TestDisk } from "./support/disks.js";

const unseal = (hash: Uint8Array, sealed: Uint8Array) => unsealRecord(epochKey, hash, sealed);
const last = defined(blocks.at(-1), "the chain has blocks");
const treeSize = last.executed.facts.treeSize;

for (const [name, createDisk] of disks) {
  describe(`a manager's store on ${name}`, () => {
    let disk: TestDisk;
    let store: ManagerStore;
    before(async () => {
      disk = await createDisk();
      store = await ManagerStore.open(await disk.open(), genesis);
      for (const block of blocks) await store.append(block);
      await store.close();
      store = await ManagerStore.open(await disk.open(), genesis);
    });
    after(async () => {
      await store.close();
      await disk.remove();
    });

    test("opens at the head that was appended last, with its certificates", () => {
      assert.deepEqual(store.head, last.executed.head);
      assert.deepEqual(store.headCertificates, last.certificates);
      assert.deepEqual(store.readerHead, last.executed.head);
    });

    testBlocks(() => store);
    testRecords(() => store);
    testState(() => store);
    testMembers(() => store);
  });
}

function testBlocks(store: () => ManagerStore): void {
  test("gives back each block whole, its records unsealed", async () => {
    for (const { block, executed } of blocks) {
      const { height, blockId } = executed.facts;
      const found = defined(await store().managerBlockAt(height, unseal), "the block is stored");
      assert.deepEqual(found.block, block);
      assert.equal(await store().heightOfBlock(blockId), height);
      assert.deepEqual((await store().finalBlock(height))?.block, block.block);
    }
  });

  test("keeps the certificates that the next block carries, and its own at the head", async () => {
    for (const { executed, certificates } of blocks) {
      const { height } = executed.facts;
      const found = defined(await store().certificatesAt(height), "there are certificates");
      if (height === blocks.length) {
        assert.deepEqual(found, certificates);
      } else {
        const canonical = blockAt(height + 1).block.block?.previousCertificates;
        assert.deepEqual(toBinary(BlockCertificatesSchema, found), canonical);
        assert.notDeepEqual(found, certificates);
      }
      assert.deepEqual((await store().finalBlock(height))?.certificates, found);
    }
  });

  test("ships to storage nodes the public block and sealed records, and nothing else", async () => {
    for (const { block, executed } of blocks) {
      const shipped = defined(
        await store().storageBlockAt(executed.facts.height),
        "the block is stored",
      );
      assert.deepEqual(shipped.block, block.block);
      assert.deepEqual(shipped.sealedRecords, executed.sealed);
      assert.deepEqual(Object.keys(shipped).sort(), [
        "$typeName",
        "block",
        "certificates",
        "sealedRecords",
      ]);
    }
  });

  test("has no block at 0, above the head, or for an id that is none", async () => {
    for (const height of [0, blocks.length + 1]) {
      assert.equal(await store().finalBlock(height), undefined);
      assert.equal(await store().storageBlockAt(height), undefined);
      assert.equal(await store().managerBlockAt(height, unseal), undefined);
      assert.equal(await store().certificatesAt(height), undefined);
    }
    assert.equal(await store().heightOfBlock(genesis.consortiumId), undefined);
    assert.equal(await store().heightOfBlock(seedOf("no block")), undefined);
  });

  test("refuses to ship a record that does not unseal to what its leaf names", async () => {
    for (const wrong of [() => undefined, () => documentBytes()]) {
      await assert.rejects(store().managerBlockAt(1, wrong), { code: "CORRUPT" });
    }
  });
}

function testRecords(store: () => ManagerStore): void {
  test("finds every record by its hash and by its position", async () => {
    for (const { executed, block } of blocks) {
      for (const [i, { record, position }] of executed.placed.entries()) {
        const leaf = defined(block.block?.leaves[i], "a placed record has a leaf");
        assert.deepEqual(await store().location(record.hash), {
          height: executed.facts.height,
          position,
          sealDigest: leaf.sealDigest,
        });
        const { height } = executed.facts;
        const stored = await store().sealedRecordsAt([position]);
        assert.deepEqual(stored, [{ height, recordHash: record.hash, sealed: executed.sealed[i] }]);
      }
    }
    const hashes = [hashOf(records.trade), seedOf("no record"), hashOf(records.reading)];
    const found = await store().locations(hashes);
    assert.deepEqual(
      found.map((location) => location?.position),
      [3, undefined, 0],
    );
    assert.equal(await store().location(seedOf("no record")), undefined);
    assert.deepEqual(await store().sealedRecordsAt([treeSize]), [undefined]);
  });

  test("holds a log whose root, rebuilt from the records themselves, is the head's", async () => {
    const leafHashes: Uint8Array[] = [];
    for (let position = 0; position < treeSize; position++) {
      const [record] = await store().sealedRecordsAt([position]);
      const { recordHash, sealed } = defined(record, "a record");
      const sealDigest = sha256(sealed);
      leafHashes.push(leafHashOf({ recordHash, sealDigest }));
    }
    const { frontier } = appendLeaves(emptyFrontier, leafHashes);
    assert.deepEqual(frontier, store().head.frontier);
    assert.deepEqual(rootOf(frontier), last.executed.facts.hash1);
  });

  test("proves inclusion and consistency at every size that a block had", async () => {
    for (const { block, executed } of blocks) {
      const { treeSize: size, hash1 } = executed.facts;
      assert.deepEqual(await store().rootAt(size), hash1);
      const { leafHashes } = accepted(parseBlock(defined(block.block, "a block is there")));
      for (const [i, leafHash] of leafHashes.entries()) {
        const leafIndex = size - leafHashes.length + i;
        const proof = await store().inclusionProof(leafIndex, treeSize);
        const root = last.executed.facts.hash1;
        assert.ok(verifyInclusion({ leafHash, leafIndex, treeSize, proof, root }));
      }
      const consistency = {
        fromSize: size,
        fromRoot: hash1,
        toSize: treeSize,
        toRoot: last.executed.facts.hash1,
        proof: await store().consistencyProof(size, treeSize),
      };
      assert.ok(verifyConsistency(consistency));
    }
  });

  test("knows which version updates which", async () => {
    const [first, second, third] = versions.map(hashOf);
    assert.deepEqual(await store().successor(first ?? emptyBytes), second);
    assert.deepEqual(await store().successor(hashOf(updates.second)), third);
    assert.equal(await store().successor(third ?? emptyBytes), undefined);
    assert.equal(await store().successor(seedOf("no record")), undefined);
    const owner = await store().participant("participant-1");
    assert.notEqual(owner?.number, undefined);
    assert.equal((await store().recordState(first ?? emptyBytes))?.ownerNumber, owner?.number);
  });
}

function testState(store: () => ManagerStore): void {
  test("gives the state after the head, with the keys asked for and no others", async () => {
    const expected = new Map(
      [{ executed: genesisHead(genesis) }, ...blocks]
        .flatMap(({ executed }) => executed.stateWrites)
        .map((write) => [toHex(write.key), write]),
    );
    const absent = stateKeys.participant("nobody");
    const keys = [...expected.values()].map(({ key }) => key);
    const state = await store().state([...keys, absent, ...keys]);
    for (const { key, value } of expected.values()) assert.deepEqual(state.get(key), value);
    assert.equal(state.get(absent), undefined);
    assert.throws(() => state.get(stateKeys.participant("not-asked")), AssertionFailed);
  });

  test("knows participants and meters of genesis and of blocks", async () => {
    for (const id of ["participant-1", "participant-5"]) {
      const participant = await store().participant(id);
      assert.deepEqual(participant?.tlsSpkiSha256, seedOf(`tls of ${id}`));
    }
    assert.equal((await store().meter("meter-2"))?.ownerId, "participant-2");
    assert.equal(await store().participant("nobody"), undefined);
    assert.equal(await store().meter("nothing"), undefined);
  });
}

function testMembers(store: () => ManagerStore): void {
  test("tells changes of membership, those of genesis first, without participants", async () => {
    const history = await gather(store().membershipHistory());
    const admissions = history.flatMap(({ height, operation: { operation } }) =>
      operation.case === "admitStorageNode" ? [[height, operation.value.nodeId]] : [],
    );
    assert.deepEqual(admissions, [
      [0, "storage-1"],
      [0, "storage-2"],
      [0, "storage-3"],
      [0, "storage-4"],
      [2, "storage-5"],
    ]);
    assert.deepEqual(history.at(-1)?.operation, operations[0]);
    for (const [i, from] of history.entries()) {
      assert.deepEqual(await gather(store().membershipHistory(from)), history.slice(i));
    }
  });

  test("tells the last attestation of each node that a canonical certificate names", async () => {
    const attested = new Map<string, number>();
    for (const { certificates, executed } of blocks.slice(0, -1)) {
      for (const { nodeId } of certificates.integrity?.signatures ?? []) {
        attested.set(nodeId, executed.facts.height);
      }
    }
    assert.ok(attested.size > 0);
    const ids = [...attested.keys(), "storage-9"];
    assert.deepEqual(await store().lastAttestedHeights(ids), attested);
    assert.deepEqual(await store().lastAttestedHeights([]), new Map());
  });
}

describe("a manager's store", () => {
  test("holds genesis after its first opening", async () => {
    for (const [, createDisk] of disks) {
      const disk = await createDisk();
      const store = await ManagerStore.open(await disk.open(), genesis);
      assert.deepEqual(store.head, genesisHead(genesis).head);
      assert.equal(store.headCertificates, undefined);
      assert.deepEqual(await store.rootAt(0), rootOf(emptyFrontier));
      assert.equal((await store.participant("participant-1"))?.height, 0n);
      await store.close();
      await disk.remove();
    }
  });

  test("stores no record in the clear", async () => {
    const disk = await defined(disks[0], "there is memory")[1]();
    const kv = await disk.open();
    const store = await ManagerStore.open(kv, genesis);
    for (const block of blocks) await store.append(block);
    const content = [...(await contentOf(kv)).values()].join("\n");
    for (const bytes of Object.values(records)) assert.ok(!content.includes(toHex(bytes)));
  });

  test("takes only the block after its head", async () => {
    const disk = await defined(disks[0], "there is memory")[1]();
    const store = await ManagerStore.open(await disk.open(), genesis);
    await store.append(blockAt(1));
    for (const height of [1, 3])
      await assert.rejects(store.append(blockAt(height)), AssertionFailed);
    assert.equal(store.head.height, 1);
  });

  test("ships blocks that encode and decode as they are", async () => {
    const disk = await defined(disks[0], "there is memory")[1]();
    const store = await ManagerStore.open(await disk.open(), genesis);
    await store.append(blockAt(1));
    const shipped = defined(await store.managerBlockAt(1, unseal), "the block is stored");
    const { block, certificates } = blockAt(1);
    assert.deepEqual(
      toBinary(ManagerBlockSchema, defined(shipped.block, "it is whole")),
      toBinary(ManagerBlockSchema, block),
    );
    assert.deepEqual(shipped.certificates, certificates);
    assert.ok(toBinary(CertifiedManagerBlockSchema, shipped).length > 0);
  });
});
