import assert from "node:assert/strict";
import { connect as connectTcp } from "node:net";
import { after, before, describe, test } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { BroadcastService } from "../../../src/gen/bss/v1/broadcast_pb.js";
import { QueryService } from "../../../src/gen/bss/v1/query_pb.js";
import { createClient } from "../../../src/rpc/channels/typed-client.js";
import type { TlsCredentials } from "../../../src/rpc/tls/tls.js";
import { TestAuthority, uriOf } from "../../support/pki.js";
import { RpcConsortium, rpcErrorFrom, until } from "../../support/rpc-consortium.js";

describe("a caller", () => {
  let consortium: RpcConsortium;
  let address = "";
  let port = 0;
  let calls = 0;
  const refused: string[] = [];

  before(async () => {
    consortium = await RpcConsortium.create();
    const count = () => {
      calls += 1;
      return {};
    };
    const onCallerRefused = (peer: string, reason: string) => refused.push(`${peer} ${reason}`);
    const server = (await consortium.server({ onCallerRefused }))
      .implement(QueryService, { getStatus: count })
      .implement(BroadcastService, { submit: count });
    ({ port } = await server.listen({ host: "127.0.0.1", port: 0 }));
    address = `127.0.0.1:${port}`;
  });
  after(() => consortium.close());

  async function getStatusWith(uris: readonly string[]) {
    const certificate = await consortium.authority.issue({ uris });
    const channel = consortium.connectWith(address, certificate);
    return rpcErrorFrom(createClient(QueryService, channel).getStatus({}));
  }

  const invalid: readonly [string, readonly string[]][] = [
    ["no URI name", []],
    ["two URI names", [uriOf("auditor", "auditor-1"), uriOf("participant", "participant-1")]],
    ["another consortium's name", [uriOf("auditor", "auditor-1", "other")]],
    ["a role that does not exist", ["bss://demo/root/root-1"]],
    ["another scheme", ["https://demo/auditor/auditor-1"]],
    ["a longer path", ["bss://demo/auditor/auditor-1/x"]],
    ["a query", ["bss://demo/auditor/auditor-1?x"]],
    ["an escaped id", ["bss://demo/auditor/auditor%2D1"]],
    ["an empty id", ["bss://demo/auditor/"]],
  ];
  for (const [what, uris] of invalid) {
    test(`is refused as IDENTITY_INVALID with ${what}`, async () => {
      const before = calls;
      const error = await getStatusWith(uris);
      assert.equal(error.reason, "IDENTITY_INVALID");
      assert.equal(error.status, "UNAUTHENTICATED");
      assert.equal(calls, before);
      assert.equal(refused.at(-1), `127.0.0.1 ${error.message}`);
    });
  }

  test("is refused as CERTIFICATE_UNKNOWN when nobody is registered under its name", async () => {
    const error = await getStatusWith([uriOf("manager", "manager-9")]);
    assert.equal(error.reason, "CERTIFICATE_UNKNOWN");
    assert.equal(error.status, "UNAUTHENTICATED");
    assert.deepEqual(error.metadata, { role: "manager", id: "manager-9" });
  });

  test("is refused as CERTIFICATE_UNKNOWN with another's name under a key of its own", async () => {
    await consortium.certificateOf("manager", "manager-2");
    const error = await getStatusWith([uriOf("manager", "manager-2")]);
    assert.equal(error.reason, "CERTIFICATE_UNKNOWN");
  });

  test("is refused as CERTIFICATE_UNKNOWN under a registered id of another role", async () => {
    const certificate = await consortium.certificateOf("participant", "participant-7");
    consortium.register("participant", "participant-7", certificate);
    const error = await getStatusWith([uriOf("manager", "participant-7")]);
    assert.equal(error.reason, "CERTIFICATE_UNKNOWN");
  });

  test("with the wrong role is refused as ROLE_NOT_ALLOWED, and told role and method", async () => {
    const channel = await consortium.connect(address, "storage", "storage-1");
    const error = await rpcErrorFrom(createClient(BroadcastService, channel).submit({}));
    assert.equal(error.reason, "ROLE_NOT_ALLOWED");
    assert.equal(error.status, "PERMISSION_DENIED");
    assert.deepEqual(error.metadata, {
      role: "storage",
      method: "bss.v1.BroadcastService/Submit",
    });
  });

  test("with an allowed role is answered", async () => {
    const channel = await consortium.connect(address, "participant", "participant-1");
    await createClient(BroadcastService, channel).submit({});
  });

  test("of the wrong role is refused on a stream that only managers may open", async () => {
    const channel = await consortium.connect(address, "participant", "participant-1");
    const stream = createClient(BroadcastService, channel).broadcast();
    const error = await rpcErrorFrom(stream.opened);
    assert.equal(error.reason, "ROLE_NOT_ALLOWED");
  });

  test("is refused when the registry fails, without a word about why", async () => {
    const failing = await consortium.serve(
      QueryService,
      { getStatus: () => ({}) },
      { registry: { spkiOf: () => Promise.reject(new Error("disk on fire")) } },
    );
    const channel = await consortium.connect(failing.address, "auditor", "auditor-1");
    const error = await rpcErrorFrom(createClient(QueryService, channel).getStatus({}));
    assert.equal(error.reason, "INTERNAL");
    assert.doesNotMatch(error.message, /disk/);
    assert.match(String(consortium.internalErrors.at(-1)), /disk on fire/);
  });

  describe("at the TLS layer", () => {
    test("is served with a certificate over TLS 1.3", async () => {
      const certificate = await consortium.certificateOf("auditor", "auditor-1");
      const session = await handshake(port, consortium.authority.tls(certificate), {});
      assert.equal(session, "TLSv1.3");
    });

    test("is refused when it insists on TLS 1.2", async () => {
      const certificate = await consortium.certificateOf("auditor", "auditor-1");
      const tls = consortium.authority.tls(certificate);
      assert.match(await handshake(port, tls, { maxVersion: "TLSv1.2" }), /protocol.version/i);
    });

    test("is refused without a certificate", async () => {
      const tls = { caPem: consortium.authority.certPem };
      assert.match(
        await handshake(port, tls, {}),
        /certificate.required|socket hang up|ECONNRESET/,
      );
    });

    test("is refused with a certificate of a foreign authority", async () => {
      const foreign = await TestAuthority.create("foreign");
      const certificate = await foreign.issue({ uris: [uriOf("manager", "manager-1")] });
      const tls = { ...foreign.tls(certificate), caPem: consortium.authority.certPem };
      refused.length = 0;
      assert.match(await handshake(port, tls, {}), /alert|ECONNRESET|socket hang up/);
      await until(() => refused.length > 0);
      assert.match(
        refused.join(),
        /^127\.0\.0\.1 TLS: the certificate does not verify \(UNABLE_TO_VERIFY/,
      );
    });

    test("is refused, and named, when it speaks no TLS", async () => {
      refused.length = 0;
      const socket = connectTcp(port, "127.0.0.1", () => socket.end("GET / HTTP/1.1\r\n\r\n"));
      socket.on("error", () => {});
      await until(() => refused.length > 0);
      assert.deepEqual(refused, ["127.0.0.1 TLS: http request"]);
    });
  });
});

describe("a client", () => {
  let consortium: RpcConsortium;
  let address = "";

  before(async () => {
    consortium = await RpcConsortium.create();
    ({ address } = await consortium.serve(QueryService, { getStatus: () => ({}) }));
  });
  after(() => consortium.close());

  async function getStatus(expected: object) {
    const base = { consortiumName: "demo", role: "manager" } as const;
    const options = { expected: { ...base, ...expected } };
    const channel = await consortium.connect(address, "auditor", "auditor-1", options);
    return createClient(QueryService, channel).getStatus({});
  }

  async function registeredKey() {
    return (await consortium.certificateOf("manager", "manager-1")).spkiSha256;
  }

  test("accepts the server that it expects, by role, id or key", async () => {
    const spkiSha256 = await registeredKey();
    await getStatus({});
    await getStatus({ id: "manager-1" });
    await getStatus({ spkiSha256 });
    await getStatus({ spkiSha256: (id: string) => (id === "manager-1" ? spkiSha256 : undefined) });
  });

  const refused: readonly [string, object, RegExp][] = [
    ["has another id", { id: "manager-2" }, /is manager manager-1, expected manager manager-2/],
    ["has another role", { role: "storage" }, /is manager manager-1, expected storage/],
    ["is of another consortium", { consortiumName: "other" }, /for consortium demo, this is other/],
    ["has another key", { spkiSha256: new Uint8Array(32) }, /key is not the one registered/],
    ["is not known", { spkiSha256: () => undefined }, /key is not the one registered/],
  ];
  for (const [what, expected, message] of refused) {
    test(`refuses a server that ${what}`, async () => {
      const error = await rpcErrorFrom(getStatus(expected));
      assert.equal(error.reason, "NODE_UNREACHABLE");
      assert.match(error.message, message);
    });
  }

  test("refuses a server that a foreign authority has certified", async () => {
    const foreign = await TestAuthority.create("foreign");
    const certificate = await foreign.issue({ uris: [uriOf("auditor", "auditor-1")] });
    const channel = consortium.connectWith(address, certificate, { tls: foreign.tls(certificate) });
    const error = await rpcErrorFrom(createClient(QueryService, channel).getStatus({}));
    assert.equal(error.reason, "NODE_UNREACHABLE");
  });
});

describe("a removed member", () => {
  test("is cut off once the registry's answer has expired", async () => {
    const consortium = await RpcConsortium.create();
    const { address } = await consortium.serve(QueryService, { getStatus: () => ({}) });
    const channel = await consortium.connect(address, "participant", "participant-1");
    const client = createClient(QueryService, channel);
    await client.getStatus({});
    consortium.unregister("participant", "participant-1");
    let error: unknown;
    while (error === undefined) {
      await client.getStatus({}).catch((thrown) => {
        error = thrown;
      });
    }
    assert.equal((error as { reason: string }).reason, "CERTIFICATE_UNKNOWN");
    await consortium.close();
  });
});

/**
 * The TLS version that was agreed, or the error; the server's alert may come after the handshake.
 */
function handshake(
  port: number,
  tls: Partial<TlsCredentials>,
  options: { readonly maxVersion?: "TLSv1.2" },
): Promise<string> {
  return new Promise((resolve) => {
    const socket: TLSSocket = connect({
      host: "127.0.0.1",
      port,
      ca: Buffer.from(tls.caPem ?? ""),
      ...(tls.certPem && { cert: Buffer.from(tls.certPem) }),
      ...(tls.keyPem && { key: Buffer.from(tls.keyPem) }),
      ...options,
      ALPNProtocols: ["h2"],
      checkServerIdentity: () => undefined,
    });
    const finish = (outcome: string) => {
      socket.destroy();
      resolve(outcome);
    };
    // The server's first bytes, its HTTP/2 settings, say that it has accepted the certificate.
    socket.once("data", () => finish(socket.getProtocol() ?? ""));
    socket.once("error", (error) => finish(error.message));
    socket.once("close", () => finish("socket hang up"));
  });
}
