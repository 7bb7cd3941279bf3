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
