import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { ed25519 as curve, ED25519_TORSION_SUBGROUP } from "@noble/curves/ed25519.js";
import fc from "fast-check";
import { AssertionFailed } from "../../../src/base/assert.js";
import { concatBytes, equalBytes, toHex, utf8 } from "../../../src/base/bytes.js";
import {
  ed25519KeyPairFromSeed,
  ed25519Sign,
  ed25519Signer,
  ed25519Verify,
  ed25519VerifyAsync,
  ed25519VerifySoon,
  isValidEd25519PublicKey,
} from "../../../src/crypto/ed25519.js";
import { u32be } from "../../support/bytes.js";
import { referencePublicKey, referenceSign, referenceVerify } from "./ed25519-reference.js";
import { littleEndian, toLittleEndian } from "./little-endian.js";
import { flipped, hex, loadVectors } from "./vectors.js";

const { Point } = curve;
const groupOrder = Point.Fn.ORDER;
const fieldPrime = Point.Fp.ORDER;
const torsion = ED25519_TORSION_SUBGROUP.map((encoded) => Point.fromHex(encoded));

const vectors = loadVectors<"name" | "secretKey" | "publicKey" | "message" | "signature">(
  "rfc8032-ed25519.json",
);
const seed = new Uint8Array(32).fill(7);
const message = utf8("a quorum of managers");

/** The answer on which all three implementations agree. */
async function verdict(key: Uint8Array, text: Uint8Array, signature: Uint8Array) {
  const answer = ed25519Verify(key, text, signature);
  const where = `${toHex(key)} ${toHex(text)} ${toHex(signature)}`;
  assert.equal(referenceVerify(key, text, signature), answer, `reference: ${where}`);
  assert.equal(await ed25519VerifyAsync(key, text, signature), answer, `async: ${where}`);
  assert.equal(await ed25519VerifySoon(key, text, signature), answer, `soon: ${where}`);
  return answer;
}

describe("Ed25519 with the vectors of RFC 8032 §7.1", () => {
  assert.equal(vectors.length, 5);
  for (const vector of vectors) {
    test(`${vector.name} has this key, this signature, and verifies`, async () => {
      const secret = hex(vector.secretKey);
      const text = hex(vector.message);
      const pair = ed25519KeyPairFromSeed(secret);
      assert.equal(toHex(pair.publicKey), vector.publicKey);
      assert.equal(toHex(pair.secretKey), vector.secretKey);
      assert.equal(toHex(referencePublicKey(secret)), vector.publicKey);
      assert.equal(toHex(ed25519Sign(secret, text)), vector.signature);
      assert.equal(toHex(referenceSign(secret, text)), vector.signature);
      assert.equal(await verdict(pair.publicKey, text, hex(vector.signature)), true);
    });
  }
});

describe("Ed25519 signatures", () => {
  const { publicKey } = ed25519KeyPairFromSeed(seed);
  const signature = ed25519Sign(seed, message);

  test("of random keys and messages are the reference's, and verify", async () => {
    const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const property = fc.asyncProperty(bytes32, fc.uint8Array({ maxLength: 200 }), async (s, m) => {
      const signed = ed25519Sign(s, m);
      assert.deepEqual(signed, referenceSign(s, m));
      assert.equal(await verdict(ed25519KeyPairFromSeed(s).publicKey, m, signed), true);
    });
    await fc.assert(property, { numRuns: 25 });
  });

  test("do not verify with any one byte of signature, key or message changed", async () => {
    for (let i = 0; i < 64; i++) {
      const bit = i % 8;
      assert.equal(await verdict(publicKey, message, flipped(signature, i, bit)), false);
    }
    for (let i = 0; i < 32; i += 3) {
      assert.equal(await verdict(flipped(publicKey, i, i % 8), message, signature), false);
    }
    for (let i = 0; i < message.length; i += 5) {
      assert.equal(await verdict(publicKey, flipped(message, i), signature), false);
    }
  });

  test("of another length, or under a key of another length, are refused", async () => {
    for (const length of [0, 1, 31, 32, 63, 65, 128]) {
      const wrong = new Uint8Array(length);
      wrong.set(signature.subarray(0, length));
      assert.equal(await verdict(publicKey, message, wrong), false);
    }
    for (const length of [0, 1, 31, 33, 64]) {
      const wrong = new Uint8Array(length);
      wrong.set(publicKey.subarray(0, length));
      assert.equal(await verdict(wrong, message, signature), false);
      assert.equal(isValidEd25519PublicKey(wrong), false);
    }
  });

  test("are answered the same by all, and without an exception, for arbitrary bytes", async () => {
    const any = (maxLength: number) => fc.uint8Array({ minLength: maxLength - 1, maxLength });
    const exactly = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    const property = fc.asyncProperty(
      fc.oneof(any(32), exactly(32)),
      fc.oneof(any(64), exactly(64)),
      async (key, bytes) => {
        assert.equal(await verdict(key, message, bytes), false);
      },
    );
    await fc.assert(property, { numRuns: 100 });
  });

  test("verify from views into larger buffers", async () => {
    const buffer = concatBytes(Uint8Array.of(9), publicKey, message, signature, Uint8Array.of(9));
    const at = 33 + message.length;
    const views = [buffer.subarray(1, 33), buffer.subarray(33, at), buffer.subarray(at, at + 64)];
    const [key, text, signed] = views as [Uint8Array, Uint8Array, Uint8Array];
    assert.equal(await verdict(key, text, signed), true);
  });

  test("come from a signer that keeps its own key when the caller's seed is overwritten", () => {
    const mine = seed.slice();
    const signer = ed25519Signer(mine);
    const pair = ed25519KeyPairFromSeed(mine);
    mine.fill(0);
    assert.deepEqual(signer.publicKey, publicKey);
    assert.deepEqual(signer.sign(message), signature);
    assert.deepEqual(pair.secretKey, seed);
    assert.notDeepEqual(ed25519Sign(mine, message), signature);
  });

  test("are not made with a seed of another length, which is a bug of the caller", () => {
    assert.throws(() => ed25519Sign(seed.subarray(1), message), AssertionFailed);
  });
});

