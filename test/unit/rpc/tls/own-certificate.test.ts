import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import {
  type CertificateAuthority,
  createCertificateAuthority,
  type IssuedCertificate,
  issueCertificate,
} from "../../../../src/pki/certificate-authority.js";
import {
  certificateFault,
  type OwnTls,
  servesAt,
} from "../../../../src/rpc/tls/own-certificate.js";

const dayMs = 86_400_000;
const nowMs = Date.UTC(2026, 5, 1, 12);
const party = { role: "participant", id: "home-1", hosts: [] } as const;

describe("a look at one's own certificate", () => {
  let authority: CertificateAuthority;
  let issued: IssuedCertificate;
  let tls: OwnTls;
  const whose = {
    consortiumName: "demo",
    identity: { role: "participant", id: "home-1" },
  } as const;
  const seen = (own: OwnTls, atMs = nowMs) => {
    const fault = certificateFault(own, atMs, whose);
    return fault && `${fault.kind}: ${fault.what}; ${fault.next}`;
  };

  before(async () => {
    const named = { consortiumName: "demo", managerId: "manager-1", nowMs };
    authority = await createCertificateAuthority(named);
    issued = await issueCertificate(authority, { ...party, nowMs, lifetimeMs: 90 * dayMs });
    const { certificatePem: certPem, keyPem } = issued;
    tls = { certPem, keyPem, caPem: authority.certificatePem };
  });

  test("finds nothing wrong with one that serves", () => {
    assert.equal(seen(tls), undefined);
    assert.ok(servesAt(tls.certPem, nowMs));
  });

  test("says since when it has expired, what the clock says, and who helps", () => {
    const text = seen(tls, nowMs + 400 * dayMs) ?? "";
    assert.match(text, /^expired: the certificate has expired at 2026-08-30 12:00:00 UTC; /);
    assert.match(text, /this machine's clock says 2027-07-06 12:00:00 UTC; set the clock if it is/);
    assert.match(text, /ask a manager's operator to run 'bss reissue' on this file/);
    assert.ok(!servesAt(tls.certPem, nowMs + 90 * dayMs));
  });

  test("names the clock when it is not valid yet", async () => {
    const later = await issueCertificate(authority, { ...party, nowMs: nowMs + 9 * dayMs });
    const own = { ...tls, certPem: later.certificatePem, keyPem: later.keyPem };
    assert.match(
      seen(own) ?? "",
      /^early: the certificate is not valid before .*clock says 2026-06/,
    );
    assert.match(seen(tls, nowMs - 400 * dayMs) ?? "", /^early: the authority .*; set the clock$/);
  });

  test("names an authority that has expired", async () => {
    const [oldMs, bornMs] = [nowMs - 3_651 * dayMs, nowMs];
    const named = { consortiumName: "demo", managerId: "manager-1", nowMs: oldMs };
    const old = await createCertificateAuthority(named);
    const young = await issueCertificate(old, { ...party, nowMs: bornMs });
    const own = { certPem: young.certificatePem, keyPem: young.keyPem, caPem: old.certificatePem };
    assert.match(
      seen(own) ?? "",
      /^authority: the authority that issued the certificate has expired/,
    );
  });

  test("finds a key, a bundle and a name that do not belong to it", async () => {
    const other = await issueCertificate(authority, { ...party, nowMs });
    assert.match(seen({ ...tls, keyPem: other.keyPem }) ?? "", /^key: .* for another key/);
    const named = { consortiumName: "demo", managerId: "manager-9", nowMs };
    const caPem = (await createCertificateAuthority(named)).certificatePem;
    assert.match(seen({ ...tls, caPem }) ?? "", /^authority: no authority in the CA bundle/);
    const neighbour = await issueCertificate(authority, { ...party, id: "home-2", nowMs });
    const theirs = { ...tls, certPem: neighbour.certificatePem, keyPem: neighbour.keyPem };
    assert.match(seen(theirs) ?? "", /^party: the certificate is that of participant home-2/);
  });

  test("repeats nothing of a key that cannot be read", () => {
    const text = seen({ ...tls, keyPem: "-----BEGIN PRIVATE KEY-----\nc2VjcmV0" }) ?? "";
    assert.match(text, /^unreadable: /);
    assert.ok(!text.includes("c2Vj"));
    assert.match(seen({ ...tls, certPem: "rubbish" }) ?? "", /^party: .* names no party/);
  });
});
