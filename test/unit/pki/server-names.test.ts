import "reflect-metadata";
import assert from "node:assert/strict";
import { type webcrypto, X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { before, describe, test } from "node:test";
import { connect, createServer } from "node:tls";
import * as x509 from "@peculiar/x509";
import { Issuer } from "../../../src/manager/operations/issuing.js";
import {
  type CertificateAuthority,
  createCertificateAuthority,
  issueCertificate,
} from "../../../src/pki/certificate-authority.js";
import { readCertificateRequest } from "../../../src/pki/certificate-request.js";
import { generateTlsKeyPair, privateKeyPem } from "../../../src/pki/key-pairs.js";
import { hostsOf } from "../../../src/pki/server-names.js";
import { certificatesPem, readTerms } from "../../../src/rpc/tls/certificate.js";
import type { Role } from "../../../src/rpc/tls/tls-identity.js";

// The TLS client is Node's own, as any program would use it: it checks chain, host and usage.
const server = "1.3.6.1.5.5.7.3.1";
const client = "1.3.6.1.5.5.7.3.2";
const nowMs = Date.now();
const lifetimeMs = 3_600_000;
const addresses = new Map([
  ["manager-1", "grid-a.example.org:7401"],
  ["manager-2", "[2001:db8::2]:7402"],
]);

type Tls = { readonly cert: string; readonly key: string };

describe("the names and usages of certificates", () => {
  let keys: webcrypto.CryptoKeyPair;
  let key = "";
  const authorities = new Map<string, CertificateAuthority>();
  const authority = (id: string) => authorities.get(id) as CertificateAuthority;
  const ca = () => [...authorities.values()].map(({ certificatePem }) => certificatePem).join("");

  before(async () => {
    for (const [managerId, address] of addresses) {
      const named = {
        consortiumName: "demo",
        managerId,
        hosts: hostsOf("manager", address),
        nowMs,
      };
      authorities.set(managerId, await createCertificateAuthority(named));
    }
    keys = await generateTlsKeyPair();
    key = await privateKeyPem(keys.privateKey);
  });

  /** What a manager issues for a request that names another manager's host. */
  const issuedBy = async (managerId: string, role: Role, id: string): Promise<Tls> => {
    const greedy = await x509.Pkcs10CertificateRequestGenerator.create({
      name: "CN=x",
      keys,
      signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
      extensions: [
        new x509.SubjectAlternativeNameExtension([
          { type: "dns", value: "grid-a.example.org" },
          { type: "ip", value: "127.0.0.1" },
        ]),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      ],
    });
    const request = await readCertificateRequest(new Uint8Array(greedy.rawData));
    assert.ok(typeof request !== "string", String(request));
    const members = { manager: (id: string) => ({ address: addresses.get(id) }) as never };
    const issuer = new Issuer(async () => authority(managerId), {
      lifetimeMs,
      members,
      nowMs: () => nowMs,
    });
    return { cert: certificatesPem(await issuer.issue({ role, id }, request)), key };
  };

  /** "secure", or why a client or the server ends the connection. */
  const handshake = async (serving: Tls, calling: Tls | undefined, servername: string) => {
    const listening = createServer({ ...serving, ca: ca(), requestCert: calling !== undefined });
    listening.listen(0, "127.0.0.1");
    await once(listening, "listening");
    const refused = once(listening, "tlsClientError").then(([error]) => `server: ${error.code}`);
    const accepted = once(listening, "secureConnection").then(() => "secure");
    const { port } = listening.address() as AddressInfo;
    const socket = connect({ host: "127.0.0.1", port, ca: ca(), servername, ...calling });
    const failed = once(socket, "error").then(
      ([error]) => `client: ${error.code} ${error.message}`,
    );
    socket.on("error", () => {});
    const connected = once(socket, "secureConnect").then(() => accepted);
    connected.catch(() => {});
    const ended = await Promise.race([refused, failed, connected]);
    socket.destroy();
    listening.close();
    return ended;
  };

  test("follow from the role and genesis, whatever the request asks for", async () => {
    for (const role of ["participant", "auditor", "operator"] as const) {
      const terms = readTerms((await issuedBy("manager-1", role, "x")).cert);
      assert.deepEqual([terms?.usages, terms?.hosts], [[client], []], role);
    }
    const storage = readTerms((await issuedBy("manager-1", "storage", "x")).cert);
    assert.deepEqual(storage?.usages, [server, client]);
    assert.deepEqual(storage?.hosts.toSorted(), ["0:0:0:0:0:0:0:1", "127.0.0.1", "localhost"]);
    const own = readTerms((await issuedBy("manager-1", "manager", "manager-1")).cert);
    assert.deepEqual(own?.usages, [server, client]);
    assert.deepEqual(own?.hosts.toSorted(), [
      ...["0:0:0:0:0:0:0:1", "127.0.0.1", "grid-a.example.org", "localhost"],
    ]);
    const ipv6 = readTerms((await issuedBy("manager-2", "manager", "manager-2")).cert);
    assert.ok(ipv6?.hosts.includes("2001:DB8:0:0:0:0:0:2"), String(ipv6?.hosts));
    const others = readTerms((await issuedBy("manager-2", "manager", "manager-1")).cert);
    assert.deepEqual(others?.hosts, [], "another manager's authority may not name its hosts");
    const holder = { role: "invited", id: "x", hosts: ["grid-a.example.org"], nowMs } as const;
    const invited = await issueCertificate(authority("manager-1"), holder);
    const { usages, hosts } = readTerms(invited.certificatePem) ?? {};
    assert.deepEqual([usages, hosts], [[client], []]);
  });

  test("let a standard client believe a manager, and nobody who poses as one", async () => {
    const believe = (tls: Tls) => handshake(tls, undefined, "grid-a.example.org");
    assert.equal(await believe(await issuedBy("manager-1", "manager", "manager-1")), "secure");
    const participant = await believe(await issuedBy("manager-1", "participant", "x"));
    assert.match(participant, /^client: INVALID_PURPOSE /);
    const storage = await believe(await issuedBy("manager-1", "storage", "x"));
    assert.match(storage, /^client: ERR_TLS_CERT_ALTNAME_INVALID /);
    const others = await believe(await issuedBy("manager-2", "manager", "manager-1"));
    assert.match(others, /^client: ERR_TLS_CERT_ALTNAME_INVALID /);
  });

  test("a manager's authority that names another's host all the same is not believed", async () => {
    const { keys: own, certificate } = authority("manager-2");
    for (const [type, value] of [
      ["dns", "grid-a.example.org"],
      ["ip", "192.0.2.7"],
    ] as const) {
      const forged = await x509.X509CertificateGenerator.create({
        serialNumber: "41",
        subject: "CN=x",
        issuer: certificate.subject,
        notBefore: new Date(nowMs - 1000),
        notAfter: new Date(nowMs + lifetimeMs),
        publicKey: keys.publicKey,
        signingKey: own.privateKey,
        signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
        extensions: [
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
          new x509.SubjectAlternativeNameExtension([{ type, value }]),
        ],
      });
      const ended = await handshake({ cert: forged.toString("pem"), key }, undefined, "localhost");
      assert.match(ended, /permitted subtree violation/, value);
    }
  });

  test("a server refuses a caller's certificate that is not for clients", async () => {
    const manager = await issuedBy("manager-1", "manager", "manager-1");
    const caller = await issuedBy("manager-2", "participant", "x");
    assert.equal(await handshake(manager, caller, "grid-a.example.org"), "secure");
    const { keys: own, certificate } = authority("manager-2");
    const serversOnly = await x509.X509CertificateGenerator.create({
      serialNumber: "42",
      subject: "CN=x",
      issuer: certificate.subject,
      notBefore: new Date(nowMs - 1000),
      notAfter: new Date(nowMs + lifetimeMs),
      publicKey: keys.publicKey,
      signingKey: own.privateKey,
      signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
      extensions: [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth])],
    });
    const calling = { cert: serversOnly.toString("pem"), key };
    const ended = await handshake(manager, calling, "grid-a.example.org");
    assert.match(ended, /^server: /);
  });

  test("an authority says for which hosts it vouches", () => {
    const { raw } = new X509Certificate(authority("manager-2").certificatePem);
    const hex = raw.toString("hex");
    // Name constraints, critical: localhost, 127.0.0.1, ::1 and 2001:db8::2, each to the last bit.
    assert.ok(hex.includes("0603551d1e0101ff"));
    assert.ok(hex.includes(`8209${Buffer.from("localhost").toString("hex")}`));
    assert.ok(hex.includes("87087f000001ffffffff"));
    assert.ok(hex.includes(`8720${"0".repeat(31)}1${"f".repeat(32)}`));
    assert.ok(hex.includes(`872020010db8${"0".repeat(23)}2${"f".repeat(32)}`));
  });
});
