import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { MemberDirectory } from "../../../src/cli/joining/member-directory.js";
import type { InvitationFile } from "../../../src/config/invitation-file.js";
import { Issuer } from "../../../src/manager/issuing.js";
import {
  type CertificateAuthority,
  createCertificateAuthority,
  reissueCertificate,
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
    const der = await createCertificateRequest({ keyPem, commonName: "pc-7" });
    const request = await readCertificateRequest(der);
    assert.ok(typeof request !== "string");
    const { spkiSha256: tlsSpkiSha256 } = request;
    const identity = { role: "storage", id: "pc-7" } as const;
    const file = { tls: { caPem: known.certificatePem } } as InvitationFile;
    const directory = new MemberDirectory(path, identity, file);
    const keep = async (authority: CertificateAuthority, fromMs: number) => {
      const issuer = new Issuer(authority, {
        ...{ lifetimeMs: dayMs, members: { manager: () => undefined }, nowMs: () => fromMs },
      });
      directory.keepCertificate(await issuer.issue(identity, request), { tlsSpkiSha256 });
    };
    const useless = /issued a certificate that nobody accepts/;
    await assert.rejects(keep(stranger, Date.now()), useless);
    await assert.rejects(keep(known, Date.now() - 2 * dayMs), useless);
    await assert.rejects(keep(known, Date.now() + 2 * dayMs), useless);
    assert.equal(directory.hasCertificate, false);
    await keep(known, Date.now());
    assert.equal(directory.hasCertificate, true);

    // A node leaves the file of its operator as it is, and keeps what it has renewed.
    const former = readFileSync(join(path, "tls.crt"), "latin1");
    const subject = { ...identity, lifetimeMs: dayMs };
    const nowMs = Date.now();
    const expired = await reissueCertificate(known, former, {
      ...subject,
      nowMs: nowMs - 9 * dayMs,
    });
    writeFileSync(join(path, "tls.crt"), expired);
    assert.equal(directory.hasCertificate, false);
    const config = {
      ...{
        role: "storage",
        id: "pc-7",
        consortium: "genesis.json",
        listen: { host: "h", port: 1 },
      },
      ...{ tls: { certificate: "tls.crt", key: "tls.key", ca: "ca-bundle.pem" } },
      ...{ signing_key: "signing.key", data_directory: "data" },
    };
    writeFileSync(join(path, "config.yaml"), JSON.stringify(config));
    mkdirSync(join(path, "signing.key.state"));
    const renewed = await reissueCertificate(known, former, { ...subject, nowMs });
    writeFileSync(join(path, "signing.key.state", "renewed-tls.crt"), renewed);
    assert.equal(directory.hasCertificate, true);
    rmSync(join(path, "tls.crt"));
    assert.equal(directory.hasCertificate, false, "whoever removes it wants to join anew");
  });
});
