/**
 * The signature rule of `ed25519.ts` a second time, written straight from the equation over
 * @noble/curves. No node runs it; tests compare the fast verification with it, on valid, malleable
 * and malformed input, so that a new OpenSSL that reads RFC 8032 differently is found before it
 * splits a consortium.
 *
 * noble's own `verify(…, { zip215: false })` is not used: it multiplies the equation by the
 * cofactor, and so accepts signatures (R with a small-order component) that OpenSSL refuses.
 */
import { createHash } from "node:crypto";
import { ed25519 } from "@noble/curves/ed25519.js";
import { equalBytes } from "../../../src/base/bytes.js";
import { littleEndian } from "./little-endian.js";

const { Point } = ed25519;

/** The public key of a 32-byte seed. */
export function referencePublicKey(seed: Uint8Array): Uint8Array {
  return ed25519.getPublicKey(seed);
}

/** RFC 8032 §5.1.6. */
export function referenceSign(seed: Uint8Array, message: Uint8Array): Uint8Array {
  return ed25519.sign(message, seed);
}

/** The rule of `ed25519.ts`. Never throws. */
export function referenceVerify(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== 64) return false;
  const encodedR = signature.subarray(0, 32);
  const s = littleEndian(signature.subarray(32));
  if (s >= Point.Fn.ORDER) return false;
  const a = decodeStrictly(publicKey);
  if (a === undefined || a.isSmallOrder()) return false;
  const challenge = createHash("sha512").update(encodedR).update(publicKey).update(message);
  const k = littleEndian(challenge.digest()) % Point.Fn.ORDER;
  const expectedR = Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k));
  return !expectedR.isSmallOrder() && equalBytes(expectedR.toBytes(), encodedR);
}

function decodeStrictly(bytes: Uint8Array) {
  try {
    return Point.fromBytes(bytes);
  } catch {
    return undefined;
  }
}
