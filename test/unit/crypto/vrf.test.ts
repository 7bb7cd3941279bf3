import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { ED25519_TORSION_SUBGROUP, ed25519 } from "@noble/curves/ed25519.js";
import fc from "fast-check";
import { AssertionFailed } from "../../../src/base/assert.js";
import { concatBytes, toHex, utf8 } from "../../../src/base/bytes.js";
import {
  vrfKeyPairFromSeed,
  vrfOutputBytes,
  vrfProofBytes,
  vrfProofToHash,
  vrfProve,
  vrfValidateKey,
  vrfVerify,
} from "../../../src/crypto/vrf.js";
import { littleEndian, toLittleEndian } from "./little-endian.js";
import { flipped, hex, loadVectors } from "./vectors.js";

const { Point } = ed25519;
const groupOrder = Point.Fn.ORDER;

const vectors = loadVectors<"name" | "secretKey" | "publicKey" | "alpha" | "pi" | "beta">(
  "rfc9381-vrf.json",
);
const { publicKey, secretKey } = vrfKeyPairFromSeed(new Uint8Array(32).fill(5));
const alpha = utf8("height 1");
const proof = vrfProve(secretKey, alpha);

describe("ECVRF with the vectors of RFC 9381 B.3", () => {
  assert.equal(vectors.length, 3);
  for (const vector of vectors) {
    test(`${vector.name} has this key, proof and output`, () => {
      const pair = vrfKeyPairFromSeed(hex(vector.secretKey));
      const input = hex(vector.alpha);
      const pi = hex(vector.pi);
      assert.equal(toHex(pair.publicKey), vector.publicKey);
      assert.equal(toHex(vrfProve(pair.secretKey, input)), vector.pi);
      assert.deepEqual(vrfVerify(pair.publicKey, input, pi), hex(vector.beta));
      assert.deepEqual(vrfProofToHash(pi), hex(vector.beta));
      assert.equal(vrfValidateKey(pair.publicKey), true);
    });
  }
});

describe("a VRF proof", () => {
  test("verifies for random keys and inputs, and always gives the same output", () => {
    const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const property = fc.property(bytes32, fc.uint8Array({ maxLength: 100 }), (seed, input) => {
      const pair = vrfKeyPairFromSeed(seed);
      const pi = vrfProve(seed, input);
      assert.equal(pi.length, vrfProofBytes);
      const beta = vrfVerify(pair.publicKey, input, pi);
      assert.equal(beta?.length, vrfOutputBytes);
      assert.deepEqual(vrfProofToHash(pi), beta);
      assert.deepEqual(vrfProve(seed, input), pi);
    });
    fc.assert(property, { numRuns: 10 });
  });

  test("stays as it is when it is verified, also if its slices share its bytes", () => {
    // A Buffer's do. This runs in browsers too, which have none.
    class SharingBytes extends Uint8Array {
      override slice(start?: number, end?: number): Uint8Array<ArrayBuffer> {
        return this.subarray(start, end) as Uint8Array<ArrayBuffer>;
      }
    }
    const given = new SharingBytes(proof);
    assert.ok(vrfVerify(publicKey, alpha, given) !== undefined);
    assert.equal(toHex(given), toHex(proof));
  });

  test("does not verify with any one byte changed", () => {
    for (let i = 0; i < vrfProofBytes; i++) {
      assert.equal(vrfVerify(publicKey, alpha, flipped(proof, i, i % 8)), undefined);
    }
  });

  test("does not verify for another input or another key", () => {
    assert.equal(vrfVerify(publicKey, utf8("height 2"), proof), undefined);
    const other = vrfKeyPairFromSeed(new Uint8Array(32).fill(6)).publicKey;
    assert.equal(vrfVerify(other, alpha, proof), undefined);
  });

  test("has no second encoding: s + q is refused", () => {
    const s = littleEndian(proof.subarray(48));
    for (let i = 1n; s + i * groupOrder < 2n ** 256n; i++) {
      const second = concatBytes(proof.subarray(0, 48), toLittleEndian(s + i * groupOrder, 32));
      assert.equal(vrfVerify(publicKey, alpha, second), undefined);
      assert.equal(vrfProofToHash(second), undefined);
    }
  });

  test("is refused, without an exception, when it has the wrong length", () => {
    for (const length of [0, 1, 79, 81, 160]) {
      const wrong = new Uint8Array(length);
      wrong.set(proof.subarray(0, length));
      assert.equal(vrfVerify(publicKey, alpha, wrong), undefined);
      assert.equal(vrfProofToHash(wrong), undefined);
    }
  });

  test("is refused, without an exception, for arbitrary bytes and extreme scalars", () => {
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    const property = fc.property(bytes(32), bytes(80), (key, pi) => {
      assert.equal(vrfVerify(key, alpha, pi), undefined);
      assert.equal(vrfVerify(publicKey, alpha, pi), undefined);
    });
    fc.assert(property, { numRuns: 50 });
    const gamma = proof.subarray(0, 32);
    for (const c of [new Uint8Array(16), new Uint8Array(16).fill(255)]) {
      for (const s of [0n, 1n, groupOrder - 1n]) {
        const pi = concatBytes(gamma, c, toLittleEndian(s, 32));
        assert.equal(vrfVerify(publicKey, alpha, pi), undefined);
      }
    }
  });

  test("is not made with a seed of another length, which is a bug of the caller", () => {
    assert.throws(() => vrfProve(secretKey.subarray(1), alpha), AssertionFailed);
    assert.throws(() => vrfKeyPairFromSeed(secretKey.subarray(1)), AssertionFailed);
  });
});

