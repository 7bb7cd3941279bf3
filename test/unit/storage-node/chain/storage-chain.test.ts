import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clone, create, fromBinary } from "@bufbuild/protobuf";
import { defined } from "../../../../src/base/assert.js";
import { toHex, utf8, utf8Decode } from "../../../../src/base/bytes.js";
import { sha256 } from "../../../../src/crypto/hash.js";
import {
  BlockCertificatesSchema,
  StorageBlockHeaderSchema,
} from "../../../../src/gen/bss/v1/block_pb.js";
import {
  type ControlOperation,
  ControlOperationSchema,
} from "../../../../src/gen/bss/v1/genesis_pb.js";
import { storageBlockId } from "../../../../src/ledger/blocks/storage-blocks.js";
import { findingDigest } from "../../../../src/ledger/certificates/vote-digests.js";
import { rootOf } from "../../../../src/ledger/merkle/frontier.js";
import { blocksMax } from "../../../../src/storage-node/chain/candidates.js";
import {
  headRepeatedMs,
  headsApartMs,
  patienceMs,
} from "../../../../src/storage-node/chain/storage-chain.js";
import { answerTimeoutMs } from "../../../../src/sync/sync-plan.js";
import { consortiumId, floorPolicy, policy } from "../../ledger/support/consortium.js";
import { sign } from "../../ledger/support/records.js";
import { resume, suspend } from "../../ledger/support/statements.js";
import { ChainWorld } from "../support/chain-world.js";

describe("a final block", () => {
  test("of which no operation is wrong changes who must accept the next", async () => {
    const world = await ChainWorld.open("storage-1", floorPolicy);
    await world.commit(world.ledger.extend({ control: [suspend("manager-2")] }));
    await world.commit(world.ledger.extend());
    await world.commit(world.ledger.extend({ control: [resume("manager-2", 1, 2)] }));
    await world.crash();
    await world.commit(world.ledger.extend());
    assert.equal(world.height, 4);
    const required = world.ledger.appended.map(({ facts }) => facts.requiredAccepts.length);
    assert.deepEqual(required, [3, 3, 4, 4]);
    assert.deepEqual(world.dropped, []);
  });

  test("is told to all managers, of several that come fast only the last", async () => {
    const world = await ChainWorld.open();
    for (let height = 1; height <= 4; height++) await world.commit(world.ledger.extend());
    assert.deepEqual(world.heads, [1]);
    world.pass(headsApartMs - 1);
    assert.deepEqual(world.heads, [1]);
    world.pass(1);
    assert.deepEqual(world.heads, [1, 4]);
    world.pass(headsApartMs);
    assert.deepEqual(world.heads, [1, 4], "nothing is new");
  });

  test("whose news is lost is missed when the head is told again", async () => {
    const world = await ChainWorld.open();
    await world.commit(world.ledger.extend());
    const lost = world.ledger.extend();
    world.pass(headRepeatedMs - 1);
    assert.deepEqual(world.heads, [1]);
    world.pass(1);
    assert.deepEqual(world.heads, [1, 1]);
    await world.commit(lost, { block: false });
    await world.answer([lost]);
    assert.equal(world.height, 2);
    world.pass(headsApartMs);
    assert.deepEqual(world.heads, [1, 1, 2]);
  });

  test("is appended with its records, and all managers are told the new head", async () => {
    const world = await ChainWorld.open();
    const made = world.ledger.extend();
    await world.commit(made);
    assert.equal(world.height, 1);
    assert.deepEqual(world.heads, [1]);
    assert.equal(world.announced, 1);
    assert.deepEqual(rootOf(world.store.head.frontier), made.parsed.header.hash1);
    const [record] = await world.store.sealedRecordsAt([1]);
    assert.deepEqual(record?.sealed, made.sealedRecords[1]);
  });

  test("of which the node has the candidate is appended on the certificates alone", async () => {
    const world = await ChainWorld.open();
    const made = world.makeFor(true);
    await world.verify(made);
    await world.commit(world.ledger.append(made), { block: false });
    assert.equal(world.height, 1);
    assert.deepEqual(world.fetches, []);
  });

  test("is appended on the certificates alone also after a crash", async () => {
    const world = await ChainWorld.open();
    const made = world.makeFor(true);
    await world.verify(made);
    await world.crash();
    await world.commit(world.ledger.append(made), { block: false });
    assert.equal(world.height, 1);
    assert.deepEqual(await world.store.loadCandidates(), []);
  });

  test("is fetched when there were too many candidates to keep it at hand", async () => {
    const world = await ChainWorld.open();
    const first = world.makeFor(true);
    await world.verify(first);
    for (let round = 1; world.attestations.length <= blocksMax; round++) {
      await world.verify(world.makeFor(true, round), { round });
    }
    await world.commit(world.ledger.append(first), { block: false });
    assert.deepEqual(world.fetches, ["manager-1 1"]);
    await world.answer([first]);
    assert.equal(world.height, 1);
  });

  test("that the node lacks is fetched at once from the manager that told it", async () => {
    const world = await ChainWorld.open();
    const made = world.ledger.extend();
    await world.commit(made, { block: false, from: "manager-3" });
    assert.deepEqual(world.fetches, ["manager-3 1"]);
    await world.answer([made], { from: "manager-3" });
    assert.equal(world.height, 1);
  });

  test("survives a crash once it was told of", async () => {
    const world = await ChainWorld.open();
    world.onTell = () => world.disk.crash();
    await world.commit(world.ledger.extend());
    world.onTell = () => {};
    await world.start();
    assert.equal(world.height, 1);
  });

  test("that comes twice is appended once", async () => {
    const world = await ChainWorld.open();
    const made = world.ledger.extend();
    await Promise.all([world.commit(made), world.commit(made, { from: "manager-2" })]);
    assert.equal(world.height, 1);
    assert.deepEqual(world.heads, [1]);
    assert.deepEqual(world.halts, []);
  });

  test("links the storage chain height for height", async () => {
    const world = await ChainWorld.open();
    for (let i = 0; i < 4; i++) await world.commit(world.ledger.extend());
    let previous = world.ledger.genesis.consortiumId;
    for (let height = 1; height <= 4; height++) {
      const final = await world.store.finalBlock(height);
      const headerBytes = final?.storageHeader ?? new Uint8Array();
      const header = fromBinary(StorageBlockHeaderSchema, headerBytes);
      assert.deepEqual(header.previousStorageBlockId, previous);
      assert.deepEqual(header.managerBlockId, world.ledger.at(height).parsed.blockId);
      assert.deepEqual(header.hash2, world.ledger.at(height).parsed.header.hash1);
      previous = storageBlockId(headerBytes);
    }
  });
});

