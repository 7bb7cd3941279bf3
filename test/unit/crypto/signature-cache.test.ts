import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { utf8 } from "../../../src/base/bytes.js";
import { ed25519KeyPairFromSeed, ed25519Sign } from "../../../src/crypto/ed25519.js";
import { sha256 } from "../../../src/crypto/hash.js";
import { SignatureCache, type SignedDigest } from "../../../src/crypto/signature-cache.js";

const seed = sha256(utf8("seed"));
const { publicKey } = ed25519KeyPairFromSeed(seed);

function signed(text: string): SignedDigest {
  const digest = sha256(utf8(text));
  return { publicKey, digest, signature: ed25519Sign(seed, digest) };
}

function flip(bytes: Uint8Array): Uint8Array {
  return bytes.with(0, (bytes[0] ?? 0) ^ 1);
}

describe("the cache of verified signatures", () => {
  test("finds nothing wrong with none, and with those that verify, again and again", async () => {
    const cache = new SignatureCache();
    const both = [signed("a"), signed("b")];
    assert.equal(await cache.firstInvalid([]), undefined);
    for (let i = 0; i < 3; i++) assert.equal(await cache.firstInvalid(both), undefined);
  });

  test("gives the first of several that do not verify", async () => {
    const cache = new SignatureCache();
    const [good, bad, worse] = [signed("a"), signed("b"), signed("c")];
    const forged = { ...bad, signature: flip(bad.signature) };
    const other = { ...worse, digest: flip(worse.digest) };
    assert.equal(await cache.firstInvalid([good, forged, other]), forged);
    assert.equal(await cache.firstInvalid([other, forged]), other);
  });

  test("does not take one for another that it has seen, whichever part is changed", async () => {
    const cache = new SignatureCache();
    const good = signed("a");
    assert.equal(await cache.firstInvalid([good]), undefined);
    for (const part of ["publicKey", "digest", "signature"] as const) {
      const changed = { ...good, [part]: flip(good[part]) };
      for (let i = 0; i < 2; i++) assert.equal(await cache.firstInvalid([changed]), changed, part);
    }
    assert.equal(await cache.firstInvalid([good]), undefined);
  });

  test("is not fooled by parts whose bytes were moved across their borders", async () => {
    const cache = new SignatureCache();
    const good = signed("a");
    assert.equal(await cache.firstInvalid([good]), undefined);
    const all = new Uint8Array([...good.publicKey, ...good.digest, ...good.signature]);
    for (const [keyEnd, digestEnd] of [
      [31, 64],
      [32, 63],
      [0, 64],
      [33, 65],
    ] as const) {
      const moved = {
        publicKey: all.subarray(0, keyEnd),
        digest: all.subarray(keyEnd, digestEnd),
        signature: all.subarray(digestEnd),
      };
      assert.equal(await cache.firstInvalid([moved]), moved);
    }
  });

  test("verifies a signature once", async () => {
    const cache = new SignatureCache();
    const good = signed("a");
    await cache.firstInvalid([good]);
    // What is remembered is answered within this turn.
    let turned = false;
    const turn = setImmediate(() => {
      turned = true;
    });
    await cache.firstInvalid([good]);
    clearImmediate(turn);
    assert.equal(turned, false);
  });

  test("asks once for a signature that comes again while it is verified, and then remembers it", async () => {
    let asked = 0;
    const answers: ((valid: boolean) => void)[] = [];
    const cache = new SignatureCache(() => {
      asked += 1;
      return new Promise((resolve) => answers.push(resolve));
    });
    const good = signed("a");
    const both = [cache.firstInvalid([good]), cache.firstInvalid([good])];
    assert.equal(asked, 1);
    answers.shift()?.(true);
    assert.deepEqual(await Promise.all(both), [undefined, undefined]);
    await cache.firstInvalid([good]);
    assert.equal(asked, 1);
  });

  test("asks again for one that did not verify", async () => {
    let asked = 0;
    const cache = new SignatureCache(async () => {
      asked += 1;
      return false;
    });
    const bad = signed("a");
    for (let i = 1; i <= 3; i++) {
      assert.equal(await cache.firstInvalid([bad]), bad);
      assert.equal(asked, i);
    }
  });

  test("gives the wrong ones in their order, whether they are verified at once or later", async () => {
    const many = Array.from({ length: 40 }, (_, i) => {
      const each = signed(`${i}`);
      return i % 3 === 1 ? { ...each, signature: flip(each.signature) } : each;
    });
    const wrong = many.filter((_, i) => i % 3 === 1);
    assert.deepEqual(await new SignatureCache().invalidOf(many), wrong);
  });
});
