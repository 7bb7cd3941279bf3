/**
 * Ed25519 (RFC 8032, PureEdDSA): the signatures that are evidence.
 *
 * Managers must agree on every signature, valid or not: if one counted a certificate that another
 * refused, the chain would split. RFC 8032 leaves room (cofactored or not, which encodings), and
 * libraries use it. So this is the one rule, whatever library computes it (§5.1.7, its strict
 * readings):
 *
 * - a signature is 64 bytes R ‖ S, and S < L (a second S for the same signature is refused);
 * - A, the public key, and R are 32 bytes each, y is below p (one encoding per point), and the
 *   point is not of small order (such a key would "sign" many messages at once, and some versions
 *   of OpenSSL refuse such an R, others do not); A is on the curve;
 * - [S]B − [k]A, encoded, is byte for byte R, with k = SHA-512(R ‖ A ‖ M) mod L: the equation
 *   without the cofactor. (Reducing k matters only when A has a small-order component, and then it
 *   does.)
 *
 * OpenSSL (12 times faster than JavaScript here) computes the equation and refuses points off the
 * curve; in browsers @noble/curves does (platform/). What they leave open (second encodings, small
 * order) is checked before on the bytes, and S < L as well, so that the rule does not rest on one
 * version of OpenSSL: 3.0 takes keys and R of small order, 3.5 in Node.js 24 and 26 refuses them.
 * test/unit/crypto/ed25519-reference.ts states the rule a second time, with other code, and the
 * tests compare the two.
 */

import { ed25519 as curve } from "@noble/curves/ed25519.js";
import {
  afterTurn,
  createSigner,
  type Ed25519Signer,
  equationHolds,
  equationHoldsLater,
} from "#platform/crypto";
import { assert, defined } from "../base/assert.js";
import { fromHex, toHex } from "../base/bytes.js";
import { sha256 } from "./hash.js";
import { LruCache } from "./lru-cache.js";

export type { Ed25519Signer } from "#platform/crypto";

/** A public key, or R. */
const pointBytes = 32;
export const ed25519SeedBytes = 32;
export const ed25519SignatureBytes = 64;

type Ed25519KeyPair = {
  /** 32 bytes: the encoded point. */
  readonly publicKey: Uint8Array;
  /** 32 bytes: the seed, which RFC 8032 calls the private key. */
  readonly secretKey: Uint8Array;
};

const signers = new LruCache<Ed25519Signer>(64);

/** The key pair of a 32-byte seed. */
export function ed25519KeyPairFromSeed(seed: Uint8Array): Ed25519KeyPair {
  return { publicKey: ed25519Signer(seed).publicKey, secretKey: seed.slice() };
}

/** Signs `message` (RFC 8032 §5.1.6): 64 bytes. The seed is 32 bytes. */
export function ed25519Sign(secretSeed: Uint8Array, message: Uint8Array): Uint8Array {
  return ed25519Signer(secretSeed).sign(message);
}

/**
 * Prepares a seed for many signatures. The latest signers are remembered by the hash of their seed.
 */
export function ed25519Signer(secretSeed: Uint8Array): Ed25519Signer {
  assert(secretSeed.length === ed25519SeedBytes, "an Ed25519 seed has 32 bytes");
  return signers.getOrCreate(toHex(sha256(secretSeed)), () => createSigner(secretSeed));
}

/**
 * Whether `signature` is valid by the rule above. Never throws, whatever the bytes. Takes about 0.1
 * ms of this thread in Node.js.
 */
export function ed25519Verify(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  return isAcceptable(publicKey, signature) && equationHolds(publicKey, message, signature);
}

/**
 * The same answer as `ed25519Verify`, computed on the thread pool of Node.js, or else in a later
 * turn. Never rejects.
 */
export function ed25519VerifyAsync(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  if (!isAcceptable(publicKey, signature)) return Promise.resolve(false);
  return equationHoldsLater(publicKey, message, signature);
}

/**
 * The same answer as `ed25519Verify`: at once for the first few checks of a turn of the event loop,
 * from the thread pool for all others. Handing one to the pool and back takes a third of the time
 * that it takes to verify, and another turn; a thousand at once would hold this thread up.
 */
export function ed25519VerifySoon(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean | Promise<boolean> {
  if (checksOfTurn >= checksAtOnceMax) return ed25519VerifyAsync(publicKey, message, signature);
  if (checksOfTurn === 0) afterTurn(endTurn);
  checksOfTurn += 1;
  return ed25519Verify(publicKey, message, signature);
}

/** About 1 ms. */
const checksAtOnceMax = 8;
let checksOfTurn = 0;

function endTurn(): void {
  checksOfTurn = 0;
}

/**
 * Whether these bytes may be registered as a public key: 32 bytes, canonical, on the curve, not of
 * small order. No signature verifies under a key that fails here.
 */
export function isValidEd25519PublicKey(bytes: Uint8Array): boolean {
  if (!isAcceptablePoint(bytes)) return false;
  try {
    curve.Point.fromBytes(bytes);
    return true;
  } catch {
    return false;
  }
}

function isAcceptable(publicKey: Uint8Array, signature: Uint8Array): boolean {
  return (
    signature.length === ed25519SignatureBytes &&
    isBelow(signature.subarray(32), groupOrder, 0xff) &&
    isAcceptablePoint(signature.subarray(0, 32)) &&
    isAcceptablePoint(publicKey)
  );
}

/**
 * 32 bytes, y < p, and y not that of a small-order point; says nothing about being on the curve.
 */
function isAcceptablePoint(bytes: Uint8Array): boolean {
  return bytes.length === pointBytes && isBelow(bytes, fieldPrime, 0x7f) && !isSmallOrder(bytes);
}

/**
 * Little-endian `a` < `limit`, both of 32 bytes; `topMask` leaves the sign bit of a point out of
 * its last byte.
 */
function isBelow(a: Uint8Array, limit: Uint8Array, topMask: number): boolean {
  for (let i = 31; i >= 0; i--) {
    const byte = (a[i] as number) & (i === 31 ? topMask : 0xff);
    const limitByte = limit[i] as number;
    if (byte !== limitByte) return byte < limitByte;
  }
  return false;
}

function isSmallOrder(bytes: Uint8Array): boolean {
  for (const y of smallOrderYs) if (hasY(bytes, y)) return true;
  return false;
}

function hasY(bytes: Uint8Array, y: Uint8Array): boolean {
  for (let i = 0; i < 31; i++) if (bytes[i] !== y[i]) return false;
  return ((bytes[31] as number) & 0x7f) === y[31];
}

function constant(hex: string): Uint8Array {
  return defined(fromHex(hex), "a constant is hex");
}

/** L = 2^252 + 27742317777372353535851937790883648493, little-endian. */
const groupOrder = constant("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");

/** p = 2^255 − 19, little-endian. */
const fieldPrime = constant("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");

/**
 * The y of the eight points whose order divides 8: order 4, 1, 2, and twice 8. Both signs of x are
 * of small order.
 */
const smallOrderYs = [
  constant("0000000000000000000000000000000000000000000000000000000000000000"),
  constant("0100000000000000000000000000000000000000000000000000000000000000"),
  constant("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
  constant("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
  constant("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
];
