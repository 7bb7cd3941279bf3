/**
 * A verifiable random function: RFC 9381, suite ECVRF-EDWARDS25519-SHA512-TAI (suite_string 0x03).
 *
 * The creator of a block must draw the committee that checks it, without being able to choose it. A
 * VRF is a hash that only the holder of a secret key can compute (beta, 64 bytes) and that
 * everybody can check with the public key and a proof (pi, 80 bytes). For one key and one input
 * alpha there is one beta, so there is nothing to try out. It works like this:
 *
 *     H     = alpha hashed onto the curve
 *     Gamma = x·H, with x the secret behind the public key Y = x·B
 *     beta  = SHA-512(8·Gamma), with suite and separators
 *     pi    = (Gamma, c, s): an argument, like a signature, that log_B(Y) = log_H(Gamma)
 *
 * Key pairs are made as for Ed25519, but a manager's VRF key is a key of its own. Uniqueness for a
 * key that its owner made maliciously needs `vrfValidateKey` (§5.4.5); `vrfVerify` includes it.
 * Proofs are bytes from strangers: nothing here throws on them.
 */

import { mulAddUnsafe, normalizeZ } from "@noble/curves/abstract/curve.js";
import type { EdwardsPoint } from "@noble/curves/abstract/edwards.js";
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "#platform/crypto";
import { assert, defined } from "../base/assert.js";
import { binaryText, concatBytes, equalBytes, fromHex, fromLittleEndian } from "../base/bytes.js";
import { sha256Text } from "./hash.js";
import { LruCache } from "./lru-cache.js";
import { MultiplesTable } from "./multiples-table.js";

export const vrfProofBytes = 80;
export const vrfOutputBytes = 64;

type VrfKeyPair = {
  /** 32 bytes: the encoded point Y. */
  readonly publicKey: Uint8Array;
  /** 32 bytes: the seed, SK in the RFC. */
  readonly secretKey: Uint8Array;
};

const { Point } = ed25519;
const groupOrder = Point.Fn.ORDER;

/** Those of a consortium's managers, of 66 KiB each; making one takes half as long as verifying. */
const publicKeys = new LruCache<MultiplesTable>(128);
/** What is worked out from a seed, by the hash of the seed. */
const secretKeys = new LruCache<ReturnType<typeof ed25519.utils.getExtendedPublicKey>>(16);

const suite = 0x03;
const challengeBytes = 16;
const zero = Uint8Array.of(0x00);
const encodeToCurvePrefix = Uint8Array.of(suite, 0x01);
const challengePrefix = Uint8Array.of(suite, 0x02);
const proofToHashPrefix = Uint8Array.of(suite, 0x03);

/** The key pair of a 32-byte seed (RFC 8032 §5.1.5). */
export function vrfKeyPairFromSeed(seed: Uint8Array): VrfKeyPair {
  assert(seed.length === 32, "a VRF seed has 32 bytes");
  return { publicKey: ed25519.getPublicKey(seed), secretKey: seed.slice() };
}

/** ECVRF_prove (§5.1): 80 bytes, always the same for the same seed and input. */
export function vrfProve(secretSeed: Uint8Array, alpha: Uint8Array): Uint8Array {
  assert(secretSeed.length === 32, "a VRF seed has 32 bytes");
  const key = secretKeys.getOrCreate(sha256Text(secretSeed), () =>
    ed25519.utils.getExtendedPublicKey(secretSeed),
  );
  const h = defined(encodeToCurve(key.pointBytes, alpha), "256 hashes hold a point of the curve");
  const hBytes = h.toBytes();
  const gamma = h.multiply(key.scalar);
  // §5.4.2.2: the nonce comes from the secret and H, never from a generator that could repeat.
  const k = fromLittleEndian(sha512(key.prefix, hBytes)) % groupOrder;
  const gammaBytes = gamma.toBytes();
  const [u, v] = [Point.BASE.multiply(k), h.multiply(k)];
  const c = challenge(key.pointBytes, hBytes, gammaBytes, u.toBytes(), v.toBytes());
  const s = (fromLittleEndian(c) * key.scalar + k) % groupOrder;
  return concatBytes(gammaBytes, c, toLittleEndian(s, 32));
}

/**
 * ECVRF_verify (§5.3) with key validation: beta (64 bytes), or undefined when key or proof is
 * invalid.
 */
