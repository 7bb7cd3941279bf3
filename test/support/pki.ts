/**
 * Throw-away certificate authorities and certificates for tests, with whatever names a test wants.
 */
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { sha256 } from "../../src/crypto/hash.js";
import type { TlsCredentials } from "../../src/rpc/tls/tls.js";
import type { Role } from "../../src/rpc/tls/tls-identity.js";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const hourMs = 3_600_000;

export type TestCertificate = {
  readonly certPem: string;
  readonly keyPem: string;
  readonly der: Uint8Array;
  /** 32 bytes. */
  readonly spkiSha256: Uint8Array;
};

export class TestAuthority {
  readonly certPem: string;
  readonly #certificate: x509.X509Certificate;
  readonly #keys: webcrypto.CryptoKeyPair;

  private constructor(certificate: x509.X509Certificate, keys: webcrypto.CryptoKeyPair) {
    this.#certificate = certificate;
    this.#keys = keys;
    this.certPem = certificate.toString("pem");
  }

  static async create(name = "test authority"): Promise<TestAuthority> {
    const keys = await generateKeys();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned(
      {
        name: `CN=${name}`,
        ...validity(),
        keys,
        signingAlgorithm: algorithm,
        extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
      },
      webcrypto,
    );
    return new TestAuthority(certificate, keys);
  }

  /** A certificate with exactly these URI and DNS names. */
  async issue(names: {
    readonly uris: readonly string[];
    readonly dns?: readonly string[];
  }): Promise<TestCertificate> {
    const keys = await generateKeys();
    const alternatives: x509.JsonGeneralNames = [
      ...names.uris.map((value) => ({ type: "url", value }) as const),
      ...(names.dns ?? []).map((value) => ({ type: "dns", value }) as const),
    ];
    const certificate = await x509.X509CertificateGenerator.create(
      {
        subject: "CN=test",
        issuer: this.#certificate.subject,
        ...validity(),
        publicKey: keys.publicKey,
        signingKey: this.#keys.privateKey,
        signingAlgorithm: algorithm,
        extensions: [new x509.SubjectAlternativeNameExtension(alternatives)],
      },
      webcrypto,
    );
    const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
    const spki = await webcrypto.subtle.exportKey("spki", keys.publicKey);
    return {
      certPem: certificate.toString("pem"),
      keyPem: x509.PemConverter.encode(pkcs8, "PRIVATE KEY"),
      der: new Uint8Array(certificate.rawData),
      spkiSha256: sha256(new Uint8Array(spki)),
    };
  }

  /** What a party with the certificate gives to a server or channel that trusts this authority. */
  tls(certificate: TestCertificate): TlsCredentials {
    return { certPem: certificate.certPem, keyPem: certificate.keyPem, caPem: this.certPem };
  }
}

export function uriOf(role: Role, id: string, consortiumName = "demo"): string {
  return `bss://${consortiumName}/${role}/${id}`;
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

function validity(): { notBefore: Date; notAfter: Date } {
  const nowMs = Date.now();
  return { notBefore: new Date(nowMs - hourMs), notAfter: new Date(nowMs + hourMs) };
}