describe("a hostile manager", () => {
  test("cannot have a block appended without enough valid signatures", async () => {
    const world = await ChainWorld.open();
    const made = world.ledger.extend();
    for (const part of ["approval", "integrity", "commit"] as const) {
      const broken = clone(BlockCertificatesSchema, made.certificates);
      const [entry] = broken[part]?.signatures ?? [];
      assert.ok(entry);
      entry.signature = new Uint8Array(64).fill(1);
      await world.commit({ ...made, certificates: broken });
      broken[part]?.signatures.shift();
      await world.commit({ ...made, certificates: broken });
    }
    assert.equal(world.height, 0);
    assert.ok(world.dropped.length >= 5);
    assert.ok(world.dropped.every((entry) => entry === "manager-1 CERTIFICATE_INVALID"));
    await world.commit(made);
    assert.equal(world.height, 1);
  });

  test("cannot pass off other records as the block's", async () => {
    const world = await ChainWorld.open();
    const made = world.ledger.extend();
    await world.commit({ ...made, sealedRecords: [utf8("a"), utf8("b")] });
    assert.deepEqual(world.dropped, ["manager-1 BLOCK_SEAL_MISMATCH"]);
    assert.equal(world.height, 0);
  });

  test("cannot pass off another block under right certificates", async () => {
    const world = await ChainWorld.open();
    const other = world.ledger.make();
    const made = world.ledger.extend();
    await world.commit({ ...other, certificates: made.certificates });
    assert.deepEqual(world.dropped, ["manager-1 CERTIFICATE_INVALID"]);
    assert.equal(world.height, 0);
  });

  test("cannot get a right candidate replaced by shipping a wrong block", async () => {
    const world = await ChainWorld.open();
    const made = world.makeFor(true);
    await world.verify(made);
    world.ledger.append(made);
    await world.commit({ ...made, sealedRecords: [utf8("a"), utf8("b")] });
    assert.equal(world.height, 1);
  });

  test("is dropped and counted for every message that lacks a part", async () => {
    const world = await ChainWorld.open();
    const { certificates, block } = world.ledger.make();
    for (const value of [
      {},
      { certificates: {} },
      { certificates: { commit: { height: 1n, blockId: utf8("short") } } },
      { certificates: { commit: { height: 2n ** 63n, blockId: sha256() } } },
      { certificates, block: {} },
      { certificates, block: { block: { ...block, header: utf8("no") } } },
    ]) {
      await world.send("manager-1", { message: { case: "commit", value } });
    }
    assert.equal(world.dropped.length, 6);
    assert.equal(world.height, 0);
  });

  test("cannot make the node take blocks that it did not ask for", async () => {
    const world = await ChainWorld.open();
    await world.answer([world.ledger.extend()]);
    assert.deepEqual(world.dropped, ["manager-1 NOT_ASKED_FOR"]);
    assert.equal(world.height, 0);
  });

  test("that boasts of heights is asked once, and then others are", async () => {
    const world = await ChainWorld.open();
    const made = world.ledger.extend();
    const boast = { commit: { height: 1_000_000n, blockId: sha256() } };
    await world.send("manager-4", {
      message: { case: "commit", value: { certificates: boast } },
    });
    world.pass(patienceMs);
    await world.answer([], { from: "manager-4", headHeight: 1_000_000 });
    assert.equal(world.blamed.length, 1);
    await world.commit(made, { block: false, from: "manager-2" });
    assert.deepEqual(world.fetches, ["manager-4 1", "manager-2 1"]);
    await world.answer([made], { from: "manager-2" });
    assert.equal(world.height, 1);
  });
});