describe("VRF key validation (RFC 9381 §5.4.5)", () => {
  test("refuses every point of small order", () => {
    assert.equal(ED25519_TORSION_SUBGROUP.length, 8);
    for (const encoded of ED25519_TORSION_SUBGROUP) {
      assert.equal(vrfValidateKey(hex(encoded)), false);
    }
  });

  test("refuses second encodings, bytes that are no point, and wrong lengths", () => {
    const prime = Point.Fp.ORDER;
    for (const y of [prime, prime + 1n, 2n ** 255n - 1n, 1n + 2n ** 255n]) {
      assert.equal(vrfValidateKey(toLittleEndian(y, 32)), false);
    }
    assert.equal(vrfValidateKey(toLittleEndian(2n, 32)), false);
    for (const length of [0, 31, 33]) assert.equal(vrfValidateKey(new Uint8Array(length)), false);
  });

  test("stops a proof that would verify under the identity as key", () => {
    // With Y = 0 anybody can prove Gamma = 0 for every input: the output would be a constant.
    const identity = Point.ZERO.toBytes();
    const h = tryAndIncrement(identity, alpha);
    const k = 12345n;
    const points = [identity, h.toBytes(), identity, Point.BASE.multiply(k).toBytes()];
    const c = sha512(Uint8Array.of(3, 2), ...points, h.multiply(k).toBytes(), Uint8Array.of(0));
    const forged = concatBytes(identity, c.subarray(0, 16), toLittleEndian(k, 32));
    assert.notEqual(vrfProofToHash(forged), undefined);
    assert.equal(vrfVerify(identity, alpha, forged), undefined);
  });
});

function tryAndIncrement(salt: Uint8Array, input: Uint8Array) {
  for (let counter = 0; ; counter++) {
    const digest = sha512(Uint8Array.of(3, 1), salt, input, Uint8Array.of(counter, 0));
    const candidate = digest.subarray(0, 32);
    if (ed25519.utils.isValidPublicKey(candidate, false)) {
      return Point.fromBytes(candidate).clearCofactor();
    }
  }
}

function sha512(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(
    createHash("sha512")
      .update(concatBytes(...parts))
      .digest(),
  );
}
