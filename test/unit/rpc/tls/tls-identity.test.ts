import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RpcError } from "../../../../src/rpc/rpc-error.js";
import { identityOf, readCertificate } from "../../../../src/rpc/tls/certificate.js";
import {
  describeIdentity,
  identityUri,
  parseIdentityUri,
} from "../../../../src/rpc/tls/tls-identity.js";
import { TestAuthority, uriOf } from "../../../support/pki.js";

describe("an identity URI", () => {
  test("comes back from its text", () => {
    const identity = { role: "storage", id: "storage-1" } as const;
    const uri = identityUri("energy.demo", identity);
    assert.equal(uri, "bss://energy.demo/storage/storage-1");
    assert.deepEqual(parseIdentityUri(uri), { consortiumName: "energy.demo", identity });
    assert.equal(describeIdentity(identity), "storage storage-1");
  });

  const wrong = [
    "",
    "bss://demo/manager",
    "bss://demo/manager/",
    "bss://demo//m",
    "bss:///manager/m",
    "BSS://demo/manager/m",
    "bss://demo/Manager/m",
    "bss://demo/manager/m/",
    "bss://demo/manager/m#x",
    "bss://demo/manager/m\n",
    "bss://demo:1/manager/m",
    "bss://u@demo/manager/m",
    ` ${uriOf("manager", "m")}`,
    `bss://demo/manager/${"m".repeat(65)}`,
  ];
  for (const uri of wrong) {
    test(`is refused in any other form: ${JSON.stringify(uri)}`, () => {
      assert.equal(parseIdentityUri(uri), undefined);
    });
  }
});

describe("a certificate", () => {
  test("gives its URI names and the digest of its key, whatever other names it has", async () => {
    const authority = await TestAuthority.create();
    const uris = [uriOf("manager", "manager-1"), "https://example.com/a?b=c"];
    const issued = await authority.issue({ uris, dns: ["localhost", "URI:x"] });
    for (const form of [issued.der, issued.certPem]) {
      const facts = readCertificate(form);
      assert.deepEqual(facts?.uris, uris);
      assert.deepEqual(facts?.spkiSha256, issued.spkiSha256);
    }
  });

  test("cannot pass off one name as two", async () => {
    const authority = await TestAuthority.create();
    const uri = "https://x.example/, URI:bss://demo/manager/manager-1";
    const issued = await authority.issue({ uris: [uri], dns: ["a, URI:bss://demo/manager/m"] });
    const facts = readCertificate(issued.der);
    assert.equal(facts?.uris.length, 1);
    assert.throws(() => facts && identityOf(facts, "demo"), RpcError);
  });

  test("that cannot be read is none", () => {
    assert.equal(readCertificate(new Uint8Array(10)), undefined);
    assert.equal(readCertificate("no certificate"), undefined);
  });
});