describe("a node that is behind", () => {
  /** Five blocks that the node has only heard of, from manager-1. */
  async function lateWorld(): Promise<ChainWorld> {
    const world = await ChainWorld.open();
    for (let i = 0; i < 5; i++) world.ledger.extend();
    await world.commit(world.ledger.at(5), { block: false });
    assert.deepEqual(world.fetches, []);
    world.pass(patienceMs);
    return world;
  }

  test("fetches what it lacks in order, and says meanwhile that it is behind", async () => {
    const world = await lateWorld();
    assert.ok(world.chain.sync.behind);
    const [greeting] = world.chain.greeting();
    assert.equal(greeting?.message?.case === "head" && greeting.message.value.behind, true);
    await world.answer([1, 2].map((height) => world.ledger.at(height)));
    world.pass(headsApartMs);
    await world.answer([3, 4, 5].map((height) => world.ledger.at(height)));
    assert.equal(world.height, 5);
    assert.deepEqual(world.fetches, ["manager-1 1", "manager-1 3"]);
    assert.deepEqual(world.heads, [2, 5], "once for each answer");
    assert.ok(!world.chain.sync.behind);
    const last = world.told.at(-1)?.request.message;
    assert.equal(last?.case === "head" && last.value.behind, false);
  });

  test("keeps the right blocks before a wrong one, and goes on with the next manager", async () => {
    const world = await lateWorld();
    await world.commit(world.ledger.at(5), { block: false, from: "manager-2" });
    const wrong = { ...world.ledger.at(3), sealedRecords: [utf8("a"), utf8("b")] };
    await world.answer([world.ledger.at(1), world.ledger.at(2), wrong, world.ledger.at(4)]);
    assert.equal(world.height, 2);
    assert.deepEqual(world.blamed, ["manager-1 BLOCK_SEAL_MISMATCH"]);
    assert.deepEqual(world.fetches, ["manager-1 1", "manager-1 5", "manager-2 3"]);
  });

  test("refuses blocks in another order or from another height", async () => {
    for (const heights of [[2, 1], [2], [1, 3]]) {
      const world = await lateWorld();
      await world.answer(heights.map((height) => world.ledger.at(height)));
      assert.equal(world.height, heights[0] === 1 ? 1 : 0);
      assert.equal(world.blamed.length, 1);
    }
  });

  test("goes on from what reached the device when it loses power within an answer", async () => {
    const world = await lateWorld();
    const answer = () => world.answer([1, 2, 3, 4, 5].map((height) => world.ledger.at(height)));
    world.onAnnounced = () => {
      if (world.announced === 3) world.disk.crash();
    };
    await assert.rejects(answer());
    world.onAnnounced = () => {};
    await world.start();
    assert.ok(world.height < 5);
    await world.commit(world.ledger.at(5), { block: false });
    world.pass(patienceMs);
    const lacking = [1, 2, 3, 4, 5].slice(world.height).map((height) => world.ledger.at(height));
    await world.answer(lacking);
    assert.equal(world.height, 5);
    await world.crash();
    assert.equal(world.height, 5, "the end of an answer is on the device");
  });

  test("keeps what held when a block of an answer does not, also without power", async () => {
    const world = await lateWorld();
    const wrong = { ...world.ledger.at(3), sealedRecords: [utf8("a"), utf8("b")] };
    await world.answer([world.ledger.at(1), world.ledger.at(2), wrong]);
    await world.crash();
    assert.equal(world.height, 2);
  });

  test("asks the next manager when one does not answer", async () => {
    const world = await lateWorld();
    await world.commit(world.ledger.at(5), { block: false, from: "manager-2" });
    world.pass(answerTimeoutMs);
    assert.deepEqual(world.fetches, ["manager-1 1", "manager-2 1"]);
  });
});

