/**
 * What this project reads from a TLS certificate: its URI SANs and the digest of its public key.
 */
import { X509Certificate } from "node:crypto";
import { sha256 } from "../crypto/hash.js";

export type CertificateFacts = {
  /** Every URI among the subject alternative names, in their order. */
  readonly uris: readonly string[];
  /** 32 bytes, SHA-256 of the DER SubjectPublicKeyInfo. */
  readonly spkiSha256: Uint8Array;
};

/**
 * Reads a DER or PEM certificate; undefined when it is none. It verifies nothing: TLS
 * has done that.
 */
export function readCertificate(certificate: Uint8Array | string): CertificateFacts | undefined {
  try {
    const parsed = new X509Certificate(certificate);
    const spki = parsed.publicKey.export({ type: "spki", format: "der" });
    return { uris: urisOf(parsed.subjectAltName ?? ""), spkiSha256: sha256(spki) };
  } catch {
    return undefined;
  }
}

/**
 * Node renders the names as `URI:…, DNS:…` and puts a value into JSON quotes when it holds a comma,
 * a quote or a control character, so that no value can pass for two (CVE-2021-44532).
 */
function urisOf(subjectAltName: string): readonly string[] {
  const uris: string[] = [];
  for (const [, kind, value] of subjectAltName.matchAll(
    /(?:^|, )([^:,"]+):("(?:[^"\\]|\\.)*"|[^,"]*)/g,
  )) {
    if (kind === "URI" && value !== undefined) uris.push(value);
  }
  return uris;
}
