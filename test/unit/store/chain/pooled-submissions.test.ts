import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { toHex } from "../../../../src/base/bytes.js";
import { submissionId } from "../../../../src/ledger/records/submissions.js";
import { ManagerStore } from "../../../../src/store/manager-store.js";
import { createMemoryDisk } from "../../../support/memory-store.js";
import { Chain, certify, type ProposalOptions } from "../../ledger/support/chain.js";
import { genesis } from "../../ledger/support/consortium.js";
import { documentBytes, submitted } from "../../ledger/support/records.js";
import { blockAt, records, submissions } from "../support/chain.js";
import { disks } from "../support/disks.js";

const ample = { submissionsMax: 100, bytesMax: 1_000_000 };

async function idsIn(store: ManagerStore, limits = ample): Promise<readonly string[]> {
  const pool = await store.loadPool(limits);
  return pool.map(({ header, signature }) => toHex(submissionId(header, signature))).sort();
}

function idsOf(...all: readonly { readonly idHex: string }[]): readonly string[] {
  return all.map(({ idHex }) => idHex).sort();
}

async function openStore() {
  const disk = createMemoryDisk();
  return { disk, store: await ManagerStore.open(await disk.open(), genesis) };
}

describe("waiting submissions", () => {
  for (const [name, createDisk] of disks) {
    test(`are there after a restart, as they were signed, on ${name}`, async () => {
      const disk = await createDisk();
      const store = await ManagerStore.open(await disk.open(), genesis);
      await store.savePooled(submissions.first);
      await store.savePooled(submissions.trade);
      await store.savePooled(submissions.trade);
      await store.close();
      const again = await ManagerStore.open(await disk.open(), genesis);
      const pool = await again.loadPool(ample);
      const messages = [submissions.first, submissions.trade].map(({ message }) => message);
      const byId = (a: { signature: Uint8Array }, b: { signature: Uint8Array }) =>
        toHex(a.signature) < toHex(b.signature) ? -1 : 1;
      assert.deepEqual(pool.toSorted(byId), messages.toSorted(byId));
      await again.deletePooled([submissions.first.id]);
      assert.deepEqual(await idsIn(again), idsOf(submissions.trade));
      await again.close();
      await disk.remove();
    });
  }

  test("survive the death of the machine once they are saved", async () => {
    const { disk, store } = await openStore();
    await store.savePooled(submissions.first);
    disk.crash();
    const again = await ManagerStore.open(await disk.open(), genesis);
    assert.deepEqual(await idsIn(again), idsOf(submissions.first));
  });

  test("are loaded up to the limits", async () => {
    const { store } = await openStore();
    for (let i = 0; i < 5; i++) await store.savePooled(submitted([documentBytes()]));
    assert.equal((await idsIn(store, { ...ample, submissionsMax: 3 })).length, 3);
    assert.equal((await idsIn(store, { ...ample, bytesMax: 0 })).length, 0);
    assert.equal((await idsIn(store)).length, 5);
  });

  test("go with the block that adds them, and the others stay", async () => {
    const { store } = await openStore();
    await store.savePooled(submissions.first);
    await store.savePooled(submissions.trade);
    await store.append(blockAt(1));
    assert.deepEqual(await idsIn(store), idsOf(submissions.trade));
  });

  test("go with their block if they are saved again while they are deleted", async () => {
    const { store } = await openStore();
    await store.savePooled(submissions.first);
    const deleting = store.deletePooled([submissions.first.id]);
    await Promise.all([deleting, store.savePooled(submissions.first)]);
    assert.deepEqual(await idsIn(store), idsOf(submissions.first));
    await store.append(blockAt(1));
    assert.deepEqual(await idsIn(store), []);
  });
});

describe("a submission of which a block adds a part", () => {
  const other = documentBytes();

  /** Block 6 adds the document; here it does so for a submission that names another record too. */
  async function appendPart(rest: Uint8Array): Promise<readonly string[]> {
    const { store } = await openStore();
    const chain = new Chain();
    const append = async (options: ProposalOptions) => {
      const { block, executed } = chain.propose(options);
      chain.append(executed);
      await store.append({ block, executed, certificates: certify(executed.facts) });
    };
    await append({ candidates: [submitted([other])] });
    const part = submitted([records.document, rest]);
    await store.savePooled(part);
    const excluded = new Set([toHex(part.records[1]?.hash ?? rest)]);
    await append({ candidates: [part], excluded });
    assert.notEqual(await store.location(part.records[0]?.hash ?? rest), undefined);
    return idsIn(store);
  }

  test("stays while another record of it is not on the ledger", async () => {
    assert.equal((await appendPart(documentBytes())).length, 1);
  });

  test("goes when all others are on the ledger already", async () => {
    assert.deepEqual(await appendPart(other), []);
  });
});
