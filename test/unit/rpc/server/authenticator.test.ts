import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Authenticator } from "../../../../src/rpc/server/authenticator.js";
import { authorize } from "../../../../src/rpc/server/method-roles.js";
import { TestAuthority, uriOf } from "../../../support/pki.js";

describe("the authenticator", () => {
  test("asks the registry once per cache period and identity", async () => {
    const authority = await TestAuthority.create();
    const certificate = await authority.issue({ uris: [uriOf("manager", "manager-1")] });
    let asked = 0;
    let nowMs = 0;
    const authenticator = new Authenticator({
      consortiumName: "demo",
      cacheMs: 1_000,
      nowMs: () => nowMs,
      registry: {
        spkiOf: async (role, id) => {
          assert.deepEqual([role, id], ["manager", "manager-1"]);
          asked += 1;
          return asked < 3 ? certificate.spkiSha256 : undefined;
        },
      },
    });
    const identity = { role: "manager", id: "manager-1" };
    assert.deepEqual(await authenticator.identify(certificate.der), identity);
    nowMs = 999;
    assert.deepEqual(await authenticator.identify(certificate.der), identity);
    assert.equal(asked, 1);
    nowMs = 1_000;
    assert.deepEqual(await authenticator.identify(certificate.der), identity);
    assert.equal(asked, 2);
    nowMs = 2_000;
    await assert.rejects(authenticator.identify(certificate.der), {
      reason: "CERTIFICATE_UNKNOWN",
    });
  });

  test("knows whoever is invited without asking, and lets it call the registration alone", async () => {
    const authority = await TestAuthority.create();
    const { der } = await authority.issue({ uris: [uriOf("invited", "0123456789abcdef")] });
    const registry = { spkiOf: () => assert.fail("nobody is registered as invited") };
    const authenticator = new Authenticator({ consortiumName: "demo", registry });
    const identity = await authenticator.identify(der);
    assert.deepEqual(identity, { role: "invited", id: "0123456789abcdef" });
    authorize(identity, "bss.v1.RegistrationService/RegisterStorageNode");
    for (const method of ["RegistrationService/RenewCertificate", "QueryService/GetStatus"]) {
      const refused = { reason: "ROLE_NOT_ALLOWED" };
      assert.throws(() => authorize(identity, `bss.v1.${method}`), refused);
    }
  });

  test("refuses a connection without a certificate, and one that cannot be read", async () => {
    const registry = { spkiOf: async () => undefined };
    const authenticator = new Authenticator({ consortiumName: "demo", registry });
    await assert.rejects(authenticator.identify(undefined), { reason: "IDENTITY_INVALID" });
    await assert.rejects(authenticator.identify(new Uint8Array(9)), { reason: "IDENTITY_INVALID" });
  });
});
