import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { defined } from "../../../../src/base/assert.js";
import { toHex, utf8 } from "../../../../src/base/bytes.js";
import { auditDigest, auditPositions } from "../../../../src/consensus/attestation/audit.js";
import { ed25519Verify } from "../../../../src/crypto/ed25519.js";
import { sha256 } from "../../../../src/crypto/hash.js";
import { ApprovalCertificateSchema } from "../../../../src/gen/bss/v1/block_pb.js";
import { AttestationVerdict } from "../../../../src/gen/bss/v1/vote_pb.js";
import { checkAttestation } from "../../../../src/ledger/certificates/votes.js";
import { furtherAttestationsOfOneManager } from "../../../../src/storage-node/chain/attesting.js";
import { earlyCandidatesMax } from "../../../../src/storage-node/chain/candidates.js";
import { patienceMs } from "../../../../src/storage-node/chain/storage-chain.js";
import {
  AttestationMark,
  type Place,
} from "../../../../src/store/double-sign-protection/attestation-mark.js";
import { createMemoryDisk } from "../../../support/memory-store.js";
import { consortiumId, policy } from "../../ledger/support/consortium.js";
import { accepted } from "../../ledger/support/outcome.js";
import { publicKeyOf } from "../../ledger/support/records.js";
import { ChainWorld } from "../support/chain-world.js";

/** A node with two blocks. */
async function runningWorld(): Promise<ChainWorld> {
  const world = await ChainWorld.open();
  for (let i = 0; i < 2; i++) await world.commit(world.ledger.extend());
  assert.equal(world.height, 2);
  world.told.length = 0;
  return world;
}

describe("a storage node in the committee", () => {
  test("attests a match to all managers, signed, with the audit of the records drawn", async () => {
    const world = await runningWorld();
    const made = world.makeFor(true);
    await world.verify(made);
    const [{ to, attestation } = { to: "nobody", attestation: undefined }] = world.attestations;
    assert.equal(to, undefined);
    assert.ok(attestation);
    assert.equal(attestation.verdict, AttestationVerdict.MATCH);
    const check = accepted(checkAttestation(attestation, world.store.head.members, consortiumId));
    assert.ok(ed25519Verify(check.publicKey, check.digest, check.signature));
    const { beacon } = made.parsed.header;
    const nodeId = world.nodeId;
    const records = [1, 2].flatMap((height) => world.ledger.at(height).sealedRecords);
    const sealed = auditPositions({
      beacon,
      nodeId,
      treeSize: 4,
      count: policy.auditRecords,
    }).map((position) => defined(records[position], "a position is in the log"));
    assert.deepEqual(attestation.audit, auditDigest(beacon, nodeId, sealed));
    assert.deepEqual(world.attested, ["match 3/0"]);
  });

  test("attests a mismatch when its root is another one", async () => {
    const world = await runningWorld();
    const { beacon } = world.makeFor(true).parsed.header;
    const made = world.ledger.make({ header: { beacon, hash1: sha256(utf8("root")) } });
    await world.verify(made);
    assert.equal(world.attestations[0]?.attestation.verdict, AttestationVerdict.MISMATCH);
    assert.deepEqual(world.attested, ["mismatch 3/0"]);
  });

  test("has candidate and attestation on disk before it says a word", async () => {
    const world = await runningWorld();
    const made = world.makeFor(true);
    // The power goes while the message is on its way.
    world.onTell = () => world.disk.crash();
    await world.verify(made);
    const told = world.attestations[0]?.attestation;
    world.onTell = () => {};
    await world.crash();
    const [saved, ...others] = await world.store.loadCandidates();
    assert.deepEqual(saved?.attestation, told);
    assert.deepEqual(saved?.sealedRecords, made.sealedRecords);
    assert.equal(others.length, 0);
  });

  test("says nothing when the disk fails", async () => {
    const world = await runningWorld();
    world.disk.failNextWrite();
    await assert.rejects(world.verify(world.makeFor(true)));
    assert.deepEqual(world.told, []);
  });

  test("tells whoever asks again the same, and nobody else", async () => {
    const world = await runningWorld();
    const made = world.makeFor(true);
    await world.verify(made);
    await world.verify(made, { from: "manager-3" });
    const [first, second] = world.attestations;
    assert.equal(second?.to, "manager-3");
    assert.deepEqual(second?.attestation, first?.attestation);
  });

  test("never attests two blocks in one round, also not after a crash", async () => {
    const world = await runningWorld();
    const one = world.makeFor(true);
    const other = world.ledger.make({ header: { beacon: one.parsed.header.beacon } });
    assert.notEqual(toHex(one.parsed.blockId), toHex(other.parsed.blockId));
    await world.verify(one);
    await world.verify(other);
    await world.crash();
    await world.verify(other);
    assert.equal(world.attestations.length, 1);
    assert.deepEqual(world.dropped, ["manager-1 ROUND_ATTESTED", "manager-1 ROUND_ATTESTED"]);
    await world.verify(one);
    assert.deepEqual(world.attestations[1]?.attestation, world.attestations[0]?.attestation);
  });

  test("tells managers on a new link its head and what it signed, also after a crash", async () => {
    const world = await runningWorld();
    await world.verify(world.makeFor(true));
    await world.crash();
    const [head, attestation, ...others] = world.chain.greeting();
    assert.equal(head?.message?.case, "head");
    assert.equal(head.message.value.height, 2n);
    assert.equal(attestation?.message?.case, "attestation");
    assert.deepEqual(attestation.message.value, world.attestations[0]?.attestation);
    assert.equal(others.length, 0);
  });

  test("attests no block in later rounds, which are for the blocks that are made in them", async () => {
    const world = await runningWorld();
    const made = world.makeFor(true);
    for (let round = 1; round < 8; round++) await world.verify(made, { round });
    assert.equal(world.attestations.length, 0);
    assert.ok(world.dropped.every((entry) => entry.endsWith("BLOCK_MALFORMED")));
    for (let round = 0; round < 8; round++) {
      await world.verify(world.makeFor(true, round), { round });
    }
    const rounds = world.attestations.map(({ attestation }) => attestation.round);
    assert.deepEqual(rounds, [0, 1, 2, 3, 4, 5, 6, 7]);
  });
});

