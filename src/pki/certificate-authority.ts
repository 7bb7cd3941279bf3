/**
 * The TLS certificates of a consortium. Each manager is a certificate authority of its own: no
 * outside authority and no institution above the managers is trusted. What keeps one manager from
 * minting another's identity is not the signature of the authority but the ledger: it registers the
 * public key (SPKI) of every party, and a certificate with another key is refused whoever signed
 * it.
 *
 * A party's certificate names it by exactly one URI, bss://<consortium>/<role>/<id>. A manager's
 * hosts stand beside it for the sake of standard TLS clients (server-names.ts says which); nodes
 * themselves check the URI and the key.
 */
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";
import { toHex } from "../base/bytes.js";
import { randomBytes } from "../crypto/random.js";
import { identityUri, type Role } from "../rpc/tls/tls-identity.js";
import { type AuthorityFiles, checkAuthorityFiles } from "./authority-files.js";
import {
  generateTlsKeyPair,
  privateKeyPem,
  spkiSha256,
  tlsKeyAlgorithm,
  tlsSignatureAlgorithm,
} from "./key-pairs.js";
import { nameConstraints } from "./name-constraints.js";
import { loopbackHosts, usagesOf } from "./server-names.js";

const dayMs = 24 * 60 * 60 * 1000;
const authorityValidityMs = 10 * 365 * dayMs;
const partyLifetimeMs = 2 * 365 * dayMs;
/** Certificates are valid a little before they are made, for peers whose clocks are behind. */
const backdatedMsMax = 60 * 60 * 1000;

export type CertificateAuthority = {
  readonly consortiumName: string;
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
  readonly certificatePem: string;
  /** A secret: whoever has it can issue certificates. */
  readonly keyPem: string;
};

export type IssuedCertificate = {
  readonly certificatePem: string;
  /** A secret. */
  readonly keyPem: string;
  /** 32 bytes, what the ledger registers for the party. */
  readonly spkiSha256: Uint8Array;
};

/** A new self-signed authority: CA:TRUE, path length 0, valid for 10 years. */
export async function createCertificateAuthority(options: {
  readonly consortiumName: string;
  readonly managerId: string;
  /** The manager's: the only ones that standard clients believe its certificates for. */
  readonly hosts?: readonly string[];
  /** Unix ms. */
  readonly nowMs: number;
}): Promise<CertificateAuthority> {
  const { consortiumName, managerId, hosts = [], nowMs } = options;
  const keys = await generateTlsKeyPair();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: randomSerial(),
      name: authorityName(consortiumName, managerId),
      ...validity(nowMs, authorityValidityMs),
      keys,
      signingAlgorithm: tlsSignatureAlgorithm,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        nameConstraints([...new Set([...loopbackHosts, ...hosts])]),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  const keyPem = await privateKeyPem(keys.privateKey);
  return { consortiumName, certificate, keys, certificatePem: pem(certificate), keyPem };
}

/**
 * Reads an authority back from its files.
 *
 * @throws ConfigError naming the file, as `checkAuthorityFiles` does
 */
export async function loadCertificateAuthority(
  files: AuthorityFiles,
): Promise<CertificateAuthority> {
  checkAuthorityFiles(files);
  const { consortiumName, certificatePem, keyPem } = files;
  const certificate = new x509.X509Certificate(certificatePem);
  const publicKey = await certificate.publicKey.export(tlsKeyAlgorithm, ["verify"], webcrypto);
  const pkcs8 = x509.PemConverter.decodeFirst(keyPem);
  const { subtle } = webcrypto;
  const privateKey = await subtle.importKey("pkcs8", pkcs8, tlsKeyAlgorithm, true, ["sign"]);
  return { consortiumName, certificatePem, keyPem, certificate, keys: { privateKey, publicKey } };
}

