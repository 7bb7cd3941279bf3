import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { defined } from "../../../../src/base/assert.js";
import {
  BlockSchema,
  CertifiedStorageBlockSchema,
  ManagerBlockSchema,
} from "../../../../src/gen/bss/v1/block_pb.js";
import {
  blockToEncode,
  managerBlockToEncode,
  withList,
} from "../../../../src/ledger/blocks/long-lists.js";
import { Chain } from "../support/chain.js";
import { quarterS, startS } from "../support/consortium.js";
import { readingBytes, submitted } from "../support/records.js";

const records = Array.from({ length: 20 }, (_, i) =>
  readingBytes({ start: startS - (i + 1) * quarterS }),
);
const whole = new Chain().propose({ candidates: [submitted(records)] }).block;
const block = defined(whole.block, "a block has its public part");

describe("long lists", () => {
  test("a block decodes as if it had been encoded element by element", () => {
    assert.equal(block.leaves.length, 20);
    const bytes = toBinary(BlockSchema, blockToEncode(block));
    assert.deepEqual(fromBinary(BlockSchema, bytes), block);
  });

  test("so does a block with its records", () => {
    const bytes = toBinary(ManagerBlockSchema, managerBlockToEncode(whole));
    assert.deepEqual(fromBinary(ManagerBlockSchema, bytes), whole);
  });

  test("so do byte strings of any length, and none", () => {
    const bare = create(CertifiedStorageBlockSchema, { block });
    for (const lengths of [[], [0], [127, 128], [0, 1, 300, 70_000, 0]]) {
      const sealedRecords = lengths.map((length, i) => new Uint8Array(length).fill(i + 1));
      const message = withList(CertifiedStorageBlockSchema, bare, "sealedRecords", sealedRecords);
      const bytes = toBinary(CertifiedStorageBlockSchema, message);
      const expected = create(CertifiedStorageBlockSchema, { block, sealedRecords });
      assert.deepEqual(fromBinary(CertifiedStorageBlockSchema, bytes), expected);
    }
  });

  test("a block without records is as it was", () => {
    const empty = new Chain().propose().block;
    assert.equal(blockToEncode(defined(empty.block, "a block")), empty.block);
    const bytes = toBinary(ManagerBlockSchema, managerBlockToEncode(empty));
    assert.deepEqual(bytes, toBinary(ManagerBlockSchema, empty));
  });
});