describe("a storage node that is asked what it must not attest", () => {
  test("says nothing outside of the committee", async () => {
    const world = await runningWorld();
    await world.verify(world.makeFor(false));
    assert.deepEqual(world.told, []);
    assert.deepEqual(world.dropped, ["manager-1 NOT_IN_COMMITTEE"]);
  });

  test("drops a candidate whose approval does not verify", async () => {
    const world = await runningWorld();
    const made = world.makeFor(true);
    const signatures = made.approval.signatures.map((entry, i) =>
      i === 2 ? { ...entry, signature: new Uint8Array(64) } : entry,
    );
    const approval = create(ApprovalCertificateSchema, { ...made.approval, signatures });
    await world.verify({ ...made, approval });
    assert.deepEqual(world.told, []);
    assert.deepEqual(world.dropped, ["manager-1 CERTIFICATE_INVALID"]);
    assert.deepEqual(await world.store.loadCandidates(), []);
  });

  test("drops what lacks a part or does not parse", async () => {
    const world = await runningWorld();
    const { block, approval, sealedRecords } = world.makeFor(true);
    const sealed = { round: 0, sealedRecords: [...sealedRecords] };
    for (const value of [
      {},
      { ...sealed, block },
      { ...sealed, approval },
      { ...sealed, approval, block: { ...block, header: utf8("no header") } },
      { ...sealed, approval, block: { ...block, privateRoot: utf8("short") } },
      { ...sealed, approval, block: { ...block, leaves: block.leaves.toReversed() } },
    ]) {
      await world.send("manager-2", { message: { case: "verify", value } });
    }
    await world.send("manager-2", {});
    assert.deepEqual(world.told, []);
    assert.equal(world.dropped.length, 7);
    assert.equal(world.height, 2);
  });

  test("drops a candidate of a decided height", async () => {
    const world = await runningWorld();
    await world.verify(world.ledger.at(2));
    assert.deepEqual(world.dropped, ["manager-1 HEIGHT_DECIDED"]);
  });

  test("signs for one manager at every height, however fast these follow each other", async () => {
    const world = await runningWorld();
    const heights = 2 * furtherAttestationsOfOneManager.burst;
    for (let i = 0; i < heights; i++) {
      const made = world.makeFor(true);
      await world.verify(made, { from: "manager-4" });
      await world.commit(world.ledger.append(made));
    }
    assert.deepEqual(world.dropped, []);
    assert.equal(world.attestations.length, heights);
  });

  test("signs a burst for one manager at a height and then a few a second, others beside it", async () => {
    const world = await runningWorld();
    const { burst, perSecond } = furtherAttestationsOfOneManager;
    const ask = async (from: string, firstRound: number, rounds: number) => {
      for (let round = firstRound; round < firstRound + rounds; round++) {
        await world.verify(world.makeFor(true, round), { round, from });
      }
      return world.attestations.length;
    };
    assert.equal(await ask("manager-4", 0, 2 * burst), 1 + burst);
    assert.ok(world.dropped.includes("manager-4 TOO_MANY_ROUNDS"));
    for (let second = 1; second <= 3; second++) {
      world.nowMs += 1_000;
      const attested = await ask("manager-4", second * 1_000, 10 * perSecond);
      assert.equal(attested, 1 + burst + second * perSecond);
    }
    const before = world.attestations.length;
    assert.ok((await ask("manager-1", 4_000, 10)) > before);
  });
});

