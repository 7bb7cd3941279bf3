import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { concatBytes, fromHex } from "../../../src/base/bytes.js";
import { CommitCertificateSchema, LeafSchema } from "../../../src/gen/bss/v1/block_pb.js";
import { decodeCanonical, hasUnknownFields, safeInteger } from "../../../src/ledger/wire.js";

const bytes = (hex: string) => fromHex(hex.replaceAll(" ", "")) ?? assert.fail("hex");

describe("canonical bytes", () => {
  const message = create(CommitCertificateSchema, {
    height: 7n,
    round: 3,
    blockId: new Uint8Array([1]),
    signatures: [{ managerId: "m", signature: new Uint8Array([9]) }],
  });
  const canonical = bytes("08 07 10 03 1a 01 01 22 06 0a 01 6d 12 01 09");

  test("are what protobuf libraries write", () => {
    assert.deepEqual(toBinary(CommitCertificateSchema, message), canonical);
    assert.deepEqual(decodeCanonical(CommitCertificateSchema, canonical), message);
    assert.deepEqual(decodeCanonical(LeafSchema, new Uint8Array()), create(LeafSchema));
  });

  const others = {
    "fields in another order": "10 03 08 07 1a 01 01 22 06 0a 01 6d 12 01 09",
    "a padded varint": "08 87 00 10 03 1a 01 01 22 06 0a 01 6d 12 01 09",
    "a default value that is written": "08 07 10 00 1a 01 01 22 06 0a 01 6d 12 01 09",
    "a field that stands twice": "08 07 08 07 10 03 1a 01 01 22 06 0a 01 6d 12 01 09",
    "an unknown field": "08 07 10 03 1a 01 01 22 06 0a 01 6d 12 01 09 78 01",
    "an unknown field inside": "08 07 10 03 1a 01 01 22 08 0a 01 6d 12 01 09 78 01",
    "a wrong wire type": "0d 07 00 00 00",
    "bytes that end too early": "08 07 10 03 1a 01",
    "bytes that go on": "08 07 10 03 1a 01 01 22 06 0a 01 6d 12 01 09 00",
    "text that is not UTF-8": "22 06 0a 01 ff 12 01 09",
    "a number beyond 32 bits": "10 83 80 80 80 10",
  };
  for (const [name, hex] of Object.entries(others)) {
    test(`${name} is refused`, () => {
      assert.equal(decodeCanonical(CommitCertificateSchema, bytes(hex)), undefined);
    });
  }

  test("a message with unknown fields is told apart", () => {
    const plain = toBinary(LeafSchema, create(LeafSchema, { recordHash: new Uint8Array([1]) }));
    assert.ok(!hasUnknownFields(fromBinary(LeafSchema, plain)));
    assert.ok(hasUnknownFields(fromBinary(LeafSchema, concatBytes(plain, bytes("78 01")))));
  });
});

describe("64-bit integers", () => {
  const max = BigInt(Number.MAX_SAFE_INTEGER);
  for (const [value, min, expected] of [
    [0n, 0, 0],
    [0n, 1, undefined],
    [1n, 1, 1],
    [-1n, 0, undefined],
    [max, 0, Number.MAX_SAFE_INTEGER],
    [max + 1n, 0, undefined],
    [2n ** 64n - 1n, 0, undefined],
  ] as const) {
    test(`${value} from ${min} on is ${expected}`, () => {
      assert.equal(safeInteger(value, min), expected);
    });
  }
});
