import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { ConfigError } from "../../../../src/config/config-error.js";
import { Issuer, requestOf } from "../../../../src/manager/operations/issuing.js";
import { createCertificateAuthority } from "../../../../src/pki/certificate-authority.js";
import { createCertificateRequest } from "../../../../src/pki/certificate-request.js";
import { generateTlsKeyPair, privateKeyPem } from "../../../../src/pki/key-pairs.js";

const nowMs = Date.UTC(2026, 0, 1);
const consortiumName = "demo";

describe("the issuer of a manager, opened from its files", () => {
  const directory = mkdtempSync(join(tmpdir(), "bss-issuing-"));
  after(() => rmSync(directory, { recursive: true }));
  const filesOf = async (managerId: string) => {
    const authority = await createCertificateAuthority({ consortiumName, managerId, nowMs });
    const certificateFile = join(directory, `${managerId}.crt`);
    const keyFile = join(directory, `${managerId}.key`);
    writeFileSync(certificateFile, authority.certificatePem);
    writeFileSync(keyFile, authority.keyPem, { mode: 0o600 });
    return { caPem: authority.certificatePem, certificateFile, keyFile, lifetimeMs: 86_400_000 };
  };
  const open = (files: Awaited<ReturnType<typeof filesOf>>, caPem = files.caPem) =>
    Issuer.open(
      files,
      { consortiumName, caPem },
      { members: { manager: () => undefined }, nowMs: () => nowMs },
    );

  test("issues one certificate after the other", async () => {
    const files = await filesOf("manager-1");
    const issuer = open(files);
    for (const id of ["pc-1", "pc-2"]) {
      const { privateKey } = await generateTlsKeyPair();
      const keyPem = await privateKeyPem(privateKey);
      const request = await requestOf(await createCertificateRequest({ keyPem, commonName: id }));
      const [der = new Uint8Array()] = await issuer.issue({ role: "storage", id }, request);
      const issued = new X509Certificate(der);
      assert.ok(issued.verify(new X509Certificate(files.caPem).publicKey));
      assert.match(issued.subjectAltName ?? "", new RegExp(`URI:bss://demo/storage/${id}`));
    }
  });

  test("is refused before anything is issued where its files do not fit", async () => {
    const [own, other] = [await filesOf("manager-2"), await filesOf("manager-3")];
    const refused = (file: string, what: RegExp) => (error: unknown) =>
      error instanceof ConfigError && error.message.includes(file) && what.test(error.message);
    const mixed = { ...own, keyFile: other.keyFile };
    assert.throws(() => open(mixed), refused(other.keyFile, /not the key of/));
    assert.throws(() => open(own, other.caPem), refused(own.certificateFile, /no authority/));
  });
});