describe("Ed25519 malleability", () => {
  const { publicKey } = ed25519KeyPairFromSeed(seed);

  test("S + L is refused, for every multiple that fits into 32 bytes", async () => {
    const signature = ed25519Sign(seed, message);
    const s = littleEndian(signature.subarray(32));
    for (let i = 0n; s + i * groupOrder < 2n ** 256n; i++) {
      const changed = concatBytes(
        signature.subarray(0, 32),
        toLittleEndian(s + i * groupOrder, 32),
      );
      assert.equal(await verdict(publicKey, message, changed), i === 0n);
    }
  });

  test("S at the edges of its range is answered alike", async () => {
    const r = ed25519Sign(seed, message).subarray(0, 32);
    for (const s of [0n, 1n, groupOrder - 1n, groupOrder, groupOrder + 1n, 2n ** 256n - 1n]) {
      const changed = concatBytes(r, toLittleEndian(s, 32));
      assert.equal(await verdict(publicKey, message, changed), false);
    }
  });
});

/**
 * Points as attackers choose them: the equation's terms are known, so its outcome is known without
 * a verifier.
 */
describe("Ed25519 with points of small order", () => {
  const a = 1234567890123456789n;
  const r = 9876543210987654321n;

  function challenge(encodedR: Uint8Array, key: Uint8Array, text: Uint8Array): bigint {
    const digest = createHash("sha512").update(encodedR).update(key).update(text).digest();
    return littleEndian(digest) % groupOrder;
  }

  /**
   * The signature that satisfies the equation up to small-order terms, for A = aB + …, and R as
   * encoded.
   */
  function forge(
    encodedR: Uint8Array,
    key: Uint8Array,
    text: Uint8Array,
    rOfR: bigint,
    aOfA: bigint,
  ) {
    const s = (rOfR + challenge(encodedR, key, text) * aOfA) % groupOrder;
    return concatBytes(encodedR, toLittleEndian(s, 32));
  }

  test("in A or R, a signature counts only if the cofactorless equation holds", async () => {
    const outcomes = { true: 0, false: 0 };
    for (const inA of torsion) {
      for (const inR of torsion) {
        const key = Point.BASE.multiply(a).add(inA).toBytes();
        const encodedR = Point.BASE.multiply(r).add(inR).toBytes();
        const text = u32be(outcomes.true + outcomes.false);
        const k = challenge(encodedR, key, text);
        let residue = inR;
        for (let i = 0n; i < k % 8n; i++) residue = residue.add(inA);
        const signature = forge(encodedR, key, text, r, a);
        const answer = await verdict(key, text, signature);
        assert.equal(answer, residue.is0());
        // The cofactored rule accepts every one of them: this difference could split a consortium.
        assert.equal(curve.verify(signature, text, key, { zip215: false }), true);
        assert.equal(isValidEd25519PublicKey(key), true);
        outcomes[`${answer}`]++;
      }
    }
    assert.ok(outcomes.true >= 4 && outcomes.false >= 32, JSON.stringify(outcomes));
  });

  test("a public key of small order is refused, though its equation holds", async () => {
    for (const point of torsion) {
      const key = point.toBytes();
      assert.equal(isValidEd25519PublicKey(key), false);
      let holds = 0;
      for (let i = 0; i < 32; i++) {
        const encodedR = Point.BASE.multiply(r).toBytes();
        const k = challenge(encodedR, key, u32be(i));
        if (k % 8n === 0n) holds++;
        const signature = forge(encodedR, key, u32be(i), r, 0n);
        if (k % 8n === 0n || i < 4) assert.equal(await verdict(key, u32be(i), signature), false);
      }
      assert.ok(holds > 0, "no message of this test satisfied the equation");
    }
  });

  test("an R of small order is refused, though its equation holds", async () => {
    // Node.js 20 with OpenSSL 3.0 takes them, Node.js 24 with OpenSSL 3.5 does not.
    let holds = 0;
    for (const inA of torsion) {
      const point = Point.BASE.multiply(a).add(inA);
      const key = point.toBytes();
      for (const inR of torsion) {
        const encodedR = inR.toBytes();
        for (let i = 0; i < 8; i++) {
          const text = u32be(i);
          const signature = forge(encodedR, key, text, 0n, a);
          const s = littleEndian(signature.subarray(32));
          const k = challenge(encodedR, key, text);
          const found = Point.BASE.multiplyUnsafe(s).subtract(point.multiplyUnsafe(k));
          if (!found.equals(inR)) continue;
          holds++;
          assert.equal(await verdict(key, text, signature), false);
        }
      }
    }
    assert.ok(holds > 40, `the equation held ${holds} times`);
  });

  test("a second encoding of a point is refused, as a key and as R", async () => {
    const honest = Point.BASE.multiply(a).toBytes();
    const encodings: Uint8Array[] = [];
    for (let y = fieldPrime; y < 2n ** 255n; y++) {
      encodings.push(toLittleEndian(y, 32), toLittleEndian(y + 2n ** 255n, 32));
    }
    // x = 0 with the sign bit set: "minus zero", at y = 1 and y = −1.
    for (const y of [1n, fieldPrime - 1n]) encodings.push(toLittleEndian(y + 2n ** 255n, 32));
    assert.equal(encodings.length, 40);
    let decodable = 0;
    for (const encoded of encodings) {
      assert.equal(isValidEd25519PublicKey(encoded), false);
      const asR = forge(encoded, honest, message, 0n, a);
      assert.equal(await verdict(honest, message, asR), false);
      const asKey = forge(Point.BASE.multiply(r).toBytes(), encoded, message, r, 0n);
      assert.equal(await verdict(encoded, message, asKey), false);
      if (curve.utils.isValidPublicKey(encoded, true)) decodable++;
    }
    assert.ok(decodable > 10, "a lax decoder would take many of these");
  });
});

