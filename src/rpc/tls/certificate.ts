/**
 * What this project reads from a TLS certificate: the identity in its URI SAN, the digest of its
 * public key, its validity and who has issued it.
 */
import { X509Certificate } from "node:crypto";
import { sha256 } from "../../crypto/hash.js";
import { RpcError } from "../rpc-error.js";
import { type Identity, type Party, parseIdentityUri } from "./tls-identity.js";

export type CertificateFacts = {
  /** Every URI among the subject alternative names, in their order. */
  readonly uris: readonly string[];
  /** 32 bytes, SHA-256 of the DER SubjectPublicKeyInfo. */
  readonly spkiSha256: Uint8Array;
};

/** Reads a DER or PEM certificate; undefined when it is none. It verifies nothing: TLS does. */
export function readCertificate(certificate: Uint8Array | string): CertificateFacts | undefined {
  try {
    const parsed = new X509Certificate(certificate);
    const spki = parsed.publicKey.export({ type: "spki", format: "der" });
    return { uris: urisOf(parsed.subjectAltName ?? ""), spkiSha256: sha256(spki) };
  } catch {
    return undefined;
  }
}

/** The party that a certificate of this project names; undefined if it names none. */
export function partyOf(certificate: Uint8Array | string): Party | undefined {
  return parseIdentityUri(readCertificate(certificate)?.uris[0] ?? "");
}

/**
 * The one identity that a certificate claims in a consortium.
 *
 * @throws RpcError IDENTITY_INVALID
 */
export function identityOf(facts: CertificateFacts, consortiumName: string): Identity {
  const [uri, ...others] = facts.uris;
  if (uri === undefined || others.length > 0) {
    throw new RpcError(
      "IDENTITY_INVALID",
      `the certificate carries ${facts.uris.length} URI names instead of one`,
    );
  }
  const parsed = parseIdentityUri(uri);
  if (parsed === undefined) {
    throw new RpcError(
      "IDENTITY_INVALID",
      "the certificate's URI name is not bss://<consortium>/<role>/<id>",
    );
  }
  if (parsed.consortiumName !== consortiumName) {
    throw new RpcError(
      "IDENTITY_INVALID",
      `the certificate is for consortium ${parsed.consortiumName}, this is ${consortiumName}`,
    );
  }
  return parsed.identity;
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

/** When a certificate is valid, Unix ms, and for what. */
type CertificateTerms = {
  readonly fromMs: number;
  readonly toMs: number;
  /** Host names and IP addresses. */
  readonly hosts: readonly string[];
  /** OIDs of its extended key usage. */
  readonly usages: readonly string[];
};

/** Reads the terms of a DER or PEM certificate; undefined when it is none. */
export function readTerms(certificate: Uint8Array | string): CertificateTerms | undefined {
  try {
    const parsed = new X509Certificate(certificate);
    const { validFrom, validTo, subjectAltName = "", keyUsage } = parsed;
    const hosts = [...subjectAltName.matchAll(/(?:^|, )(?:DNS|IP Address):([^,"]+)/g)];
    return {
      fromMs: Date.parse(validFrom),
      toMs: Date.parse(validTo),
      hosts: hosts.flatMap(([, host]) => host ?? []),
      usages: keyUsage ?? [],
    };
  } catch {
    return undefined;
  }
}

/** Whether one of the authorities in a PEM bundle has signed a certificate. */
export function isIssuedBy(certificate: Uint8Array | string, authoritiesPem: string): boolean {
  return isSome(certificate, authoritiesPem, isSignedBy);
}

/**
 * The authority of a PEM bundle to which a chain leads (PEM, the own certificate first), as PEM;
 * undefined if it leads to none.
 */
export function authorityOf(chainPem: string, authoritiesPem: string): string | undefined {
  const [own, ...others] = certificatesIn(chainPem);
  const authorities = certificatesIn(authoritiesPem);
  let last = own;
  for (let steps = 0; last !== undefined && steps <= others.length; steps++) {
    const issued: X509Certificate = last;
    const authority = authorities.find((each) => isSignedBy(issued, each));
    if (authority !== undefined) return authority.toString();
    last = others.find((each) => isSignedBy(issued, each));
  }
  return undefined;
}

/** Whether a certificate is itself one of a PEM bundle. */
export function isAmong(certificate: Uint8Array | string, bundlePem: string): boolean {
  return isSome(certificate, bundlePem, (own, other) => own.raw.equals(other.raw));
}

function isSome(
  certificate: Uint8Array | string,
  bundlePem: string,
  holds: (own: X509Certificate, other: X509Certificate) => boolean,
): boolean {
  try {
    const own = new X509Certificate(certificate);
    return certificatesIn(bundlePem).some((each) => holds(own, each));
  } catch {
    return false;
  }
}

function isSignedBy(issued: X509Certificate, authority: X509Certificate): boolean {
  return issued.checkIssued(authority) && issued.verify(authority.publicKey);
}

/** The certificates of a PEM text, in their order; none at all if one cannot be read. */
function certificatesIn(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  try {
    return (blocks ?? []).map((block) => new X509Certificate(block));
  } catch {
    return [];
  }
}

/** DER certificates as PEM, in their order. */
export function certificatesPem(chain: readonly Uint8Array[]): string {
  return chain.map((der) => new X509Certificate(der).toString()).join("");
}
