import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { utf8 } from "../../../../src/base/bytes.js";
import { sha256 } from "../../../../src/crypto/hash.js";
import {
  ManagerBlockHeaderSchema,
  StorageBlockHeaderSchema,
} from "../../../../src/gen/bss/v1/block_pb.js";
import {
  buildStorageBlockHeader,
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

const bytes = toBinary(StorageBlockHeaderSchema, create(StorageBlockHeaderSchema, init));

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
    assert.deepEqual(built.headerBytes, bytes);
    assert.deepEqual(built.storageBlockId, storageBlockId(built.headerBytes));
    const tagged = sha256(utf8("bss/v1/storage-block"), built.headerBytes);
    assert.deepEqual(built.storageBlockId, tagged);
    assert.deepEqual(fromBinary(StorageBlockHeaderSchema, built.headerBytes), built.header);
  });
});
