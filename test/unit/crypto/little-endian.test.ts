import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { littleEndian, toLittleEndian } from "../../../src/crypto/little-endian.js";

describe("little-endian integers", () => {
  test("have their least significant byte first", () => {
    assert.equal(littleEndian(Uint8Array.of(1, 2, 0)), 0x0201n);
    assert.deepEqual(toLittleEndian(0x0201n, 3), Uint8Array.of(1, 2, 0));
    assert.equal(littleEndian(new Uint8Array(0)), 0n);
    assert.deepEqual(toLittleEndian(0n, 2), Uint8Array.of(0, 0));
  });

  test("survive the way there and back, and leave the bytes alone", () => {
    const bytes = new Uint8Array(64).map((_, i) => i * 37 + 5);
    const copy = bytes.slice();
    assert.deepEqual(toLittleEndian(littleEndian(bytes), 64), copy);
    assert.deepEqual(bytes, copy);
  });
});
