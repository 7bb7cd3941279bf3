/**
 * The primitives that are computed by Node.js and its OpenSSL; `portable.ts` has the same ones
 * elsewhere. package.json ("imports") chooses between the two. What is hashed and which signatures
 * are valid is decided outside, once for both.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  hash,
  type KeyObject,
  sign as opensslSign,
  verify as opensslVerify,
} from "node:crypto";
import { defined } from "../../base/assert.js";
import { binaryText, concatBytes, fromHex, writeParts } from "../../base/bytes.js";
import { LruCache } from "../lru-cache.js";

/**
 * Up to here, joining the parts for the one-shot hash is faster than streaming them into a hash
 * object.
 */
const joinedBytesMax = 4096;

/** Where parts are joined. Nothing else runs between their coming here and their hash. */
const joined = new Uint8Array(joinedBytesMax);
/** The start of `joined` by its length, because making a view takes as long as joining. */
const joinedViews: (Uint8Array | undefined)[] = [];
const keptViewsMax = 512;

/** SHA-256 over the concatenation of `parts`: 32 bytes. */
export function sha256OfParts(parts: readonly Uint8Array[]): Uint8Array {
  return digestBytes(sha256TextOfParts(parts));
}

/** The same as text of 32 characters, one for each byte. */
export function sha256TextOfParts(parts: readonly Uint8Array[]): string {
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return hash("sha256", first, "binary");
  let length = 0;
  for (const part of parts) length += part.length;
  if (length <= joinedBytesMax) {
    writeParts(joined, parts);
    return hash("sha256", joinedView(length), "binary");
  }
  const hasher = createHash("sha256");
  for (const part of parts) hasher.update(part);
  return hasher.digest("binary");
}

function joinedView(length: number): Uint8Array {
  const known = joinedViews[length];
  if (known !== undefined) return known;
  const view = joined.subarray(0, length);
  if (length <= keptViewsMax) joinedViews[length] = view;
  return view;
}

/**
 * Digests leave OpenSSL as a string, and are copied here: half the time of taking a Buffer and
 * viewing it.
 */
function digestBytes(binary: string): Uint8Array {
  const out = new Uint8Array(binary.length);
  for (let i = 0; i < out.length; i++) out[i] = binary.charCodeAt(i);
  return out;
}

/** SHA-512 over the concatenation of `parts`: 64 bytes. */
export function sha512(...parts: readonly Uint8Array[]): Uint8Array {
  const hasher = createHash("sha512");
  for (const part of parts) hasher.update(part);
  return new Uint8Array(hasher.digest());
}

/** Signs with one key that is already prepared. */
export type Ed25519Signer = {
  readonly publicKey: Uint8Array;
  /** 64 bytes; the same message always gives the same signature. */
  sign(message: Uint8Array): Uint8Array;
};

/** Of a seed of 32 bytes. */
export function createSigner(secretSeed: Uint8Array): Ed25519Signer {
  const key = createPrivateKey({
    key: Buffer.from(concatBytes(pkcs8Prefix, secretSeed)),
    format: "der",
    type: "pkcs8",
  });
  const { x } = createPublicKey(key).export({ format: "jwk" });
  const publicKey = new Uint8Array(Buffer.from(defined(x, "an Ed25519 JWK has x"), "base64url"));
  return { publicKey, sign: (message) => new Uint8Array(opensslSign(null, message, key)) };
}

/** PrivateKeyInfo of RFC 8410 §7 up to the seed. */
const pkcs8Prefix = defined(fromHex("302e020100300506032b657004220420"), "a constant is hex");

/**
 * Whether the signature's equation holds and both points are on the curve, for a key and a
 * signature whose bytes `ed25519.ts` has accepted. Never throws.
 */
export function equationHolds(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  try {
    return opensslVerify(null, message, publicKeyObject(publicKey), signature);
  } catch {
    return false;
  }
}

/** The same answer, not in this turn of the event loop: from the thread pool. Never rejects. */
export function equationHoldsLater(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  return new Promise((resolve) => {
    try {
      opensslVerify(null, message, publicKeyObject(publicKey), signature, (error, valid) => {
        resolve(error === null && valid);
      });
    } catch {
      resolve(false);
    }
  });
}

/** Calls `action` when this turn of the event loop is over. */
export function afterTurn(action: () => void): void {
  setImmediate(action);
}

// A miss costs a tenth of a verification: the bound may be well below the number of participants.
const publicKeyObjects = new LruCache<KeyObject>(4096);

function publicKeyObject(publicKey: Uint8Array): KeyObject {
  // JWK, because importing it takes a tenth of the time that DER takes.
  return publicKeyObjects.getOrCreate(binaryText(publicKey), () =>
    createPublicKey({
      key: { kty: "OKP", crv: "Ed25519", x: Buffer.from(publicKey).toString("base64url") },
      format: "jwk",
    }),
  );
}
