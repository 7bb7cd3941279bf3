import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../../../src/base/bytes.js";
import { randomBytes } from "../../../src/crypto/random.js";

test("randomBytes gives as many fresh bytes as asked for, in an array of its own", () => {
  assert.equal(randomBytes(0).length, 0);
  const seen = new Set<string>();
  for (let i = 0; i < 100; i++) {
    const bytes = randomBytes(16);
    assert.equal(Object.getPrototypeOf(bytes), Uint8Array.prototype);
    assert.equal(bytes.buffer.byteLength, 16);
    seen.add(toHex(bytes));
  }
  assert.equal(seen.size, 100);
});