describe("a node with a checkpoint", () => {
  test("follows the chain that has the block, and no other", async () => {
    const world = await ChainWorld.open();
    const first = world.ledger.extend();
    const second = world.ledger.extend();
    const third = world.ledger.extend();
    const { blockId } = second.parsed;
    for (const [id, height] of [
      [blockId, 3],
      [first.parsed.blockId, 1],
    ] as const) {
      const node = await ChainWorld.open();
      node.checkpoint = { height: 2, blockId: id };
      await node.crash();
      for (const made of [first, second, third]) await node.commit(made);
      assert.equal(node.height, height);
      assert.deepEqual(
        node.dropped.slice(0, 1),
        height === 3 ? [] : ["manager-1 CHECKPOINT_MISMATCH"],
      );
    }
  });
});

describe("a node that finds a fork", () => {
  test("keeps both certificates, stops, and is still stopped after a restart", async () => {
    const world = await ChainWorld.open();
    world.ledger.extend();
    await world.commit(world.ledger.at(1));
    const [one, other] = [world.makeFor(true), world.makeFor(true)];
    const different = world.ledger.make({ header: { beacon: other.parsed.header.beacon } });
    await world.commit(world.ledger.append(one));
    await world.commit(different, { block: false, from: "manager-4" });
    assert.equal(world.halts.length, 1);
    assert.match(world.halts[0] ?? "", /two blocks are final at height 2/);
    assert.ok(world.chain.halted);
    const kept = JSON.parse(utf8Decode((await world.store.forkEvidence()) ?? utf8("{}")) ?? "");
    assert.ok(kept.certificates.includes(toHex(one.parsed.blockId)));
    assert.ok(kept.otherCertificates.includes(toHex(different.parsed.blockId)));
    const toldBefore = world.told.length;
    await world.commit(world.ledger.extend());
    await world.verify(world.ledger.make());
    assert.equal(world.height, 2);
    assert.equal(world.told.length, toldBefore);
    await world.crash();
    assert.notEqual(await world.store.forkEvidence(), undefined);
  });

  test("is not fooled by certificates that do not verify", async () => {
    const world = await ChainWorld.open();
    const other = world.ledger.make();
    await world.commit(world.ledger.extend());
    const [entry] = other.certificates.commit?.signatures ?? [];
    assert.ok(entry);
    entry.signature = new Uint8Array(64);
    await world.commit(other, { block: false });
    assert.deepEqual(world.halts, []);
    assert.deepEqual(world.dropped, ["manager-1 CERTIFICATE_INVALID"]);
  });

  test("stops at a final block with an operation that nobody has signed", async () => {
    const world = await ChainWorld.open("storage-1", floorPolicy);
    await world.commit(world.ledger.extend({ control: [suspend("manager-2")] }));
    const forged = resume("manager-2", 1, 1, "manager-1");
    await world.commit(world.ledger.make({ control: [forged] }));
    assert.match(world.halts[0] ?? "", /SIGNATURE_INVALID: .* RESUME of manager-2/);
    assert.equal(world.height, 1);
    assert.notEqual(await world.store.forkEvidence(), undefined);
  });

  test("stops at a final block whose root is not its own", async () => {
    const world = await ChainWorld.open();
    const made = world.ledger.make({ header: { hash1: sha256(utf8("root")) } });
    await world.commit(made);
    assert.match(world.halts[0] ?? "", /BLOCK_ROOT_MISMATCH/);
    assert.equal(world.height, 0);
    assert.notEqual(await world.store.forkEvidence(), undefined);
  });
});

