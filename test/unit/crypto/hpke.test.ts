import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AssertionFailed } from "../../../src/base/assert.js";
import { concatBytes, fromHex, toHex, utf8 } from "../../../src/base/bytes.js";
import { sha256 } from "../../../src/crypto/hash.js";
import {
  generateHpkeKeyPair,
  hpkeSuite,
  isValidHpkePublicKey,
  unwrapEpochKey,
  wrapEpochKey,
  wrappedEpochKeyBytes,
} from "../../../src/crypto/hpke.js";
import { hpkeKeyPairFromSecret } from "../../support/hpke-key-pair.js";
import { toLittleEndian } from "./little-endian.js";
import { flipped, hex, loadVectors } from "./vectors.js";

const vectors = loadVectors<
  "name" | "info" | "skRm" | "pkRm" | "skEm" | "enc" | "aad" | "plaintext" | "ciphertext"
>("rfc9180-hpke.json");

const epochKey = new Uint8Array(32).map((_, i) => i);
const recipient = hpkeKeyPairFromSecret(new Uint8Array(32).fill(8));
const context = {
  epochNumber: 3,
  consortiumId: new Uint8Array(32).fill(1),
  managerId: "manager-2",
};

function wrapForRecipient() {
  return wrapEpochKey({ ...context, recipientPublicKey: recipient.publicKey, epochKey });
}

describe("the HPKE suite with the vector of RFC 9180", () => {
  assert.equal(vectors.length, 1);
  for (const vector of vectors) {
    const info = hex(vector.info);
    const aad = hex(vector.aad);

    test("derives the public key of the recipient's secret", () => {
      assert.equal(toHex(hpkeKeyPairFromSecret(hex(vector.skRm)).publicKey), vector.pkRm);
    });

    test(`seals: ${vector.name}`, async () => {
      const ephemeral = hpkeKeyPairFromSecret(hex(vector.skEm));
      const ekm = {
        privateKey: await hpkeSuite.kem.deserializePrivateKey(ephemeral.secretKey),
        publicKey: await hpkeSuite.kem.deserializePublicKey(ephemeral.publicKey),
      };
      const recipientPublicKey = await hpkeSuite.kem.deserializePublicKey(hex(vector.pkRm));
      const sender = await hpkeSuite.createSenderContext({ recipientPublicKey, info, ekm });
      assert.equal(toHex(new Uint8Array(sender.enc)), vector.enc);
      const sealed = await sender.seal(hex(vector.plaintext), aad);
      assert.equal(toHex(new Uint8Array(sealed)), vector.ciphertext);
    });

    test(`opens: ${vector.name}`, async () => {
      const recipientKey = await hpkeSuite.kem.deserializePrivateKey(hex(vector.skRm));
      const parameters = { recipientKey, enc: hex(vector.enc), info };
      const opened = await hpkeSuite.open(parameters, hex(vector.ciphertext), aad);
      assert.equal(toHex(new Uint8Array(opened)), vector.plaintext);
    });
  }
});

