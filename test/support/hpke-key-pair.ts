import { x25519 } from "@noble/curves/ed25519.js";
import type { HpkeKeyPair } from "../../src/crypto/hpke.js";

/** The key pair of a 32-byte X25519 secret (RFC 7748 §6.1). */
export function hpkeKeyPairFromSecret(secretKey: Uint8Array): HpkeKeyPair {
  return { publicKey: x25519.getPublicKey(secretKey), secretKey: secretKey.slice() };
}