export function vrfVerify(
  publicKey: Uint8Array,
  alpha: Uint8Array,
  proof: Uint8Array,
): Uint8Array | undefined {
  const y = multiplesOfKey(publicKey);
  const decoded = decodeProof(proof);
  if (y === undefined || decoded === undefined) return undefined;
  const h = encodeToCurve(publicKey, alpha);
  if (h === undefined) return undefined;
  const { gamma, s } = decoded;
  const c = fromLittleEndian(decoded.c);
  const u = Point.BASE.multiplyUnsafe(s).subtract(y.multiply(c));
  // Both products in one chain of doublings.
  const v = mulAddUnsafe(Point, [h, gamma.negate()], [s, c]);
  // Points become bytes with Z = 1; one inversion does for all of them.
  const points = normalizeZ(Point, [h, u, v, gamma.clearCofactor()]);
  const [hBytes, uBytes, vBytes, gamma8Bytes] = points.map((point) => point.toBytes()) as Four;
  // No point has a second encoding, so these are the bytes of Gamma.
  const gammaBytes = proof.subarray(0, 32);
  const expected = challenge(publicKey, hBytes, gammaBytes, uBytes, vBytes);
  return equalBytes(expected, decoded.c) ? outputOf(gamma8Bytes) : undefined;
}

type Four = [Uint8Array, Uint8Array, Uint8Array, Uint8Array];

/**
 * ECVRF_proof_to_hash (§5.2): beta (64 bytes), or undefined when the proof cannot be decoded.
 * It does not verify the proof: only for proofs that were verified, or made here.
 */
export function vrfProofToHash(proof: Uint8Array): Uint8Array | undefined {
  const decoded = decodeProof(proof);
  return decoded && outputOf(decoded.gamma.clearCofactor().toBytes());
}

/** ECVRF_validate_key (§5.4.5): a canonical point of the curve that is not of small order. */
export function vrfValidateKey(publicKey: Uint8Array): boolean {
  return decodeKey(publicKey) !== undefined;
}

/**
 * ECVRF_encode_to_curve_try_and_increment (§5.4.1.1); each try succeeds with probability about 1/2.
 */
function encodeToCurve(salt: Uint8Array, alpha: Uint8Array): EdwardsPoint | undefined {
  for (let counter = 0; counter < 256; counter++) {
    const digest = sha512(encodeToCurvePrefix, salt, alpha, Uint8Array.of(counter), zero);
    const point = decodePoint(digest.subarray(0, 32))?.clearCofactor();
    if (point !== undefined && !point.is0()) return point;
  }
  return undefined;
}

/** ECVRF_challenge_generation (§5.4.3): 16 bytes. The points come encoded. */
function challenge(...points: readonly Uint8Array[]): Uint8Array {
  return sha512(challengePrefix, ...points, zero).subarray(0, challengeBytes);
}

/** Given 8·Gamma, encoded. */
function outputOf(gamma8Bytes: Uint8Array): Uint8Array {
  return sha512(proofToHashPrefix, gamma8Bytes, zero);
}

/** ECVRF_decode_proof (§5.4.4). */
function decodeProof(
  proof: Uint8Array,
): { gamma: EdwardsPoint; c: Uint8Array; s: bigint } | undefined {
  if (proof.length !== vrfProofBytes) return undefined;
  const gamma = decodePoint(proof.subarray(0, 32));
  const s = fromLittleEndian(proof.subarray(48));
  if (gamma === undefined || s >= groupOrder) return undefined;
  return { gamma, c: proof.subarray(32, 48), s };
}

function decodeKey(publicKey: Uint8Array): EdwardsPoint | undefined {
  const y = decodePoint(publicKey);
  return y === undefined || y.isSmallOrder() ? undefined : y;
}

/** The key's multiples, which verifying needs; undefined when the key is invalid. */
function multiplesOfKey(publicKey: Uint8Array): MultiplesTable | undefined {
  const name = binaryText(publicKey);
  const known = publicKeys.get(name);
  if (known !== undefined) return known;
  const y = decodeKey(publicKey);
  return y && publicKeys.getOrCreate(name, () => new MultiplesTable(y, 8 * challengeBytes));
}

/** string_to_point: RFC 8032 §5.1.3, which has no second encoding of any point. */
function decodePoint(bytes: Uint8Array): EdwardsPoint | undefined {
  try {
    return Point.fromBytes(bytes);
  } catch {
    return undefined;
  }
}

/** The `length` bytes of a number that fits in them, least significant first. */
function toLittleEndian(value: bigint, length: number): Uint8Array {
  const hex = value.toString(16).padStart(length * 2, "0");
  return defined(fromHex(hex), "a number in base 16 is hex").reverse();
}
