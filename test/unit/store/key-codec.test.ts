import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { AssertionFailed } from "../../../src/base/assert.js";
import { compareBytes, concatBytes } from "../../../src/base/bytes.js";
import { buckets } from "../../../src/store/buckets.js";
import {
  bucketKey,
  bucketRange,
  i64Part,
  KeyReader,
  textPart,
  u8Part,
  u64Part,
} from "../../../src/store/key-codec.js";

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const i64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const id = fc.stringMatching(/^[a-z0-9-]{1,63}$/);
const anyText = fc
  .string({ unit: "grapheme", maxLength: 40 })
  .filter((text) => !text.includes("\0") && Buffer.byteLength(text) <= 255);

function sign(value: number | bigint): number {
  return value < 0 ? -1 : value > 0 ? 1 : 0;
}

describe("buckets", () => {
  test("keep their numbers for ever", () => {
    assert.deepEqual(buckets, {
      meta: 1,
      blockByHeight: 2,
      heightByBlockId: 3,
      state: 7,
      voteLog: 8,
      candidate: 9,
      certificate: 10,
      pool: 11,
      ownerIndex: 12,
      meterIndex: 13,
      storageBlock: 15,
      attestationLog: 16,
      membership: 17,
      lastAttested: 18,
      participantSpki: 19,
      falseObjection: 20,
      evidence: 21,
      segment: 22,
      sealedApart: 23,
      logTile: 24,
      recordPlace: 25,
      ownerRun: 26,
      meterRun: 27,
      ownerRunCost: 28,
      meterRunCost: 29,
    });
  });

  test("have distinct numbers above 0, the barrier's, and below 255, to have an end", () => {
    const numbers = Object.values(buckets);
    assert.equal(new Set(numbers).size, numbers.length);
    for (const number of numbers) assert.ok(number > 0 && number < 255);
  });
});

describe("key parts", () => {
  test("are the bytes that the stored format fixes", () => {
    const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
    assert.equal(hex(u8Part(7)), "07");
    assert.equal(hex(u64Part(258)), "0000000000000102");
    assert.equal(hex(u64Part(2n ** 64n - 1n)), "ffffffffffffffff");
    assert.equal(hex(i64Part(0)), "8000000000000000");
    assert.equal(hex(i64Part(-1)), "7fffffffffffffff");
    assert.equal(hex(i64Part(1)), "8000000000000001");
    assert.equal(hex(textPart("ab")), "616200");
    assert.equal(hex(bucketKey(24, u8Part(1), u64Part(2))), "18010000000000000002");
  });

  test("of integers sort as the integers do", () => {
    fc.assert(
      fc.property(u64, u64, i64, i64, (a, b, c, d) => {
        assert.equal(sign(compareBytes(u64Part(a), u64Part(b))), sign(a - b));
        assert.equal(sign(compareBytes(i64Part(c), i64Part(d))), sign(c - d));
      }),
    );
  });

  test("of ids sort as the ids do, whatever follows them", () => {
    fc.assert(
      fc.property(id, id, fc.uint8Array(), fc.uint8Array(), (a, b, tailA, tailB) => {
        fc.pre(a !== b);
        const difference = compareBytes(
          concatBytes(textPart(a), tailA),
          concatBytes(textPart(b), tailB),
        );
        assert.equal(sign(difference), a < b ? -1 : 1);
      }),
    );
  });

  test("come back from a key as they went in", () => {
    fc.assert(
      fc.property(
        fc.nat(255),
        u64,
        i64,
        anyText,
        fc.uint8Array({ minLength: 4, maxLength: 4 }),
        fc.uint8Array(),
        (small, unsigned, signed, text, fixed, rest) => {
          const key = bucketKey(
            buckets.state,
            ...[u8Part(small), textPart(text), u64Part(unsigned), i64Part(signed), fixed, rest],
          );
          const reader = new KeyReader(key, buckets.state);
          assert.equal(reader.u8(), small);
          assert.equal(reader.text(), text);
          assert.equal(reader.u64(), unsigned);
          assert.equal(reader.i64(), signed);
          assert.deepEqual(reader.bytes(4), fixed);
          assert.deepEqual(reader.rest(), rest);
          reader.end();
        },
      ),
    );
  });

  const refused: readonly [string, () => unknown][] = [
    ["a u8 above 255", () => u8Part(256)],
    ["a u8 below 0", () => u8Part(-1)],
    ["a u8 with a fraction", () => u8Part(1.5)],
    ["a u64 below 0", () => u64Part(-1)],
    ["a u64 of 2^64", () => u64Part(2n ** 64n)],
    ["a number beyond 2^53 − 1", () => u64Part(2 ** 53)],
    ["a number with a fraction", () => u64Part(0.5)],
    ["NaN", () => i64Part(Number.NaN)],
    ["an i64 of 2^63", () => i64Part(2n ** 63n)],
    ["an i64 below −2^63", () => i64Part(-(2n ** 63n) - 1n)],
    ["a text with U+0000", () => textPart("a\0b")],
    ["a text of 256 bytes", () => textPart("é".repeat(128))],
    ["a key of another bucket", () => new KeyReader(bucketKey(1), 2)],
    ["a key that is too short", () => new KeyReader(bucketKey(1, u8Part(1)), 1).u64()],
    ["a text without its end", () => new KeyReader(Uint8Array.of(1, 97), 1).text()],
    ["a text that is not UTF-8", () => new KeyReader(Uint8Array.of(1, 0xff, 0), 1).text()],
    ["a key with bytes left over", () => new KeyReader(bucketKey(1, u8Part(1)), 1).end()],
  ];
  for (const [what, attempt] of refused) {
    test(`refuse ${what}`, () => {
      assert.throws(attempt, AssertionFailed);
    });
  }
});

describe("the range of a prefix", () => {
  test("holds exactly the keys that begin with it", () => {
    const tricky = fc.array(fc.constantFrom(0x00, 0x01, 0xfe, 0xff), { maxLength: 4 });
    fc.assert(
      fc.property(tricky, tricky, fc.constantFrom(1, 2, 3), (prefix, key, bucket) => {
        const { gte, lt } = bucketRange(2, Uint8Array.from(prefix));
        const full = Uint8Array.from([bucket, ...key]);
        const isInside = compareBytes(full, gte) >= 0 && compareBytes(full, lt) < 0;
        const begins = bucket === 2 && prefix.every((byte, i) => byte === key[i]);
        assert.equal(isInside, begins);
      }),
      { numRuns: 2_000 },
    );
  });

  test("of a whole bucket ends where the next bucket begins", () => {
    assert.deepEqual(bucketRange(7), { gte: Uint8Array.of(7), lt: Uint8Array.of(8) });
  });

  test("skips trailing 0xff bytes for its end", () => {
    const { lt } = bucketRange(7, Uint8Array.of(1, 0xff, 0xff));
    assert.deepEqual(lt, Uint8Array.of(7, 2));
  });
});
