/** The key pairs of TLS certificates: made, read and written. */
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { PemConverter } from "@peculiar/x509";
import { sha256 } from "../crypto/hash.js";

export const tlsKeyAlgorithm = { name: "ECDSA", namedCurve: "P-256" } as const;
export const tlsSignatureAlgorithm = { name: "ECDSA", hash: "SHA-256" } as const;

/** A new ECDSA P-256 key pair for TLS. */
export function generateTlsKeyPair(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(tlsKeyAlgorithm, true, ["sign", "verify"]);
}

/** Both halves of the key in a PKCS #8 PEM. Throws unless it is a P-256 key. */
export async function keyPairOf(keyPem: string): Promise<webcrypto.CryptoKeyPair> {
  const pkcs8 = PemConverter.decodeFirst(keyPem);
  const { subtle } = webcrypto;
  const privateKey = await subtle.importKey("pkcs8", pkcs8, tlsKeyAlgorithm, true, ["sign"]);
  const { kty, crv, x, y } = await subtle.exportKey("jwk", privateKey);
  const half = { kty, crv, x, y } as webcrypto.JsonWebKey;
  const publicKey = await subtle.importKey("jwk", half, tlsKeyAlgorithm, true, ["verify"]);
  return { privateKey, publicKey };
}

/** PKCS #8 in PEM: a secret. */
export async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  return `${PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`;
}

/**
 * What the ledger registers for a party's channel: SHA-256 of its DER SubjectPublicKeyInfo, 32
 * bytes.
 */
export async function spkiSha256(publicKey: webcrypto.CryptoKey): Promise<Uint8Array> {
  return sha256(new Uint8Array(await webcrypto.subtle.exportKey("spki", publicKey)));
}
