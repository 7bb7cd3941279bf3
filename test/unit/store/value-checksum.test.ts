import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { utf8 } from "../../../src/base/bytes.js";
import { withChecksum, withoutChecksum } from "../../../src/store/value-checksum.js";

describe("the checksum of a stored value", () => {
  test("is zlib's CRC-32 of key and value, in front of the value", () => {
    // The check value of CRC-32/ISO-HDLC in the catalogue of parametrised CRC algorithms:
    // "123456789".
    assert.equal(withChecksum(utf8("1234"), utf8("56789")).toString("hex"), "cbf439263536373839");
  });

  test("of an empty value is that of its key, wherever the empty value lies", () => {
    const key = utf8("123456789");
    const page = Buffer.alloc(8);
    for (const empty of [
      new Uint8Array(0),
      Buffer.alloc(0),
      page.subarray(4, 4),
      page.subarray(8),
    ]) {
      const stored = withChecksum(key, empty);
      assert.equal(stored.toString("hex"), "cbf43926");
      assert.deepEqual(withoutChecksum(key, stored), new Uint8Array(0));
    }
  });

  test("comes off again", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), fc.uint8Array(), (key, value) => {
        assert.deepEqual(withoutChecksum(key, withChecksum(key, value)), value);
      }),
    );
  });

  test("betrays every single flipped bit of the value, of the key and of itself", () => {
    const key = utf8("key");
    const stored = withChecksum(key, utf8("some value"));
    for (let bit = 0; bit < stored.length * 8; bit++) {
      const flipped = Buffer.from(stored);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      assert.equal(withoutChecksum(key, flipped), undefined);
    }
    for (let bit = 0; bit < key.length * 8; bit++) {
      const flipped = Uint8Array.from(key);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      assert.equal(withoutChecksum(flipped, stored), undefined);
    }
  });

  test("is missed when the stored bytes are cut short", () => {
    const key = utf8("key");
    const stored = withChecksum(key, utf8("some value"));
    for (let length = 0; length < stored.length; length++) {
      assert.equal(withoutChecksum(key, stored.subarray(0, length)), undefined);
    }
  });
});
