/** What a certificate is for: nodes and clients refuse one that is for the other side alone. */
import "reflect-metadata";
import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { after, before, describe, test } from "node:test";
import * as x509 from "@peculiar/x509";
import { QueryService } from "../../../src/gen/bss/v1/query_pb.js";
import {
  type CertificateAuthority,
  createCertificateAuthority,
} from "../../../src/pki/certificate-authority.js";
import { generateTlsKeyPair, privateKeyPem } from "../../../src/pki/key-pairs.js";
import { createChannel } from "../../../src/rpc/channels/channel.js";
import { createClient } from "../../../src/rpc/channels/typed-client.js";
import { createServer, type RpcServer } from "../../../src/rpc/server/server.js";
import { readCertificate } from "../../../src/rpc/tls/certificate.js";
import { identityUri, type Role } from "../../../src/rpc/tls/tls-identity.js";

const { clientAuth, serverAuth } = x509.ExtendedKeyUsage;
const both = [serverAuth, clientAuth];
const consortiumName = "demo";

describe("the usage of a certificate", () => {
  let authority: CertificateAuthority;
  const servers: RpcServer[] = [];

  const issue = async (role: Role, id: string, usages: readonly x509.ExtendedKeyUsage[]) => {
    const keys = await generateTlsKeyPair();
    const certificate = await x509.X509CertificateGenerator.create(
      {
        serialNumber: "41",
        subject: `CN=${id}`,
        issuer: authority.certificate.subject,
        notBefore: new Date(Date.now() - 60_000),
        notAfter: new Date(Date.now() + 3_600_000),
        publicKey: keys.publicKey,
        signingKey: authority.keys.privateKey,
        signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
        extensions: [
          new x509.ExtendedKeyUsageExtension([...usages]),
          new x509.SubjectAlternativeNameExtension([
            { type: "url", value: identityUri(consortiumName, { role, id }) },
          ]),
        ],
      },
      webcrypto,
    );
    const certPem = certificate.toString("pem");
    const keyPem = await privateKeyPem(keys.privateKey);
    return { certPem, keyPem, caPem: authority.certificatePem };
  };

  before(async () => {
    const named = { consortiumName, managerId: "manager-1", nowMs: Date.now() };
    authority = await createCertificateAuthority(named);
  });
  after(async () => {
    for (const server of servers) await server.close(0);
  });

  /** One call, with certificates for these usages. */
  const call = async (
    serving: readonly x509.ExtendedKeyUsage[],
    calling: readonly x509.ExtendedKeyUsage[],
  ) => {
    const tls = await issue("auditor", "auditor-1", calling);
    const spki = readCertificate(tls.certPem)?.spkiSha256;
    const server = createServer({
      tls: await issue("manager", "manager-1", serving),
      consortiumName,
      registry: { spkiOf: async () => spki },
      onInternalError: () => {},
    }).implement(QueryService, { getStatus: () => ({}) });
    servers.push(server);
    const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
    const expected = { consortiumName, role: "manager", id: "manager-1" } as const;
    const channel = createChannel({ address: `127.0.0.1:${port}`, tls, expected });
    try {
      return await createClient(QueryService, channel).getStatus({}, { timeoutMs: 10_000 });
    } finally {
      channel.close();
    }
  };

  test("a manager's is for servers, a caller's for clients", async () => {
    await call(both, [clientAuth]);
  });

  test("a client refuses a server whose certificate is for clients", async () => {
    await assert.rejects(call([clientAuth], both), { name: "RpcError" });
  });

  test("a server refuses a caller whose certificate is for servers", async () => {
    await assert.rejects(call(both, [serverAuth]), { name: "RpcError" });
  });
});
