/**
 * Every write of both stores, one after the other, fails once, or the machine dies at it. Whatever
 * happened, the store then opens at a head that agrees with all the rest, and going on from there
 * leads to exactly what an undisturbed run leaves on disk.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { defined } from "../../../src/base/assert.js";
import { AttestationSchema, VoteKind, VoteSchema } from "../../../src/gen/bss/v1/vote_pb.js";
import { buckets } from "../../../src/store/buckets.js";
import type { KeyValueStore } from "../../../src/store/key-value-store.js";
import { ManagerStore } from "../../../src/store/manager-store.js";
import { StorageNodeStore } from "../../../src/store/storage-node-store.js";
import { createMemoryDisk, type MemoryDisk } from "../../support/memory-store.js";
import { genesis } from "../ledger/support/consortium.js";
import { seedOf } from "../ledger/support/records.js";
import { blocks, storageBlocks, submissions } from "./support/chain.js";
import { contentOf, keysIn } from "./support/disks.js";

type Work<Store> = (store: Store) => Promise<void>;

/** What a manager writes at one height: a submission, its vote, the block. */
const managerWork: readonly Work<ManagerStore>[] = blocks.flatMap((appended) => {
  const { height, blockId } = appended.executed.facts;
  const vote = create(VoteSchema, {
    kind: VoteKind.ACCEPT,
    height: BigInt(height),
    validRound: -1,
    blockId,
    managerId: "manager-1",
    signature: seedOf(`vote ${height}`),
  });
  const only = (work: Work<ManagerStore>): Work<ManagerStore> => {
    return async (store) => {
      // Going on after a crash, a manager does not do again what is decided.
      if (store.head.height === height - 1) await work(store);
    };
  };
  return [
    only((store) => store.savePooled(submissions.third)),
    only((store) => {
      return store.saveStatements({
        votes: [vote],
        proposals: [],
        bodies: [appended.block],
      });
    }),
    only((store) => store.append(appended)),
  ];
});

const storageWork: readonly Work<StorageNodeStore>[] = storageBlocks.flatMap((appended) => {
  const { height, managerBlockId: blockId } = appended.head;
  const { block, sealedRecords } = appended;
  const attestation = create(AttestationSchema, {
    height: BigInt(height),
    round: 0,
    blockId,
    nodeId: "storage-1",
    signature: seedOf(`attestation ${height}`),
  });
  const only = (work: Work<StorageNodeStore>): Work<StorageNodeStore> => {
    return async (store) => {
      if (store.head.height === height - 1) await work(store);
    };
  };
  return [
    only((store) => store.saveCandidate({ block, sealedRecords, round: 0, attestation })),
    only((store) => store.append(appended)),
  ];
});

type Role<Store> = {
  readonly open: (kv: KeyValueStore) => Promise<Store>;
  readonly work: readonly Work<Store>[];
  readonly headOf: (store: Store) => object;
  /** What opening finds damaged around the head, for a role that mends it while it runs. */
  readonly doubtOf?: (store: Store) => Error | undefined;
};

const manager: Role<ManagerStore> = {
  open: (kv) => ManagerStore.open(kv, genesis),
  work: managerWork,
  headOf: ({ head, headCertificates }) => ({ head, headCertificates }),
};
const storage: Role<StorageNodeStore> = {
  open: (kv) => StorageNodeStore.open(kv, genesis),
  work: storageWork,
  headOf: ({ head, headCertificates }) => ({ head, headCertificates }),
  doubtOf: ({ doubt }) => doubt,
};

describe("a manager's store", () => testRole(manager));
describe("a storage node's store", () => testRole(storage));

function testRole<Store>(role: Role<Store>): void {
  const { open, work, headOf, doubtOf } = role;

  test("keeps its head and its disk as they were when a write fails without a trace", async () => {
    for (let failing = 0; failing < work.length; failing++) {
      const { disk, kv, store } = await begun(role, failing);
      const head = headOf(store);
      const content = await contentOf(kv);
      disk.failNextWrite();
      await assert.rejects(defined(work[failing], "there is work")(store), { code: "IO" });
      assert.deepEqual(headOf(store), head);
      assert.deepEqual(await contentOf(kv), content);
      // Nothing is written any more until the store is opened again.
      await assert.rejects(defined(work[failing], "there is work")(store), { code: "IO" });
      disk.crash();
      const again = await open(await disk.open());
      assert.deepEqual(headOf(again), head);
    }
  });

  test("opens at a consistent head after a crash at any write, and ends the same", async () => {
    const reference = await begun(role, work.length);
    const end = await contentOf(reference.kv);
    for (let failing = 0; failing < work.length; failing++) {
      for (const outcome of ["lost", "kept"] as const) {
        const { disk, store } = await begun(role, failing);
        disk.failNextWrite({ outcome });
        await assert.rejects(defined(work[failing], "there is work")(store));
        disk.crash();
        const kv = await disk.open();
        const again = await open(kv);
        for (const step of work.slice(failing)) await step(again);
        assert.deepEqual(await contentOf(kv), end);
        assert.deepEqual(headOf(again), headOf(reference.store));
      }
    }
  });

  test("leaves nothing of decided heights behind", async () => {
    const { kv } = await begun(role, work.length);
    for (const bucket of [buckets.voteLog, buckets.candidate, buckets.attestationLog]) {
      assert.deepEqual(await keysIn(kv, bucket), []);
    }
  });

  test("notices on opening that the head does not agree with what is stored", async () => {
    for (const bucket of [buckets.segment, buckets.certificate, buckets.heightByBlockId]) {
      const { kv } = await begun(role, work.length);
      for (const hex of await keysIn(kv, bucket)) {
        await kv.write([{ type: "delete", key: Buffer.from(hex, "hex") }], "sync");
      }
      const opening = open(kv).then((store) => {
        throw doubtOf?.(store) ?? new Error("nothing was noticed");
      });
      await assert.rejects(opening, { code: "CORRUPT", message: /bss check/ });
    }
  });
}

/** A store that has done the first steps of its work. */
async function begun<Store>(
  { open, work }: Role<Store>,
  steps: number,
): Promise<{ disk: MemoryDisk; kv: KeyValueStore; store: Store }> {
  const disk = createMemoryDisk();
  const kv = await disk.open();
  const store = await open(kv);
  for (const step of work.slice(0, steps)) await step(store);
  return { disk, kv, store };
}
