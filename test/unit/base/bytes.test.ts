import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  binaryText,
  compareBytes,
  concatBytes,
  equalBytes,
  fromHex,
  readU64be,
  toHex,
  u64be,
} from "../../../src/base/bytes.js";

const twoTo64 = 2n ** 64n;

describe("bytes", () => {
  test("of a number are its 64 bits, highest first, as a DataView writes them", () => {
    const edges = [0, 1, 255, 256, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 60];
    for (const value of [...edges, ...edges.map(BigInt), twoTo64 - 1n, -1n, -(2n ** 40n)]) {
      const expected = new DataView(new ArrayBuffer(8));
      expected.setBigUint64(0, BigInt(value));
      assert.equal(toHex(u64be(value)), toHex(new Uint8Array(expected.buffer)), `${value}`);
    }
    assert.throws(() => u64be(1.5), RangeError);
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: twoTo64 - 1n }), (value) => {
        assert.equal(readU64be(u64be(value)), value);
      }),
    );
  });

  test("are read at an offset, and nowhere beyond the end", () => {
    const bytes = concatBytes(Uint8Array.of(9, 9), u64be(2 ** 40), Uint8Array.of(9));
    assert.equal(readU64be(bytes, 2), 2n ** 40n);
    assert.throws(() => readU64be(bytes, 4), RangeError);
  });

  test("become hex and text of one character each, wherever they lie in memory", () => {
    const around = Uint8Array.from({ length: 300 }, (_, i) => i);
    for (const part of [around, around.subarray(3, 260), around.subarray(7, 7)]) {
      const digits = Array.from(part, (byte) => byte.toString(16).padStart(2, "0"));
      assert.equal(toHex(part), digits.join(""));
      assert.deepEqual(fromHex(toHex(part)), Uint8Array.from(part));
      assert.deepEqual(
        [...binaryText(part)].map((each) => each.charCodeAt(0)),
        [...part],
      );
    }
  });

  test("are equal when each of them is, at any length", () => {
    for (const length of [0, 1, 32, 128, 129, 5_000]) {
      const bytes = new Uint8Array(length).fill(7);
      assert.ok(equalBytes(bytes, bytes.slice()));
      assert.equal(compareBytes(bytes, bytes.slice()), 0);
      assert.ok(!equalBytes(bytes, new Uint8Array(length + 1).fill(7)));
      for (const at of length === 0 ? [] : [0, length - 1]) {
        assert.ok(!equalBytes(bytes, bytes.with(at, 8)), `${length} ${at}`);
      }
    }
  });
});
