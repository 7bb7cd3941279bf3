/**
 * Wrapping epoch keys: how one manager hands the key that opens the records of an epoch to another
 * one, over a public chain.
 *
 * HPKE (RFC 9180) in base mode, suite DHKEM(X25519, HKDF-SHA256) / HKDF-SHA256 / AES-256-GCM. The
 * sender makes a fresh X25519 key pair for each wrap, so a wrap needs no secret of the sender and
 * says nothing about who made it: the receiver opens it and checks the key against the public epoch
 * commitment. What a wrap is for is bound as HPKE `info`:
 *
 *     info    = "bss/v1/key-wrap" ‖ consortium_id (32) ‖ u64 epoch number ‖ SHA-256(manager id)
 *     wrapped = enc (32) ‖ AES-256-GCM ciphertext (32) ‖ tag (16)
 *
 * so a wrap that is shown as that of another epoch, manager or consortium does not open.
 */
import { createPrivateKey, createPublicKey, diffieHellman } from "node:crypto";
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from "@hpke/core";
import { assert } from "../base/assert.js";
import { concatBytes, u64be, utf8 } from "../base/bytes.js";
import { domain, domainBytes, sha256 } from "./hash.js";

export type HpkeKeyPair = {
  /** 32 bytes: an X25519 u-coordinate. */
  readonly publicKey: Uint8Array;
  /** 32 bytes. */
  readonly secretKey: Uint8Array;
};

/** What a wrap is for; opening needs the same values. */
type KeyWrapContext = {
  readonly epochNumber: number | bigint;
  /** 32 bytes. */
  readonly consortiumId: Uint8Array;
  /** The manager that is to open the wrap. */
  readonly managerId: string;
};

/** enc ‖ ciphertext ‖ tag. */
export const wrappedEpochKeyBytes = 80;
const encBytes = 32;

export const hpkeSuite = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Aes256Gcm(),
});

export async function generateHpkeKeyPair(): Promise<HpkeKeyPair> {
  const pair = await hpkeSuite.kem.generateKeyPair();
  return {
    publicKey: new Uint8Array(await hpkeSuite.kem.serializePublicKey(pair.publicKey)),
    secretKey: new Uint8Array(await hpkeSuite.kem.serializePrivateKey(pair.privateKey)),
  };
}

/**
 * Whether an epoch key can be wrapped for this key: 32 bytes, and not one of the few points with
 * which every exchange gives zero (RFC 7748 §6.1). To be asked before a manager is admitted.
 */
export function isValidHpkePublicKey(bytes: Uint8Array): boolean {
  if (bytes.length !== 32) return false;
  const key = Buffer.concat([spkiPrefix, bytes]);
  try {
    diffieHellman({
      privateKey: createPrivateKey({ key: anySecretKey, format: "der", type: "pkcs8" }),
      publicKey: createPublicKey({ key, format: "der", type: "spki" }),
    });
    return true;
  } catch {
    // OpenSSL refuses a shared secret of zeros, and no other (RFC 7748 §6.1).
    return false;
  }
}

/**
 * Wraps a 32-byte epoch key for one manager: 80 bytes, different at each call.
 * Rejects only for a recipient key that `isValidHpkePublicKey` refuses.
 */
export async function wrapEpochKey(
  options: KeyWrapContext & {
    readonly recipientPublicKey: Uint8Array;
    readonly epochKey: Uint8Array;
  },
): Promise<Uint8Array> {
  assert(options.epochKey.length === 32, "an epoch key has 32 bytes");
  const recipientPublicKey = await hpkeSuite.kem.deserializePublicKey(options.recipientPublicKey);
  const { enc, ct } = await hpkeSuite.seal(
    { recipientPublicKey, info: infoOf(options) },
    options.epochKey,
  );
  return concatBytes(new Uint8Array(enc), new Uint8Array(ct));
}

/**
 * The 32-byte epoch key, or undefined when the wrap does not open with this key and context. Never
 * rejects because of `wrapped`. The caller checks the result against the epoch commitment.
 */
export async function unwrapEpochKey(
  options: KeyWrapContext & { readonly secretKey: Uint8Array; readonly wrapped: Uint8Array },
): Promise<Uint8Array | undefined> {
  if (options.wrapped.length !== wrappedEpochKeyBytes) return undefined;
  const recipientKey = await hpkeSuite.kem.deserializePrivateKey(options.secretKey);
  const enc = options.wrapped.slice(0, encBytes);
  const info = infoOf(options);
  try {
    const key = await hpkeSuite.open({ recipientKey, enc, info }, options.wrapped.slice(encBytes));
    return new Uint8Array(key);
  } catch {
    return undefined;
  }
}

/**
 * Four parts of fixed length, so they need no lengths; it stays below the 128 bytes that RFC 9180
 * §7.2.1 calls safe.
 */
function infoOf({ consortiumId, epochNumber, managerId }: KeyWrapContext): Uint8Array {
  assert(consortiumId.length === 32, "a consortium id has 32 bytes");
  const manager = sha256(utf8(managerId));
  return concatBytes(domainBytes(domain.keyWrap), consortiumId, u64be(epochNumber), manager);
}

/** What stands before the 32 bytes of a public X25519 key in DER (RFC 8410). */
const spkiPrefix = Buffer.from("302a300506032b656e032100", "hex");

/**
 * A secret key in DER. Any shows whether a point is of small order: clamping makes it a multiple
 * of 8.
 */
const anySecretKey = Buffer.from(`302e020100300506032b656e04220420${"01".repeat(32)}`, "hex");
