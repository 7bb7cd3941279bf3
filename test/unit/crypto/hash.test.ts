import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { concatBytes, toHex, utf8 } from "../../../src/base/bytes.js";
import {
  createShake256Reader,
  type DomainTag,
  domain,
  domainBytes,
  sha256,
  sha256Text,
  taggedHash,
} from "../../../src/crypto/hash.js";

const abc = utf8("abc");

describe("sha256", () => {
  test("gives the digests of FIPS 180-4", () => {
    assert.equal(
      toHex(sha256(abc)),
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
    assert.equal(
      toHex(sha256()),
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    );
  });

  test("hashes the concatenation of its parts, whatever their number and length", () => {
    for (const length of [0, 1, 55, 56, 64, 4095, 4096, 4097, 100_000]) {
      const bytes = new Uint8Array(length).map((_, i) => i * 31);
      const expected = createHash("sha256").update(bytes).digest("hex");
      assert.equal(toHex(sha256(bytes)), expected);
      assert.equal(
        toHex(sha256(bytes.subarray(0, length >> 1), bytes.subarray(length >> 1))),
        expected,
      );
      assert.equal(toHex(sha256(new Uint8Array(0), bytes, new Uint8Array(0))), expected);
    }
  });

  test("gives the same as text, one character for each byte", () => {
    for (const length of [0, 32, 65, 512, 513, 4096, 4097]) {
      const bytes = new Uint8Array(length).map((_, i) => i * 31);
      const parts = [bytes.subarray(0, length >> 1), bytes.subarray(length >> 1)];
      assert.equal(
        toHex(Uint8Array.from(sha256Text(...parts), (each) => each.charCodeAt(0))),
        toHex(sha256(bytes)),
      );
    }
  });

  test("gives a plain Uint8Array of its own, and leaves its input alone", () => {
    const input = Uint8Array.of(1, 2, 3);
    const digest = sha256(input);
    assert.equal(Object.getPrototypeOf(digest), Uint8Array.prototype);
    assert.equal(digest.buffer.byteLength, 32);
    assert.deepEqual(input, Uint8Array.of(1, 2, 3));
  });
});

describe("domain tags", () => {
  const tags: readonly DomainTag[] = Object.values(domain);

  test("are distinct, ASCII, and of this protocol's first version", () => {
    assert.equal(new Set(tags).size, tags.length);
    for (const tag of tags) assert.match(tag, /^bss\/v1\/[a-z]+(-[a-z]+)*$/);
  });

  test("that are hashed with SHA-256 never begin with one another", () => {
    const otherFunctions: readonly DomainTag[] = [
      domain.seal,
      domain.keyWrap,
      domain.committee,
      domain.auditDraw,
      domain.audited,
    ];
    const hashed = tags.filter((tag) => !otherFunctions.includes(tag));
    assert.ok(hashed.length > 10);
    for (const a of hashed) for (const b of hashed) assert.ok(a === b || !a.startsWith(b), a + b);
  });

  test("are the strings that the protocol fixes", () => {
    assert.equal(domain.record, "bss/v1/record");
    assert.equal(domain.seal, "bss/v1/seal");
    assert.equal(domain.epoch, "bss/v1/epoch");
    assert.equal(domain.submission, "bss/v1/submission");
    assert.equal(domain.block, "bss/v1/block");
    assert.equal(domain.committee, "bss/v1/committee");
    assert.equal(domain.audit, "bss/v1/audit");
  });

  test("stand in front of what is hashed", () => {
    const parts = [Uint8Array.of(1, 2), Uint8Array.of(3)];
    const expected = createHash("sha256")
      .update("bss/v1/record")
      .update(concatBytes(...parts));
    assert.equal(toHex(taggedHash(domain.record, ...parts)), expected.digest("hex"));
    assert.deepEqual(domainBytes(domain.head), utf8("bss/v1/head"));
  });

  test("separate equal content of different meaning", () => {
    assert.notDeepEqual(taggedHash(domain.accept, abc), taggedHash(domain.approve, abc));
  });

  test("cannot be changed", () => {
    assert.ok(Object.isFrozen(domain));
  });
});

describe("createShake256Reader", () => {
  // OpenSSL's SHAKE256 is the independent answer: the reader takes noble's, to read in pieces.
  const expected = createHash("shake256", { outputLength: 1000 }).update("abc").digest("hex");

  test("agrees with OpenSSL over many blocks", () => {
    assert.equal(toHex(createShake256Reader(abc)(1000)), expected);
  });

  test("gives one stream, however it is cut and however the seed is cut", () => {
    const read = createShake256Reader(utf8("a"), new Uint8Array(0), utf8("bc"));
    const pieces: Uint8Array[] = [];
    for (let n = 1, total = 0; total < 1000; total += n, n = Math.min(n + 7, 1000 - total)) {
      pieces.push(read(n));
    }
    assert.equal(toHex(concatBytes(...pieces)), expected);
  });

  test("gives no bytes when asked for none", () => {
    const read = createShake256Reader(abc);
    assert.equal(read(0).length, 0);
    assert.equal(toHex(read(8)), expected.slice(0, 16));
  });
});
