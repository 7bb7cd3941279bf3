import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { ProvenObjectionSchema } from "../../../src/gen/bss/v1/broadcast_pb.js";
import { EvidenceSchema } from "../../../src/gen/bss/v1/genesis_pb.js";
import { ForkProofSchema } from "../../../src/gen/bss/v1/vote_pb.js";
import { FalseObjections, falseObjectionsKept, OffenceLog } from "../../../src/store/offences.js";
import { createMemoryDisk, type MemoryDisk } from "../../support/memory-store.js";

const evidence = (managerId: string, height = 1n) =>
  create(EvidenceSchema, {
    managerId,
    offence: { case: "votes", value: { first: { height }, second: { height } } },
  });
const proof = (height: bigint) =>
  create(ForkProofSchema, { first: { height }, second: { height, round: 1 } });

describe("the log of others' offences", () => {
  let disk: MemoryDisk;
  let log: OffenceLog;

  beforeEach(async () => {
    disk = await createMemoryDisk();
    log = new OffenceLog(await disk.open());
  });

  /** As after a power failure. */
  const reopened = async () => {
    disk.crash();
    return new OffenceLog(await disk.open());
  };

  test("holds one piece of evidence for each manager, on disk when the call returns", async () => {
    await log.saveEvidence(evidence("manager-2"));
    await log.saveEvidence(evidence("manager-3"));
    await log.saveEvidence(evidence("manager-2", 2n));
    log = await reopened();
    assert.deepEqual(await log.loadEvidence(), [evidence("manager-2", 2n), evidence("manager-3")]);
    await log.deleteEvidence("manager-2");
    assert.deepEqual(await log.loadEvidence(), [evidence("manager-3")]);
  });

  test("keeps the first proof of a fork, for ever", async () => {
    assert.equal(await log.forkProof(), undefined);
    await log.saveForkProof(proof(3n));
    await log.saveForkProof(proof(4n));
    log = await reopened();
    assert.deepEqual(await log.forkProof(), proof(3n));
  });
});

const by = (managerId: string, height: number, record = 1) =>
  create(ProvenObjectionSchema, {
    signature: { managerId },
    objection: { height: BigInt(height), recordHash: new Uint8Array(32).fill(record) },
  });

describe("the false objections that a manager keeps", () => {
  test("are there after a power failure, each with its author", async () => {
    const disk = createMemoryDisk();
    const kept = await FalseObjections.open(await disk.open());
    assert.ok(await kept.add(by("manager-2", 7)));
    assert.ok(await kept.add(by("manager-2", 7, 2)));
    assert.ok(await kept.add(by("manager-22", 7)));
    disk.crash();
    const reopened = await FalseObjections.open(await disk.open());
    const counts = ["manager-2", "manager-22", "manager-3"].map((id) => reopened.countOf(id));
    assert.deepEqual(counts, [2, 1, 0]);
    const found = await reopened.of("manager-2");
    assert.deepEqual(found, [by("manager-2", 7), by("manager-2", 7, 2)]);
    assert.equal(await reopened.add(by("manager-2", 7)), false, "known from before");
  });

  test("are bounded for each author: the oldest go, the count goes on", async () => {
    const disk = createMemoryDisk();
    const kept = await FalseObjections.open(await disk.open());
    await kept.add(by("manager-3", 1));
    for (let height = 1; height <= falseObjectionsKept + 5; height++) {
      await kept.add(by("manager-2", height));
    }
    const checks = async (each: FalseObjections) => {
      const found = await each.of("manager-2");
      assert.equal(found.length, falseObjectionsKept);
      assert.equal(found[0]?.objection?.height, 6n);
      assert.equal(each.countOf("manager-2"), falseObjectionsKept + 5);
      assert.equal((await each.of("manager-3")).length, 1);
    };
    await checks(kept);
    disk.crash();
    await checks(await FalseObjections.open(await disk.open()));
  });
});