describe("isValidEd25519PublicKey", () => {
  test("takes honest keys and refuses bytes that are no point", () => {
    let points = 0;
    for (let i = 0; i < 64; i++) {
      const honest = ed25519KeyPairFromSeed(new Uint8Array(32).fill(i)).publicKey;
      assert.equal(isValidEd25519PublicKey(honest), true);
      const y = createHash("sha256").update(u32be(i)).digest();
      const isPoint = curve.utils.isValidPublicKey(new Uint8Array(y), false);
      assert.equal(isValidEd25519PublicKey(new Uint8Array(y)), isPoint);
      if (isPoint) points++;
    }
    assert.ok(points > 10 && points < 54, "about half of all strings are points");
  });

  test("a key off the curve verifies nothing", async () => {
    const off = new Uint8Array(32);
    for (off[0] = 2; curve.utils.isValidPublicKey(off, false); ) off[0] = (off[0] ?? 0) + 1;
    assert.equal(await verdict(off, message, ed25519Sign(seed, message)), false);
    assert.equal(equalBytes(off, ed25519KeyPairFromSeed(seed).publicKey), false);
  });
});

describe("verifying soon", () => {
  test("answers a few at once in each turn of the event loop, and all others later", async () => {
    const { publicKey } = ed25519KeyPairFromSeed(seed);
    const signature = ed25519Sign(seed, message);
    for (let turn = 0; turn < 3; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      const answers = Array.from({ length: 20 }, (_, i) =>
        ed25519VerifySoon(publicKey, message, i % 2 === 0 ? signature : flipped(signature, 0)),
      );
      const atOnce = answers.filter((answer) => typeof answer === "boolean");
      assert.equal(atOnce.length, 8);
      const all = await Promise.all(answers);
      assert.deepEqual(
        all,
        all.map((_, i) => i % 2 === 0),
      );
    }
  });
});
