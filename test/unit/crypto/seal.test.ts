import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AssertionFailed } from "../../../src/base/assert.js";
import { toHex, utf8 } from "../../../src/base/bytes.js";
import { sha256 } from "../../../src/crypto/hash.js";
import { epochCommitment, sealRecord, unsealRecord } from "../../../src/crypto/seal.js";
import { sealTagBytes } from "../../../src/crypto/seal-tag.js";
import { flipped, hex, loadVectors } from "./vectors.js";

const vectors = loadVectors<
  "name" | "epochNumber" | "epochKey" | "epochCommitment" | "recordHash" | "record" | "sealed"
>("seal.json");

const epochKey = new Uint8Array(32).fill(3);
const record = utf8("4.2 kWh between 10:00 and 10:15");
const recordHash = sha256(record);

describe("sealing, compared with another implementation", () => {
  assert.equal(vectors.length, 4);
  for (const vector of vectors) {
    test(`of ${vector.name} gives the same bytes and commitment`, () => {
      const key = hex(vector.epochKey);
      const hash = hex(vector.recordHash);
      assert.equal(toHex(sealRecord(key, hash, hex(vector.record))), vector.sealed);
      const unsealed = unsealRecord(key, hash, hex(vector.sealed));
      assert.equal(unsealed && toHex(unsealed), vector.record);
      const commitment = epochCommitment(BigInt(vector.epochNumber), key);
      assert.equal(toHex(commitment), vector.epochCommitment);
    });
  }

  test("takes an epoch number as number or bigint alike", () => {
    assert.deepEqual(epochCommitment(5, epochKey), epochCommitment(5n, epochKey));
    assert.notDeepEqual(epochCommitment(5, epochKey), epochCommitment(6, epochKey));
  });
});

describe("a sealed record", () => {
  const sealed = sealRecord(epochKey, recordHash, record);

  test("is deterministic, and longer than the record by the tag", () => {
    assert.deepEqual(sealRecord(epochKey, recordHash, record), sealed);
    assert.equal(sealed.length, record.length + sealTagBytes);
    assert.equal(Object.getPrototypeOf(sealed), Uint8Array.prototype);
  });

  test("keeps its bytes whatever is sealed after it", () => {
    const lengths = Array.from({ length: 300 }, (_, i) => (i * 37) % 1_100);
    const all = lengths.map((length, i) => {
      const bytes = new Uint8Array(length).fill(i);
      const hash = sha256(bytes, Uint8Array.of(i >> 8, i));
      return { bytes, hash, sealed: sealRecord(epochKey, hash, bytes) };
    });
    for (const { bytes, hash, sealed } of all) {
      assert.equal(sealed.length, bytes.length + sealTagBytes);
      assert.deepEqual(unsealRecord(epochKey, hash, sealed), bytes);
    }
  });

  test("opens with the epoch key and the record's hash", () => {
    assert.deepEqual(unsealRecord(epochKey, recordHash, sealed), record);
  });

  test("does not open with any one byte changed", () => {
    for (let i = 0; i < sealed.length; i++) {
      assert.equal(unsealRecord(epochKey, recordHash, flipped(sealed, i, i % 8)), undefined);
    }
  });

  test("does not open under another epoch key or record hash", () => {
    assert.equal(unsealRecord(flipped(epochKey, 31), recordHash, sealed), undefined);
    assert.equal(unsealRecord(epochKey, flipped(recordHash, 0), sealed), undefined);
  });

  test("is refused, without an exception, when something has the wrong length", () => {
    for (const length of [0, 1, 15, 16, sealed.length - 1]) {
      assert.equal(unsealRecord(epochKey, recordHash, sealed.subarray(0, length)), undefined);
    }
    assert.equal(unsealRecord(epochKey.subarray(1), recordHash, sealed), undefined);
    assert.equal(unsealRecord(epochKey, recordHash.subarray(1), sealed), undefined);
  });

  test("is not made with a key or hash of another length, which is a bug of the caller", () => {
    assert.throws(() => sealRecord(new Uint8Array(16), recordHash, record), AssertionFailed);
    assert.throws(() => sealRecord(epochKey, new Uint8Array(31), record), AssertionFailed);
    assert.throws(() => epochCommitment(1, new Uint8Array(31)), AssertionFailed);
  });
});