describe("an epoch key's wrap", () => {
  test("opens for its manager, from a fresh key pair too", async () => {
    const pair = await generateHpkeKeyPair();
    assert.deepEqual(hpkeKeyPairFromSecret(pair.secretKey), pair);
    const options = { ...context, recipientPublicKey: pair.publicKey, epochKey };
    const wrapped = await wrapEpochKey(options);
    assert.equal(wrapped.length, wrappedEpochKeyBytes);
    const secret = { ...context, secretKey: pair.secretKey };
    assert.deepEqual(await unwrapEpochKey({ ...secret, wrapped }), epochKey);
    const view = concatBytes(new Uint8Array(5), wrapped, new Uint8Array(5)).subarray(5, 85);
    assert.deepEqual(await unwrapEpochKey({ ...secret, wrapped: view }), epochKey);
  });

  test("differs each time, for the sender's key pair is fresh", async () => {
    assert.notDeepEqual(await wrapForRecipient(), await wrapForRecipient());
  });

  test("does not open for another epoch, consortium, manager or key", async () => {
    const opening = {
      ...context,
      secretKey: recipient.secretKey,
      wrapped: await wrapForRecipient(),
    };
    assert.deepEqual(await unwrapEpochKey({ ...opening, epochNumber: 3n }), epochKey);
    const changes = [
      { epochNumber: 4 },
      { consortiumId: flipped(context.consortiumId, 0) },
      { managerId: "manager-3" },
      { managerId: "" },
      { secretKey: new Uint8Array(32).fill(9) },
    ];
    for (const change of changes) {
      assert.equal(await unwrapEpochKey({ ...opening, ...change }), undefined);
    }
  });

  test("does not open with any one byte changed", async () => {
    const wrapped = await wrapForRecipient();
    for (let i = 0; i < wrapped.length; i++) {
      // Bit 7 of byte 31 is no part of an X25519 point (RFC 7748 §5), but HPKE hashes enc as it is.
      const changed = flipped(wrapped, i, i === 31 ? 7 : i % 8);
      const options = { ...context, secretKey: recipient.secretKey, wrapped: changed };
      assert.equal(await unwrapEpochKey(options), undefined, `byte ${i}`);
    }
  });

  test("is refused, without a rejection, when it has another length or is zero", async () => {
    const wrapped = await wrapForRecipient();
    const secret = { ...context, secretKey: recipient.secretKey };
    const wrongs = [0, 31, 32, 79].map((length) => wrapped.subarray(0, length));
    wrongs.push(concatBytes(wrapped, Uint8Array.of(0)), new Uint8Array(80));
    for (const wrong of wrongs) {
      assert.equal(await unwrapEpochKey({ ...secret, wrapped: wrong }), undefined);
    }
  });

  test("is refused when what it holds is not as long as an epoch key", async () => {
    // Written out here, so that it also pins the context's bytes.
    const info = concatBytes(
      utf8("bss/v1/key-wrap"),
      context.consortiumId,
      hex("0000000000000003"),
      sha256(utf8(context.managerId)),
    );
    const recipientPublicKey = await hpkeSuite.kem.deserializePublicKey(recipient.publicKey);
    for (const length of [0, 31, 32, 33]) {
      const content = new Uint8Array(length).fill(4);
      const { enc, ct } = await hpkeSuite.seal({ recipientPublicKey, info }, content);
      const wrapped = concatBytes(new Uint8Array(enc), new Uint8Array(ct));
      const opened = await unwrapEpochKey({ ...context, secretKey: recipient.secretKey, wrapped });
      assert.deepEqual(opened, length === 32 ? content : undefined);
    }
  });

  test("is not made from an epoch key or consortium id of another length", async () => {
    const options = { ...context, recipientPublicKey: recipient.publicKey, epochKey };
    await assert.rejects(
      wrapEpochKey({ ...options, epochKey: epochKey.subarray(1) }),
      AssertionFailed,
    );
    const consortiumId = new Uint8Array(31);
    await assert.rejects(wrapEpochKey({ ...options, consortiumId }), AssertionFailed);
  });
});

describe("isValidHpkePublicKey", () => {
  const prime = 2n ** 255n - 19n;
  const smallOrder = [0n, 1n, prime - 1n, prime, prime + 1n].map((u) => toLittleEndian(u, 32));
  // The two of order 8, RFC 7748's twist included: https://cr.yp.to/ecdh.html ("small order").
  for (const text of [
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  ]) {
    smallOrder.push(fromHex(text) as Uint8Array);
  }

  test("refuses exactly the keys for which nothing can be wrapped", async () => {
    // X25519 ignores the highest bit.
    const other = smallOrder.map((key) =>
      Uint8Array.from(key, (byte, at) => byte | (at === 31 ? 0x80 : 0)),
    );
    for (const key of [...smallOrder, ...other]) {
      assert.equal(isValidHpkePublicKey(key), false, toHex(key));
      const options = { ...context, recipientPublicKey: key, epochKey };
      await assert.rejects(wrapEpochKey(options), toHex(key));
    }
    for (const length of [0, 31, 33]) {
      assert.equal(isValidHpkePublicKey(new Uint8Array(length).fill(9)), false);
    }
    assert.equal(isValidHpkePublicKey(recipient.publicKey), true);
    assert.equal(isValidHpkePublicKey((await generateHpkeKeyPair()).publicKey), true);
  });
});
