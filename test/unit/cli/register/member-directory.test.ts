import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { MemberDirectory } from "../../../../src/cli/register/member-directory.js";
import { writeListening } from "../../../../src/cli/register/node-config-file.js";
import { joinedParticipants } from "../../../../src/cli/sending/registered-meters.js";
import type { InvitationFile } from "../../../../src/config/invitation-file.js";
import { loadNodeConfig } from "../../../../src/config/node-config.js";
import { loadProfile } from "../../../../src/config/profile.js";
import { sha256 } from "../../../../src/crypto/hash.js";
import { isId } from "../../../../src/ledger/ids.js";
import { Issuer } from "../../../../src/manager/operations/issuing.js";
import {
  type CertificateAuthority,
  createCertificateAuthority,
  reissueCertificate,
} from "../../../../src/pki/certificate-authority.js";
import {
  createCertificateRequest,
  readCertificateRequest,
} from "../../../../src/pki/certificate-request.js";
import { generateTlsKeyPair, privateKeyPem } from "../../../../src/pki/key-pairs.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const dayMs = 86_400_000;
const invitedMeters = ["meter-9", "541448820070000000", "0x10"].map((meterId) => {
  return { meterId, ratedPowerW: 11_000n, intervalS: 900 };
});
const plannedMeters = invitedMeters.map(({ meterId, intervalS }) => {
  return { id: meterId, ratedPowerW: 11_000, intervalS };
});

describe("the directory of somebody who joins", () => {
  const path = temporaryDirectory();
  let known: CertificateAuthority;
  let stranger: CertificateAuthority;

  before(async () => {
    const named = { consortiumName: "demo", nowMs: Date.now() };
    known = await createCertificateAuthority({ ...named, managerId: "manager-1" });
    stranger = await createCertificateAuthority({ ...named, managerId: "manager-9" });
  });

  // All of these are ids, and most are something else to YAML 1.1 or 1.2 without quotes.
  const odd = [
    "123",
    "007",
    "0x10",
    "0o17",
    "1e3",
    "null",
    "true",
    "false",
    "yes",
    "no",
    "on",
    "y",
  ];
  const odder = ["2026-11-01", "-", "--", "---", "-1", "1-000", "inf", "nan", "e", "id", "0"];
  for (const id of [...odd, ...odder]) {
    test(`of the id ${id} is found again, and is nobody else's`, async () => {
      assert.ok(isId(id));
      const genesisBytes = new Uint8Array(Buffer.from("{}"));
      const file = {
        genesisBytes,
        genesis: { consortiumId: sha256(genesisBytes) },
        invitation: { agentIds: ["head-end"], meters: invitedMeters },
        addresses: ["127.0.0.1:7401"],
        tls: { caPem: known.certificatePem },
      } as unknown as InvitationFile;
      const listen = { listen: { host: "127.0.0.1", port: 7501 } };
      for (const [role, listening] of [
        ["storage", listen],
        ["participant", undefined],
      ] as const) {
        const at = join(temporaryDirectory(), "new");
        const directory = (whose: string) => new MemberDirectory(at, { role, id: whose }, file);
        await directory(id).prepare(listening);
        await directory(id).prepare(listening);
        await assert.rejects(
          directory(`${id}0`).prepare(listening),
          /is the directory of another party/,
        );
        const { configFile, profileFile } = directory(id);
        const read = role === "storage" ? loadNodeConfig(configFile) : loadProfile(profileFile);
        assert.equal(read.id, id);
        if (role !== "storage") {
          const [joined, ...others] = joinedParticipants(undefined, profileFile);
          assert.deepEqual(joined, { id, agents: ["head-end"], meters: plannedMeters });
          assert.deepEqual(others, []);
          continue;
        }
        writeListening(configFile, { listen: { host: "127.0.0.1", port: 7502 } });
        assert.equal(loadNodeConfig(configFile).id, id);
      }
    });
  }

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
      const issuer = new Issuer(async () => authority, {
        lifetimeMs: dayMs,
        members: { manager: () => undefined },
        nowMs: () => fromMs,
      });
      directory.keepCertificate(await issuer.issue(identity, request), { tlsSpkiSha256 });
    };
    const useless = /issued a certificate that no node would accept/;
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
      role: "storage",
      id: "pc-7",
      consortium: "genesis.json",
      listen: { host: "h", port: 1 },
      tls: { certificate: "tls.crt", key: "tls.key", ca: "ca-bundle.pem" },
      signing_key: "signing.key",
      data_directory: "data",
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
