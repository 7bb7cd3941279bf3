/** The primitives of `node.ts` in JavaScript alone: for browsers. */
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256, sha512 as sha512Of } from "@noble/hashes/sha2.js";
import { binaryText, equalBytes, fromLittleEndian } from "../../base/bytes.js";
import type * as node from "./node.js";

const { Point } = ed25519;

export const sha256OfParts: typeof node.sha256OfParts = (parts) => {
  const hasher = sha256.create();
  for (const part of parts) hasher.update(part);
  return hasher.digest();
};

export const sha256TextOfParts: typeof node.sha256TextOfParts = (parts) =>
  binaryText(sha256OfParts(parts));

export const sha512: typeof node.sha512 = (...parts) => {
  const hasher = sha512Of.create();
  for (const part of parts) hasher.update(part);
  return hasher.digest();
};

export type Ed25519Signer = node.Ed25519Signer;

export const createSigner: typeof node.createSigner = (secretSeed) => {
  const seed = Uint8Array.from(secretSeed);
  return {
    publicKey: ed25519.getPublicKey(seed),
    sign: (message) => ed25519.sign(message, seed),
  };
};

/**
 * Not noble's own `verify`: that multiplies the equation by the cofactor, and so takes signatures
 * that OpenSSL refuses.
 */
export const equationHolds: typeof node.equationHolds = (publicKey, message, signature) => {
  const encodedR = signature.subarray(0, 32);
  try {
    const a = Point.fromBytes(publicKey);
    const s = fromLittleEndian(signature.subarray(32));
    const k = fromLittleEndian(sha512(encodedR, publicKey, message)) % Point.Fn.ORDER;
    const r = Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k));
    return equalBytes(r.toBytes(), encodedR);
  } catch {
    return false;
  }
};

/** There is one thread: a page can do something else before the answer, but not meanwhile. */
export const equationHoldsLater: typeof node.equationHoldsLater = (...signed) =>
  new Promise((resolve) => {
    setTimeout(() => resolve(equationHolds(...signed)), 0);
  });

export const afterTurn: typeof node.afterTurn = (action) => {
  setTimeout(action, 0);
};
