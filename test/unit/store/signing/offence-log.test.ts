import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { EvidenceSchema } from "../../../../src/gen/bss/v1/genesis_pb.js";
import { ForkProofSchema } from "../../../../src/gen/bss/v1/vote_pb.js";
import { createMemoryDisk, type MemoryDisk } from "../../../../src/store/memory-store.js";
import { OffenceLog } from "../../../../src/store/signing/offence-log.js";

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
