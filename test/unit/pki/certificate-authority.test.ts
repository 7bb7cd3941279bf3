import assert from "node:assert/strict";
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  X509Certificate,
} from "node:crypto";
import { before, describe, test } from "node:test";
import { ConfigError } from "../../../src/config/config-error.js";
import { sha256 } from "../../../src/crypto/hash.js";
import type { AuthorityFiles } from "../../../src/pki/authority-files.js";
import {
  type CertificateAuthority,
  createCertificateAuthority,
  type IssuedCertificate,
  issueCertificate,
  loadCertificateAuthority,
} from "../../../src/pki/certificate-authority.js";
import { readCertificate } from "../../../src/rpc/tls/certificate.js";

// Checked with node:crypto (OpenSSL), which shares no code with the library that makes the
// certificates.
const nowMs = Date.UTC(2025, 0, 31, 12);
const party = {
  role: "manager",
  id: "manager-2",
  hosts: ["localhost", "127.0.0.1", "::1"],
} as const;

describe("the certificates of a consortium", () => {
  let authority: CertificateAuthority;
  let issued: IssuedCertificate;
  let ca: X509Certificate;
  let leaf: X509Certificate;

  before(async () => {
    authority = await createCertificateAuthority({
      consortiumName: "demo",
      managerId: "manager-2",
      nowMs,
    });
    issued = await issueCertificate(authority, { ...party, nowMs });
    ca = new X509Certificate(authority.certificatePem);
    leaf = new X509Certificate(issued.certificatePem);
  });

  const load = (files: Partial<AuthorityFiles> = {}) => {
    const { consortiumName, certificatePem, keyPem } = authority;
    const named = { certificateFile: "m2/ca.crt", keyFile: "m2/ca.key", caPem: certificatePem };
    return loadCertificateAuthority({ consortiumName, certificatePem, keyPem, ...named, ...files });
  };

  test("an authority signs itself, is a CA and names its manager", () => {
    assert(ca.ca);
    assert(ca.checkIssued(ca));
    assert(ca.verify(ca.publicKey));
    assert.equal(ca.subject, "O=demo\nCN=manager-2 certificate authority");
    assert.equal(ca.publicKey.asymmetricKeyDetails?.namedCurve, "prime256v1");
  });

  test("an authority may sign certificates but no further authorities", () => {
    // Basic constraints: CA TRUE, path length 0; key usage: bit 5, keyCertSign; both critical.
    assertContains(ca.raw, "0603551d130101ff040830060101ff020100");
    assertContains(ca.raw, "0603551d0f0101ff040403020204");
  });

  test("a party's certificate is signed by its authority and by no other", async () => {
    const other = await createCertificateAuthority({
      consortiumName: "demo",
      managerId: "manager-2",
      nowMs,
    });
    assert(!leaf.ca);
    assert(leaf.checkIssued(ca));
    assert(leaf.verify(ca.publicKey));
    assert(!leaf.verify(new X509Certificate(other.certificatePem).publicKey));
    assert.equal(leaf.subject, "O=demo\nCN=manager-2");
    assertContains(leaf.raw, "0603551d0f0101ff040403020780");
  });

  test("a manager's certificate carries one URI, its hosts, and both TLS usages", () => {
    assert.equal(
      leaf.subjectAltName,
      "URI:bss://demo/manager/manager-2, DNS:localhost, IP Address:127.0.0.1, " +
        "IP Address:0:0:0:0:0:0:0:1",
    );
    assert.deepEqual(leaf.keyUsage, ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
    assert.equal(leaf.checkHost("localhost"), "localhost");
    assert.equal(leaf.checkIP("127.0.0.1"), "127.0.0.1");
    assert.equal(leaf.checkHost("example.org"), undefined);
  });

  test("what is registered is SHA-256 of the public key, whose secret the key file holds", () => {
    const spki = leaf.publicKey.export({ type: "spki", format: "der" });
    assert.deepEqual(issued.spkiSha256, sha256(new Uint8Array(spki)));
    const key = createPrivateKey(issued.keyPem);
    assert(leaf.checkPrivateKey(key));
    assert(issued.keyPem.startsWith("-----BEGIN PRIVATE KEY-----\n"));
    assert.deepEqual(createPublicKey(key).export({ type: "spki", format: "der" }), spki);
  });

  test("nodes read the same identity and key out of it", () => {
    const facts = readCertificate(new Uint8Array(leaf.raw));
    assert.deepEqual(facts?.spkiSha256, issued.spkiSha256);
    assert.deepEqual(facts?.uris, ["bss://demo/manager/manager-2"]);
  });

  test("authorities are valid for 10 years, parties for 2, and both an hour back", () => {
    const hourMs = 3_600_000;
    const dayMs = 24 * hourMs;
    for (const certificate of [ca, leaf]) {
      assert.equal(Date.parse(certificate.validFrom), nowMs - hourMs);
    }
    assert.equal(Date.parse(ca.validTo), nowMs + 3650 * dayMs);
    assert.equal(Date.parse(leaf.validTo), nowMs + 730 * dayMs);
  });

  test("serial numbers are positive, 16 bytes long and differ", async () => {
    const another = await issueCertificate(authority, { ...party, nowMs });
    const serials = [ca, leaf, new X509Certificate(another.certificatePem)].map(
      ({ serialNumber }) => serialNumber,
    );
    for (const serial of serials) assert.match(serial, /^[4-7][0-9A-F]{31}$/);
    assert.equal(new Set(serials).size, 3);
  });

  test("an authority that was read back from its files goes on with the same chain", async () => {
    const loaded = await load();
    const later = await issueCertificate(loaded, {
      ...party,
      role: "storage",
      id: "storage-2",
      nowMs,
    });
    const certificate = new X509Certificate(later.certificatePem);
    assert(certificate.verify(ca.publicKey));
    assert(certificate.checkIssued(ca));
    assert.match(certificate.subjectAltName ?? "", /^URI:bss:\/\/demo\/storage\/storage-2(, |$)/);
  });

  test("an authority that nodes would not accept is refused by the name of its file", async () => {
    const named = { consortiumName: "demo", managerId: "manager-2", nowMs };
    const other = await createCertificateAuthority(named);
    const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey;
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    const pemOf = (key: KeyObject) => key.export({ type: "pkcs8", format: "pem" }).toString();
    const noKey = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";
    const noCertificate = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    const cases: readonly [Partial<AuthorityFiles>, string, RegExp][] = [
      [{ keyPem: other.keyPem }, "m2/ca.key", /not the key of m2\/ca\.crt; restore/],
      [{ keyPem: pemOf(p384) }, "m2/ca.key", /no PKCS #8 key of the curve P-256; restore/],
      [{ keyPem: pemOf(rsa) }, "m2/ca.key", /no PKCS #8 key of the curve P-256; restore/],
      [{ keyPem: noKey }, "m2/ca.key", /no PKCS #8 key of the curve P-256; restore/],
      [{ certificatePem: noCertificate }, "m2/ca.crt", /no certificate of a P-256 key; restore/],
      [{ caPem: other.certificatePem }, "m2/ca.crt", /no authority of the consortium's CA bundle/],
    ];
    for (const [files, file, message] of cases) {
      await assert.rejects(load(files), (error) => {
        assert(error instanceof ConfigError, String(error));
        assert.equal(error.file, file);
        assert.match(error.message, message);
        return true;
      });
    }
    const bundle = `${other.certificatePem}${authority.certificatePem}`;
    assert.equal((await load({ caPem: bundle })).certificatePem, authority.certificatePem);
  });

  test("a client's certificate names no host", async () => {
    const client = await issueCertificate(authority, {
      role: "participant",
      id: "home-1",
      hosts: [],
      nowMs,
    });
    const { subjectAltName } = new X509Certificate(client.certificatePem);
    assert.equal(subjectAltName, "URI:bss://demo/participant/home-1");
  });
});

function assertContains(der: Buffer, hex: string): void {
  assert(der.toString("hex").includes(hex), `no ${hex} in ${der.toString("hex")}`);
}
