/**
 * A signature for which the equation of Ed25519 holds only if it is multiplied by the cofactor, as
 * some libraries do: R is what it should be, plus a point of order 8. Only who has the key can make
 * one, and could so have some verifiers take a certificate that others refuse.
 */
import { ED25519_TORSION_SUBGROUP, ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { assert } from "../../src/base/assert.js";
import { concatBytes } from "../../src/base/bytes.js";
import { littleEndian, toLittleEndian } from "../unit/crypto/little-endian.js";

const { Point } = ed25519;
const groupOrder = Point.Fn.ORDER;
/** Any number will do for a key that protects nothing. */
const nonce = 1_234_567n;

export function signByCofactor(secretSeed: Uint8Array, message: Uint8Array): Uint8Array {
  const { scalar, pointBytes } = ed25519.utils.getExtendedPublicKey(secretSeed);
  const torsion = ED25519_TORSION_SUBGROUP.map((hex) => Point.fromHex(hex));
  const ofOrder8 = torsion.find((point) => !point.multiplyUnsafe(4n).is0());
  assert(ofOrder8 !== undefined, "four of the points are of order 8");
  const encodedR = Point.BASE.multiply(nonce).add(ofOrder8).toBytes();
  const k = littleEndian(sha512(concatBytes(encodedR, pointBytes, message))) % groupOrder;
  const signature = concatBytes(encodedR, toLittleEndian((nonce + k * scalar) % groupOrder, 32));
  assert(
    ed25519.verify(signature, message, pointBytes, { zip215: false }),
    "with the cofactor it holds",
  );
  return signature;
}
