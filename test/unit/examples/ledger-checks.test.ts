import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clone, create, equals, toBinary } from "@bufbuild/protobuf";
import { flippedReceipts } from "../../../examples/energy-community/ledger-checks.js";
import { type Receipt, ReceiptSchema } from "../../../src/client/index.js";

const bytes = (length: number) => new Uint8Array(length).fill(0b1010_1010);

const receipt: Receipt = create(ReceiptSchema, {
  recordHash: bytes(32),
  sealDigest: bytes(32),
  blockId: bytes(32),
  header: bytes(200),
  previousHeader: bytes(200),
  inclusionProof: [bytes(32), bytes(32)],
  commitCertificate: { signatures: [{ managerId: "manager-1", signature: bytes(64) }] },
});

function bitsOf(of: Receipt): readonly string[] {
  return [...toBinary(ReceiptSchema, of)].flatMap((byte) => [...byte.toString(2).padStart(8, "0")]);
}

describe("a receipt with a changed bit", () => {
  test("differs in exactly one bit, in each of its parts, whichever bit is meant", () => {
    const before = clone(ReceiptSchema, receipt);
    for (const bit of [0, 7, 8, 255, 333, 100_000]) {
      const flipped = flippedReceipts(receipt, bit);
      assert.equal(flipped.length, 7);
      for (const { part, receipt: changed } of flipped) {
        const bits = bitsOf(changed);
        const different = bitsOf(receipt).filter((value, index) => value !== bits[index]);
        assert.equal(different.length, 1, part);
      }
      const distinct = new Set(flipped.map((each) => bitsOf(each.receipt).join("")));
      assert.equal(distinct.size, flipped.length);
      assert.ok(equals(ReceiptSchema, receipt, before), "the receipt itself stays as it is");
    }
  });

  test("a record alone in its tree has no proof to change", () => {
    const alone = create(ReceiptSchema, { ...receipt, inclusionProof: [] });
    const parts = flippedReceipts(alone, 1).map(({ part }) => part);
    assert.ok(!parts.includes("proof") && parts.length === 6);
  });

  test("a record of the first block has no previous header to change", () => {
    const first = create(ReceiptSchema, { ...receipt, previousHeader: new Uint8Array() });
    const parts = flippedReceipts(first, 1).map(({ part }) => part);
    assert.ok(!parts.includes("previous header") && parts.length === 6);
  });
});
