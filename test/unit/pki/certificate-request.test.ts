import "reflect-metadata";
import assert from "node:assert/strict";
import { webcrypto, X509Certificate } from "node:crypto";
import { before, describe, test } from "node:test";
import * as x509 from "@peculiar/x509";
import { Issuer } from "../../../src/manager/operations/issuing.js";
import { createCertificateAuthority } from "../../../src/pki/certificate-authority.js";
import {
  createCertificateRequest,
  readCertificateRequest,
  requestBytesMax,
} from "../../../src/pki/certificate-request.js";
import { generateTlsKeyPair, privateKeyPem } from "../../../src/pki/key-pairs.js";
import { readCertificate, readTerms } from "../../../src/rpc/tls/certificate.js";

const nowMs = Date.UTC(2026, 0, 1);

describe("a certificate request", () => {
  let keyPem = "";
  let keys: webcrypto.CryptoKeyPair;
  const requested = () => createCertificateRequest({ keyPem, commonName: "pc-7" });
  const foreign = async (
    algorithm: webcrypto.EcKeyGenParams & webcrypto.EcdsaParams,
    extensions: x509.Extension[] = [],
  ) => {
    const pair = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    const request = await x509.Pkcs10CertificateRequestGenerator.create(
      { name: "CN=pc-7", keys: pair, signingAlgorithm: algorithm, extensions },
      webcrypto,
    );
    return new Uint8Array(request.rawData);
  };
  const p256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

  before(async () => {
    keys = await generateTlsKeyPair();
    keyPem = await privateKeyPem(keys.privateKey);
  });

  test("gives its key back", async () => {
    const request = await readCertificateRequest(await requested());
    assert.ok(typeof request !== "string", String(request));
    const spki = await webcrypto.subtle.exportKey("spki", keys.publicKey);
    const sha256 = await webcrypto.subtle.digest("SHA-256", spki);
    assert.deepEqual(request.spkiSha256, new Uint8Array(sha256));
  });

  test("is refused with another signature, key or length", async () => {
    const tampered = await requested();
    const at = Buffer.from(tampered).indexOf("pc-7");
    tampered[at] = "q".charCodeAt(0);
    assert.equal(await readCertificateRequest(tampered), "the request is not signed by its key");
    const notOne = "not a certificate request (PKCS #10, DER) for a P-256 key";
    const p384 = await foreign({ ...p256, namedCurve: "P-384", hash: "SHA-384" });
    assert.equal(await readCertificateRequest(p384), notOne);
    for (const bytes of [new Uint8Array(), new Uint8Array(64).fill(48), Buffer.from("PEM")]) {
      assert.equal(await readCertificateRequest(bytes), notOne);
    }
    const long = await readCertificateRequest(new Uint8Array(requestBytesMax + 1));
    assert.match(String(long), /more than 4096 bytes/);
  });

  test("brings nothing but its key into the certificate that is issued for it", async () => {
    const authority = await createCertificateAuthority({
      consortiumName: "demo",
      managerId: "manager-1",
      nowMs,
    });
    const issuer = new Issuer(async () => authority, {
      lifetimeMs: 90 * 86_400_000,
      members: { manager: () => undefined },
      nowMs: () => nowMs,
    });
    const greedy = await foreign(p256, [
      new x509.BasicConstraintsExtension(true, 3, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      new x509.SubjectAlternativeNameExtension([
        { type: "url", value: "bss://demo/manager/manager-1" },
        { type: "dns", value: "grid-a.example.org" },
      ]),
    ]);
    const request = await readCertificateRequest(greedy);
    assert.ok(typeof request !== "string", String(request));
    const [der = new Uint8Array()] = await issuer.issue({ role: "storage", id: "pc-7" }, request);
    const issued = new X509Certificate(der);
    assert.equal(issued.ca, false);
    assert.ok(issued.verify(new X509Certificate(authority.certificatePem).publicKey));
    assert.deepEqual(readCertificate(der), {
      uris: ["bss://demo/storage/pc-7"],
      spkiSha256: request.spkiSha256,
    });
    assert.equal(readTerms(der)?.toMs, nowMs + 90 * 86_400_000);
  });
});
