import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { defined } from "../../../../src/base/assert.js";
import { fromHex, toHex } from "../../../../src/base/bytes.js";
import {
  blockOfLine,
  lineOfBlock,
  receiptsLineOf,
} from "../../../../src/cli/sending/receipts/receipt-lines.js";
import {
  type BlockReceipt,
  blockReceipt,
  verifyBlockReceipt,
} from "../../../../src/client/verify/block-receipt.js";
import type { Receipt } from "../../../../src/gen/bss/v1/query_pb.js";
import { toyChain, toyGenesis } from "../../../support/toy-chain.js";

const anchor = toyGenesis;

describe("the receipts of one block", () => {
  /** The second block adds positions 3 to 9. */
  const height = 2;
  const chain = toyChain([3, 7, 2]);
  let receipts: readonly Receipt[];

  before(async () => {
    const hashes = Array.from({ length: 12 }, (_, position) => fromHex(chain.hashAt(position)));
    receipts = await Promise.all(hashes.map((hash) => chain.receiptOf(defined(hash, "hex"))));
  });

  const receiptAt = (position: number) => defined(receipts[position], "a record of the ledger");
  const madeOf = async (positions: readonly number[], of = height) =>
    blockReceipt(receiptAt(positions[0] ?? 0), await chain.blockAt(of), positions);

  test("hold for some of its records and for all", async () => {
    for (const positions of [[3], [4, 5], [3, 6, 9], [3, 4, 5, 6, 7, 8, 9]]) {
      const verified = verifyBlockReceipt(await madeOf(positions), anchor);
      assert.ok(verified.ok, `${positions}`);
      assert.equal(verified.value.height, height);
    }
    assert.ok(verifyBlockReceipt({ receipt: receiptAt(4) }, anchor).ok);
  });

  test("are the same when they have been a line of a file", async () => {
    const made = await madeOf([3, 4, 5, 8]);
    const hashes = new Map(
      made.others?.records.map(({ position, recordHash }) => [position, toHex(recordHash)]),
    );
    const line = receiptsLineOf(JSON.parse(JSON.stringify(lineOfBlock(made))));
    assert.ok(line !== undefined && "block" in line);
    assert.deepEqual(line.positions, [
      [3, 3],
      [8, 1],
    ]);
    assert.deepEqual(blockOfLine(line, hashes), made);
    const single = receiptsLineOf(lineOfBlock({ receipt: receiptAt(4) }));
    assert.ok(single !== undefined && "block" in single);
    assert.deepEqual(blockOfLine(single, hashes), { receipt: receiptAt(4) });
  });

  test("do not hold for anything else", async () => {
    const made = await madeOf([3, 5, 8]);
    const others = defined(made.others, "there are several");
    const [first, second, third] = others.records;
    assert.ok(first && second && third);
    const other = receiptAt(6);
    const changed: readonly (readonly [string, Partial<typeof others>])[] = [
      ["another record", { records: [first, { ...second, recordHash: other.recordHash }, third] }],
      ["another seal", { records: [first, { ...second, sealDigest: other.sealDigest }, third] }],
      ["another place", { records: [first, { ...second, position: 6 }, third] }],
      ["a record less", { records: [first, third] }],
      ["a place of another block", { records: [{ ...first, position: 0 }, second, third] }],
      ["a short seal", { records: [first, { ...second, sealDigest: new Uint8Array(31) }, third] }],
      ["another control root", { controlRoot: other.recordHash }],
      ["another private root", { privateRoot: other.recordHash }],
      ["a short root", { privateRoot: new Uint8Array() }],
      ["a proof that is too short", { proof: others.proof.slice(1) }],
    ];
    for (const [what, change] of changed) {
      const wrong: BlockReceipt = { receipt: made.receipt, others: { ...others, ...change } };
      assert.equal(verifyBlockReceipt(wrong, anchor).ok, false, what);
    }
    for (const receipt of [receiptAt(0), { ...made.receipt, height: 3n }]) {
      assert.equal(verifyBlockReceipt({ receipt, others }, anchor).ok, false);
    }
    const stranger = { ...anchor, consortiumId: new Uint8Array(32) };
    assert.equal(verifyBlockReceipt(made, stranger).ok, false);
  });

  test("are not made of another block, or of what it does not add", async () => {
    await assert.rejects(madeOf([3, 4], 1), { name: "UntrueAnswer", message: /is not block 2/ });
    await assert.rejects(madeOf([3, 10]), { name: "UntrueAnswer", message: /position 10/ });
  });
});