describe("a candidate that comes before the block that it extends", () => {
  test("is attested as soon as that block is appended", async () => {
    const world = await runningWorld();
    const before = world.ledger.extend();
    const early = world.makeFor(true);
    await world.verify(early, { from: "manager-2" });
    assert.equal(world.attestations.length, 0);
    await world.commit(before);
    assert.equal(world.height, 3);
    assert.deepEqual(world.attestations[0]?.attestation.blockId, early.parsed.blockId);
    assert.deepEqual(world.fetches, []);
  });

  test("makes the node fetch that block when it does not come", async () => {
    const world = await runningWorld();
    const before = world.ledger.extend();
    await world.verify(world.makeFor(true), { from: "manager-2" });
    world.pass(patienceMs - 1);
    assert.deepEqual(world.fetches, []);
    world.pass(1);
    assert.deepEqual(world.fetches, ["manager-2 3"]);
    await world.answer([before], { from: "manager-2" });
    assert.equal(world.attestations.length, 1);
  });

  test("is dropped when there are too many, the oldest first", async () => {
    const world = await runningWorld();
    const before = world.ledger.extend();
    const early = Array.from({ length: earlyCandidatesMax + 1 }, (_, round) =>
      world.makeFor(true, round),
    );
    for (const [round, made] of early.entries()) {
      await world.verify(made, { from: `manager-${round + 1}`, round });
    }
    await world.commit(before);
    const rounds = world.attestations.map(({ attestation }) => attestation.round);
    assert.deepEqual(rounds, [1, 2, 3, 4]);
  });

  test("is kept for a few managers only, the newest of each", async () => {
    const world = await runningWorld();
    const before = world.ledger.extend();
    const [old, early] = [world.makeFor(true), world.makeFor(true, 1)];
    await world.verify(old, { from: "manager-1" });
    await world.verify(early, { from: "manager-1", round: 1 });
    await world.commit(before);
    assert.equal(world.attestations.length, 1);
    assert.deepEqual(world.attestations[0]?.attestation.blockId, early.parsed.blockId);
  });
});

