import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { after, before, describe, test } from "node:test";
import { connect } from "node:tls";
import { QueryService } from "../../../src/gen/bss/v1/query_pb.js";
import {
  type CertificateAuthority,
  createCertificateAuthority,
  issueCertificate,
} from "../../../src/pki/certificate-authority.js";
import { createChannel, type RpcChannel } from "../../../src/rpc/channels/channel.js";
import { createClient } from "../../../src/rpc/channels/typed-client.js";
import { createServer, type RpcServer } from "../../../src/rpc/server/server.js";
import { readCertificate } from "../../../src/rpc/tls/certificate.js";
import { RenewableTls } from "../../../src/rpc/tls/tls.js";
import { poll } from "../../support/live-consortium.js";

const hourMs = 3_600_000;

describe("certificates that are renewed while they are in use", () => {
  let authority: CertificateAuthority;
  let server: RpcServer;
  let serverTls: RenewableTls;
  let port = 0;
  const open: RpcChannel[] = [];

  const issued = async (role: "manager" | "auditor", id: string, lifetimeMs: number) => {
    // One that has expired was issued two lifetimes ago.
    const nowMs = Date.now() - (lifetimeMs < 0 ? 2 * hourMs : 0);
    const options = { role, id, hosts: [], nowMs, lifetimeMs: Math.abs(lifetimeMs) };
    const { certificatePem: certPem, keyPem } = await issueCertificate(authority, options);
    return { certPem, keyPem, caPem: authority.certificatePem };
  };

  before(async () => {
    const named = { consortiumName: "demo", managerId: "manager-1", nowMs: Date.now() };
    authority = await createCertificateAuthority(named);
    serverTls = new RenewableTls(await issued("manager", "manager-1", hourMs));
    server = createServer({
      tls: serverTls,
      consortiumName: "demo",
      registry: {
        spkiOf: async (_, id) => spkis.get(id),
      },
      onInternalError: () => {},
      onConnectionEnded: (cause) => ended.emit(cause),
    }).implement(QueryService, { getStatus: () => ({}) });
    ({ port } = await server.listen({ host: "127.0.0.1", port: 0 }));
  });
  after(async () => {
    for (const channel of open) channel.close();
    await server.close(0);
  });
  const spkis = new Map<string, Uint8Array>();
  const register = (id: string, { certPem }: { readonly certPem: string }) =>
    spkis.set(id, readCertificate(certPem)?.spkiSha256 ?? new Uint8Array());
  const ended = new EventEmitter();

  test("a channel connects with the new one after the old one has expired", async () => {
    const expired = await issued("auditor", "auditor-1", -hourMs);
    const tls = new RenewableTls(expired);
    const expected = { consortiumName: "demo", role: "manager", id: "manager-1" } as const;
    const channel = createChannel({ address: `127.0.0.1:${port}`, tls, expected });
    open.push(channel);
    const client = createClient(QueryService, channel);
    await assert.rejects(client.getStatus({}, { timeoutMs: 2_000 }));
    const fresh = await issued("auditor", "auditor-1", hourMs);
    register("auditor-1", fresh);
    Object.assign(tls, { keyPem: fresh.keyPem });
    tls.renew(fresh.certPem);
    await client.getStatus({}, { timeoutMs: 60_000, waitForReady: true });
  });

  test("a connection ends with the old one, and the next has the new one", async () => {
    const short = await issued("auditor", "auditor-2", 5_000);
    register("auditor-2", short);
    const tls = new RenewableTls(short);
    const expected = { consortiumName: "demo", role: "manager", id: "manager-1" } as const;
    const channel = createChannel({ address: `127.0.0.1:${port}`, tls, expected });
    open.push(channel);
    const client = createClient(QueryService, channel);
    await client.getStatus({}, { timeoutMs: 60_000, waitForReady: true });
    const expired = once(ended, "expired");
    const fresh = await issued("auditor", "auditor-2", hourMs);
    register("auditor-2", fresh);
    Object.assign(tls, { keyPem: fresh.keyPem });
    tls.renew(fresh.certPem);
    await expired;
    await poll(async () => (channel.connected ? undefined : true), "the channel notices");
    await client.getStatus({}, { timeoutMs: 60_000, waitForReady: true });
  });

  test("a server shows the new one to whoever connects", async () => {
    const shown = async () => {
      const { certPem: cert, keyPem: key, caPem: ca } = await issued("auditor", "a", hourMs);
      const socket = connect({
        host: "127.0.0.1",
        port,
        cert,
        key,
        ca,
        ALPNProtocols: ["h2"],
        checkServerIdentity: () => undefined,
      });
      await once(socket, "secureConnect");
      const { fingerprint256 } = socket.getPeerCertificate();
      socket.destroy();
      return fingerprint256;
    };
    const before = await shown();
    const next = await issued("manager", "manager-1", 2 * hourMs);
    Object.assign(serverTls, { keyPem: next.keyPem });
    serverTls.renew(next.certPem);
    assert.notEqual(await shown(), before);
  });
});
