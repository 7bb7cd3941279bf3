import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { BlockCertificatesSchema } from "../../../src/gen/bss/v1/block_pb.js";
import { type HaltEvidence, haltForGood, keptEvidence } from "../../../src/storage-node/halting.js";
import { AttestationMark } from "../../../src/store/double-sign-protection/attestation-mark.js";
import { StorageNodeStore } from "../../../src/store/storage-node-store.js";
import { StoreError, type StoreErrorCode } from "../../../src/store/store-error.js";
import { createMemoryDisk } from "../../support/memory-store.js";
import { genesis } from "../ledger/support/consortium.js";
import { publicKeyOf } from "../ledger/support/records.js";

const evidence: HaltEvidence = {
  message: "two blocks are final at height 2",
  height: 2,
  other: create(BlockCertificatesSchema),
};

async function openPlaces() {
  const disks = { data: createMemoryDisk(), mark: createMemoryDisk() };
  const open = async () => ({
    store: await StorageNodeStore.open(await disks.data.open(), genesis),
    mark: await AttestationMark.open(await disks.mark.open(), publicKeyOf("storage-1")),
  });
  const places = await open();
  const reopened = () => {
    for (const disk of Object.values(disks)) disk.crash();
    return open();
  };
  const halted: string[] = [];
  const sent: unknown[] = [];
  const haltState = { halt: ({ message }: HaltEvidence) => void halted.push(message) };
  const links = { send: (message: unknown) => sent.push(message) > 0 };
  const halt = () => haltForGood(evidence, { ...places, haltState, links });
  return { disks, places, reopened, halt, halted, sent };
}

describe("a storage node that halts for good", () => {
  test("halts although its data directory is damaged, and knows why after a restart", async () => {
    const { disks, halt, halted, sent, reopened } = await openPlaces();
    disks.data.failNextWrite({ code: "CORRUPT" });
    await halt();
    assert.deepEqual(halted, [evidence.message]);
    assert.equal(sent.length, 1);
    assert.equal((await keptEvidence(await reopened()))?.message, evidence.message);
  });

  const failures: readonly ["data" | "mark", StoreErrorCode, StoreErrorCode][] = [
    ["data", "DISK_FULL", "DISK_FULL"],
    ["mark", "DISK_FULL", "DISK_FULL"],
    ["mark", "CORRUPT", "IO"],
  ];
  for (const [place, code, thrown] of failures) {
    test(`halts before it fails with ${code} of its ${place}`, async () => {
      const { disks, halt, halted, sent, reopened } = await openPlaces();
      disks[place].failNextWrite({ code });
      await assert.rejects(halt(), { code: thrown });
      assert.deepEqual([halted, sent.length], [[evidence.message], 1]);
      assert.equal((await keptEvidence(await reopened()))?.message, evidence.message);
    });
  }

  test("does not ask a damaged data directory if the mark's store knows why", async () => {
    const { places, halt } = await openPlaces();
    await halt();
    let asked = 0;
    const forkEvidence = async () => {
      asked += 1;
      throw new StoreError("IO", "the disk does not answer");
    };
    const { mark } = places;
    const store = { forkEvidence, saveForkEvidence: async () => {} };
    assert.equal((await keptEvidence({ store, mark }))?.message, evidence.message);
    assert.equal(asked, 0);
  });
});