describe("a storage node whose store was put back", () => {
  test("does not attest another block in a round in which it has attested", async () => {
    const world = await ChainWorld.open();
    const first = world.makeFor(true);
    await world.verify(first);
    assert.equal(world.attestations.length, 1);
    assert.deepEqual(world.mark.place, { height: 1, round: 0 });

    const again = await ChainWorld.open();
    await again.mark.raise({ height: 1, round: 0 });
    await again.mark.forbidUpToMark();
    const other = again.makeFor(true);
    await again.verify(other);
    assert.deepEqual(again.attestations, []);
    assert.deepEqual(again.dropped, ["manager-1 PERHAPS_ATTESTED"]);
    const later = again.makeFor(true, 1);
    await again.verify(later, { round: 1 });
    assert.equal(again.attestations.length, 1);
  });

  const oldMarks: readonly (readonly [string, Place | undefined])[] = [
    ["was put back as well", { height: 1, round: 0 }],
    ["is lost as well", undefined],
  ];
  for (const [what, place] of oldMarks) {
    test(`signs nothing in the first rounds that it sees, if its mark ${what}`, async () => {
      const world = await ChainWorld.open();
      for (let i = 0; i < 3; i++) await world.commit(world.ledger.append(world.makeFor(true)));
      const made = world.makeFor(true);
      await world.verify(made);
      assert.equal(world.attestations.length, 1);

      const again = await ChainWorld.open();
      for (const block of world.ledger.appended) await again.commit(block);
      const disk = createMemoryDisk();
      again.mark = await AttestationMark.open(await disk.open(), publicKeyOf(again.nodeId));
      if (place !== undefined) await again.mark.raise(place);
      await again.crash();
      const other = world.ledger.make({ header: { beacon: made.parsed.header.beacon } });
      await again.verify(other);
      for (const round of [1, 2]) await again.verify(world.makeFor(true, round), { round });
      assert.deepEqual(again.attestations, []);
      await again.verify(world.makeFor(true, 3), { round: 3 });
      assert.equal(again.attestations.length, 1);
    });
  }

  test("does not take damage of the mark's store for damage of its data", async () => {
    const world = await ChainWorld.open();
    world.markDisk.failNextWrite({ code: "CORRUPT" });
    const asked = world.verify(world.makeFor(true));
    await assert.rejects(asked, { code: "IO", message: /signer_state/ });
    assert.deepEqual([world.told, world.doubts], [[], []]);
  });

  test("does not say again what its mark has not taken", async () => {
    const world = await ChainWorld.open();
    world.markDisk.failNextWrite({ code: "CORRUPT" });
    const made = world.makeFor(true);
    await assert.rejects(world.verify(made));
    await world.verify(made).catch(() => {});
    assert.deepEqual(world.attestations, []);
  });

  test("raises the mark to what its store holds before it says that again", async () => {
    const world = await ChainWorld.open();
    await world.verify(world.makeFor(true));
    // As after a disk that took the attestation and failed to take the mark.
    const marks = await createMemoryDisk().open();
    world.mark = await AttestationMark.open(marks, publicKeyOf(world.nodeId));
    assert.equal(world.mark.place, undefined);
    await world.crash();
    assert.deepEqual(world.mark.place, { height: 1, round: 0 });
    const [, said] = world.chain.greeting();
    assert.equal(said?.message?.case, "attestation");
  });

  for (const then of ["is started again", "mends its files"] as const) {
    test(`attests nothing twice when it has lost its mark, but not all, and ${then}`, async () => {
      const world = await ChainWorld.open();
      await world.verify(world.makeFor(true));
      assert.equal(world.attestations.length, 1);
      // The power failed after round 1, and took its attestation and the mark.
      const disk = createMemoryDisk();
      world.mark = await AttestationMark.open(await disk.open(), publicKeyOf(world.nodeId));
      await world.mark.forget();
      await world.mark.forbidUpToMark();
      await world.crash();
      assert.deepEqual(world.mark.place, { height: 1, round: 0 }, "what is left is taken up");
      if (then === "is started again") {
        disk.crash();
        world.mark = await AttestationMark.open(await disk.open(), publicKeyOf(world.nodeId));
        await world.crash();
      } else {
        await world.mark.forbidUpToMark();
      }
      await world.verify(world.makeFor(true, 1), { round: 1 });
      assert.equal(world.attestations.length, 1, "round 1 may have been attested before");
      assert.deepEqual(world.dropped, ["manager-1 PERHAPS_ATTESTED"]);
    });
  }

  test("attests nothing while it repairs itself, and says that it is behind", async () => {
    const world = await ChainWorld.open();
    world.repairing = true;
    await world.verify(world.makeFor(true));
    assert.deepEqual(world.attestations, []);
    const [head] = world.chain.greeting();
    assert.equal(head?.message?.case === "head" && head.message.value.behind, true);
    world.repairing = false;
    await world.verify(world.makeFor(true));
    assert.equal(world.attestations.length, 1);
  });
});