/** A new key pair and its certificate, valid for 2 years. */
export async function issueCertificate(
  authority: CertificateAuthority,
  options: Omit<CertificateSubject, "publicKey" | "lifetimeMs"> & { readonly lifetimeMs?: number },
): Promise<IssuedCertificate> {
  const { publicKey, privateKey } = await generateTlsKeyPair();
  const lifetimeMs = options.lifetimeMs ?? partyLifetimeMs;
  const certificate = await certify(authority, { ...options, publicKey, lifetimeMs });
  return {
    certificatePem: pem(certificate),
    keyPem: await privateKeyPem(privateKey),
    spkiSha256: await spkiSha256(publicKey),
  };
}

type CertificateSubject = {
  readonly role: Role;
  readonly id: string;
  /** Host names and IP addresses of a node; nobody else's certificate names any. */
  readonly hosts: readonly string[];
  /** Unix ms. */
  readonly nowMs: number;
  readonly lifetimeMs: number;
  readonly publicKey: webcrypto.CryptoKey;
};

/**
 * A certificate for a party's own key. It names a manager's hosts only if the authority is that
 * manager's: the constraints of another one exclude them.
 */
export async function certify(
  authority: CertificateAuthority,
  subject: CertificateSubject,
): Promise<x509.X509Certificate> {
  const { role, id, hosts, nowMs, lifetimeMs, publicKey } = subject;
  const { consortiumName } = authority;
  const names: x509.JsonGeneralNames = [
    { type: "url", value: identityUri(consortiumName, { role, id }) },
    ...(mayName(authority, subject) ? hosts : []).map(
      (host) => ({ type: isIP(host) === 0 ? "dns" : "ip", value: host }) as const,
    ),
  ];
  return x509.X509CertificateGenerator.create(
    {
      serialNumber: randomSerial(),
      subject: subjectName(consortiumName, id),
      issuer: authority.certificate.subject,
      ...validity(nowMs, lifetimeMs),
      publicKey,
      signingKey: authority.keys.privateKey,
      signingAlgorithm: tlsSignatureAlgorithm,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([...usagesOf(role)]),
        new x509.SubjectAlternativeNameExtension(names),
        await x509.SubjectKeyIdentifierExtension.create(publicKey, false, webcrypto),
        await x509.AuthorityKeyIdentifierExtension.create(
          authority.keys.publicKey,
          false,
          webcrypto,
        ),
      ],
    },
    webcrypto,
  );
}

function mayName(
  { certificate, consortiumName }: CertificateAuthority,
  { role, id }: Pick<CertificateSubject, "role" | "id">,
): boolean {
  const own = new x509.Name(authorityName(consortiumName, id)).toString();
  return role === "storage" || (role === "manager" && certificate.subject === own);
}

/** A new certificate (PEM) for the key of an old one (PEM), whoever issued that. */
export async function reissueCertificate(
  authority: CertificateAuthority,
  formerPem: string,
  subject: Omit<CertificateSubject, "publicKey" | "hosts"> & {
    readonly hosts?: readonly string[];
  },
): Promise<string> {
  const former = new x509.X509Certificate(formerPem);
  const publicKey = await former.publicKey.export(tlsKeyAlgorithm, ["verify"], webcrypto);
  return pem(await certify(authority, { hosts: [], ...subject, publicKey }));
}

function validity(nowMs: number, lengthMs: number): { notBefore: Date; notAfter: Date } {
  const backdatedMs = Math.min(backdatedMsMax, lengthMs / 10);
  return { notBefore: new Date(nowMs - backdatedMs), notAfter: new Date(nowMs + lengthMs) };
}

function authorityName(consortiumName: string, managerId: string): x509.JsonName {
  return subjectName(consortiumName, `${managerId} certificate authority`);
}

/**
 * Common name and organisation; a common name holds at most 64 characters (RFC 5280
 * ub-common-name).
 */
function subjectName(consortiumName: string, commonName: string): x509.JsonName {
  return [{ O: [consortiumName] }, { CN: [commonName.slice(0, 64)] }];
}

/** 16 random bytes that are a positive integer without a leading zero (RFC 5280 §4.1.2.2). */
function randomSerial(): string {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return toHex(serial);
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString("pem")}\n`;
}
