import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { concatBytes, utf8 } from "../../../../src/base/bytes.js";
import { sha256 } from "../../../../src/crypto/hash.js";
import {
  ManagerBlockHeaderSchema,
  StorageBlockHeaderSchema,
} from "../../../../src/gen/bss/v1/block_pb.js";
import {
  buildStorageBlockHeader,
  parseStorageBlockHeader,
  storageBlockId,
} from "../../../../src/ledger/blocks/storage-blocks.js";
import { bytesOf, consortiumId } from "../consortium.js";

const init = {
  consortiumId,
  height: 7n,
  previousStorageBlockId: bytesOf("previous"),
  managerBlockId: bytesOf("manager block"),
  hash2: bytesOf("root"),
  treeSize: 40n,
  controlRoot: bytesOf("control"),
  leavesRoot: bytesOf("leaves"),
};

const bytesWith = (changes: MessageInitShape<typeof StorageBlockHeaderSchema>) =>
  toBinary(StorageBlockHeaderSchema, create(StorageBlockHeaderSchema, { ...init, ...changes }));

describe("a storage block's header", () => {
  test("names the managers' block of its height and what the node computed", () => {
    const built = buildStorageBlockHeader({
      block: {
        blockId: init.managerBlockId,
        height: 7,
        controlRoot: init.controlRoot,
        leavesRoot: init.leavesRoot,
        header: create(ManagerBlockHeaderSchema, { consortiumId, height: 7n }),
      },
      previousStorageBlockId: init.previousStorageBlockId,
      hash2: init.hash2,
      treeSize: 40,
    });
    assert.deepEqual(built.headerBytes, bytesWith({}));
    assert.deepEqual(built.storageBlockId, storageBlockId(built.headerBytes));
    const tagged = sha256(utf8("bss/v1/storage-block"), built.headerBytes);
    assert.deepEqual(built.storageBlockId, tagged);
    assert.deepEqual(parseStorageBlockHeader(built.headerBytes), { ok: true, value: built });
  });

  const short = new Uint8Array(31);
  const wrong: readonly [string, Uint8Array, string | undefined][] = [
    ["noise", utf8("?"), undefined],
    ["more bytes than a header", concatBytes(bytesWith({}), utf8("?")), undefined],
    ["height 0", bytesWith({ height: 0n }), "height"],
    ["an unsafe tree size", bytesWith({ treeSize: 2n ** 53n }), "tree_size"],
    ["a short consortium id", bytesWith({ consortiumId: short }), "consortium_id"],
    [
      "a short previous id",
      bytesWith({ previousStorageBlockId: short }),
      "previous_storage_block_id",
    ],
    ["a short manager block id", bytesWith({ managerBlockId: short }), "manager_block_id"],
    ["a short hash2", bytesWith({ hash2: short }), "hash2"],
    ["a short control root", bytesWith({ controlRoot: short }), "control_root"],
    ["a short leaves root", bytesWith({ leavesRoot: short }), "leaves_root"],
  ];
  for (const [name, bytes, field] of wrong) {
    test(`is refused with ${name}`, () => {
      const result = parseStorageBlockHeader(bytes);
      assert.ok(!result.ok);
      assert.deepEqual([result.error.reason, result.error.field], ["BLOCK_MALFORMED", field]);
    });
  }
});
