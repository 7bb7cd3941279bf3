import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { CertifiedManagerBlockSchema } from "../../../../src/gen/bss/v1/block_pb.js";
import { StorageBlocksSchema } from "../../../../src/gen/bss/v1/verify_integrity_pb.js";
import { headerBytesMax } from "../../../../src/ledger/blocks/block-parsing.js";
import { parseManagerBlock } from "../../../../src/ledger/blocks/manager-blocks.js";
import { ShippedBlocks, shippedBytes } from "../../../../src/manager/ring/shipped-blocks.js";
import { ManagerStore } from "../../../../src/store/manager-store.js";
import { openMemoryStore } from "../../../support/memory-store.js";
import { epochKey, genesis } from "../../ledger/support/consortium.js";
import { accepted } from "../../ledger/support/outcome.js";
import { blocks } from "../../store/support/chain.js";

describe("blocks for those who are behind", () => {
  let shipped: ShippedBlocks;
  let store: ManagerStore;

  before(async () => {
    store = await ManagerStore.open(await openMemoryStore(), genesis);
    for (const block of blocks) await store.append(block);
    shipped = new ShippedBlocks(store, epochKey);
  });

  test("are whole for managers: they parse, with the records in the clear", async () => {
    const answer = await shipped.forManagers(1, 100);
    assert.equal(answer.headHeight, 6n);
    assert.deepEqual(
      answer.blocks.map(({ block }) => block),
      blocks.map(({ block }) => block),
    );
    for (const { block, certificates } of answer.blocks) {
      assert.ok(block && certificates?.commit);
      accepted(parseManagerBlock(block));
    }
  });

  test("are for storage nodes without anything that was not public before", async () => {
    const answer = await shipped.forStorage(1, 100);
    assert.equal(answer.blocks.length, 6);
    const bytes = Buffer.from(toBinary(StorageBlocksSchema, answer));
    for (const { block } of blocks) {
      for (const secret of [...block.records, ...block.privateEntries]) {
        assert.equal(bytes.indexOf(secret), -1);
      }
    }
    const sealed = answer.blocks.map(({ sealedRecords }) => sealedRecords);
    assert.deepEqual(
      sealed,
      blocks.map(({ executed }) => executed.sealed),
    );
  });

  test("are about as long as they are taken for, and no longer", async () => {
    for (const { block, certificates } of (await shipped.forManagers(1, 100)).blocks) {
      const message = create(CertifiedManagerBlockSchema, { block, certificates });
      const parts = [...(block?.records ?? []), ...(block?.privateEntries ?? [])];
      const taken = shippedBytes(block?.block, certificates, parts);
      const bytes = toBinary(CertifiedManagerBlockSchema, message).length;
      assert.ok(bytes <= taken && taken <= bytes + headerBytesMax, `${bytes}, not ${taken}`);
    }
  });

  test("begin where they were asked for, and are as many as that", async () => {
    const from = async (height: number, limit: number) =>
      (await shipped.forStorage(height, limit)).blocks.length;
    assert.deepEqual(
      [
        await from(1, 2),
        await from(5, 100),
        await from(6, 1),
        await from(7, 10),
        await from(0, 10),
      ],
      [2, 2, 1, 0, 0],
    );
  });

  test("are not made up when the key does not open the records", async () => {
    const wrong = new ShippedBlocks(store, new Uint8Array(32));
    await assert.rejects(wrong.forManagers(1, 1), /cannot be unsealed/);
  });
});