describe("a node of which the chain says that an audit failed", () => {
  /** The finding of f+1 managers about the audit of storage-1 that is open. */
  function failedAudit({ ledger }: ChainWorld): ControlOperation | undefined {
    for (const { height, audited } of ledger.head.members.openCommittees) {
      const { audit } = audited.find(({ nodeId }) => nodeId === "storage-1") ?? {};
      if (audit === undefined) continue;
      const digest = findingDigest({ consortiumId, nodeId: "storage-1", height, audit });
      const findings = ["manager-1", "manager-3"].map((managerId) => {
        return { managerId, signature: sign(managerId, digest) };
      });
      const value = { nodeId: "storage-1", height: BigInt(height), findings };
      return create(ControlOperationSchema, { operation: { case: "failAudit", value } });
    }
    return undefined;
  }

  /** The ledger up to a block that says so; the node holds none of it. */
  async function worldWithFailure(): Promise<ChainWorld> {
    const world = await ChainWorld.open("storage-1", { ...policy, auditsPerBlock: 3 });
    for (let blocks = 0; blocks < 100; blocks++) {
      const failure = failedAudit(world);
      world.ledger.extend(failure === undefined ? {} : { control: [failure] });
      if (failure !== undefined) return world;
    }
    throw new Error("storage-1 is not audited");
  }

  test("reports it once, and again after a restart", async () => {
    const world = await worldWithFailure();
    for (const made of world.ledger.appended) await world.commit(made);
    assert.equal(world.store.head.members.storageNode("storage-1")?.auditFailed, true);
    const cause = "an audit of this node failed, as the chain says";
    assert.deepEqual(world.doubts, [cause]);
    await world.commit(world.ledger.extend());
    assert.deepEqual(world.doubts, [cause]);
    await world.crash();
    assert.deepEqual(world.doubts, [cause, cause]);
  });

  test("does not report it while a later block may say that one was passed", async () => {
    const world = await worldWithFailure();
    const failed = world.ledger.appended.length;
    for (let more = 0; more < 20; more++) world.ledger.extend();
    const { appended } = world.ledger;
    const claim = () => world.commit(defined(appended.at(-1), "a block"));
    await claim();
    await world.commit(world.ledger.extend(), { from: "manager-2" });
    for (const made of appended.slice(0, failed)) await world.commit(made, { from: "manager-3" });
    assert.ok(world.chain.sync.behind);
    assert.equal(world.store.head.members.storageNode("storage-1")?.auditFailed, true);
    assert.deepEqual(world.doubts, []);
  });
});

describe("jobs that need the head to stand still", () => {
  const soon = () => new Promise((resolve) => setImmediate(resolve));

  test("never overlap and keep their order, also after one that failed", async () => {
    const { chain } = await ChainWorld.open();
    const seen: string[] = [];
    const job = (name: string) => async () => {
      seen.push(`${name} starts`);
      await soon();
      seen.push(`${name} ends`);
      if (name === "b") throw new Error("b failed");
    };
    const jobs = ["a", "b", "c"].map((name) => chain.runExclusive(job(name)));
    const results = await Promise.allSettled(jobs);
    assert.deepEqual(
      results.map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled"],
    );
    assert.deepEqual(
      seen,
      ["a", "b", "c"].flatMap((name) => [`${name} starts`, `${name} ends`]),
    );
  });

  test("are through when the chain is closed", async () => {
    const { chain } = await ChainWorld.open();
    let isThrough = false;
    void chain.runExclusive(async () => {
      await soon();
      isThrough = true;
    });
    await chain.close();
    assert.ok(isThrough);
  });
});
