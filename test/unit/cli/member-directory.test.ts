import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { MemberDirectory } from "../../../src/cli/joining/member-directory.js";
import type { InvitationFile } from "../../../src/config/invitation-file.js";
import { Issuer } from "../../../src/manager/issuing.js";
import {
  type CertificateAuthority,
  createCertificateAuthority,
} from "../../../src/pki/certificate-authority.js";
import {
  createCertificateRequest,
  readCertificateRequest,
} from "../../../src/pki/certificate-request.js";
import { generateTlsKeyPair, privateKeyPem } from "../../../src/pki/key-pairs.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const dayMs = 86_400_000;

describe("the directory of somebody who joins", () => {
  const path = temporaryDirectory();
  let known: CertificateAuthority;
  let stranger: CertificateAuthority;

  before(async () => {
    const named = { consortiumName: "demo", nowMs: Date.now() };
    known = await createCertificateAuthority({ ...named, managerId: "manager-1" });
    stranger = await createCertificateAuthority({ ...named, managerId: "manager-9" });
  });

  test("keeps only a certificate that serves, of an authority of the consortium", async () => {
    const { privateKey } = await generateTlsKeyPair();
    const keyPem = await privateKeyPem(privateKey);
    const der = await createCertificateRequest({ keyPem, commonName: "pc-7", hosts: [] });
    const request = await readCertificateRequest(der);
    assert.ok(typeof request !== "string");
    const { spkiSha256: tlsSpkiSha256 } = request;
    const identity = { role: "storage", id: "pc-7" } as const;
    const file = { tls: { caPem: known.certificatePem } } as InvitationFile;
    const directory = new MemberDirectory(path, identity, file);
    const keep = async (authority: CertificateAuthority, fromMs: number) => {
      const issuer = new Issuer(authority, dayMs, () => fromMs);
      directory.keepCertificate(await issuer.issue(identity, request), { tlsSpkiSha256 });
    };
    const useless = /issued a certificate that nobody accepts/;
    await assert.rejects(keep(stranger, Date.now()), useless);
    await assert.rejects(keep(known, Date.now() - 2 * dayMs), useless);
    await assert.rejects(keep(known, Date.now() + 2 * dayMs), useless);
    assert.equal(directory.hasCertificate, false);
    await keep(known, Date.now());
    assert.equal(directory.hasCertificate, true);
  });
});
