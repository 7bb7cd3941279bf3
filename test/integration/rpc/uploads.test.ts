/** What a caller's messages may be, seen from the wire. */
import assert from "node:assert/strict";
import { type ClientHttp2Session, connect, constants } from "node:http2";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { Client, compressionAlgorithms, Metadata } from "@grpc/grpc-js";
import { BroadcastService } from "../../../src/gen/bss/v1/broadcast_pb.js";
import { VerifyIntegrityService } from "../../../src/gen/bss/v1/verify_integrity_pb.js";
import { identityOfBytes } from "../../../src/rpc/message-codec.js";
import { detailsTrailer, rpcErrorOf } from "../../../src/rpc/status-details.js";
import { channelCredentials } from "../../../src/rpc/tls/tls.js";
import type { Role } from "../../../src/rpc/tls/tls-identity.js";
import { RpcConsortium, until } from "../../support/rpc-consortium.js";

const submit = "/bss.v1.BroadcastService/Submit";
const verify = "/bss.v1.VerifyIntegrityService/VerifyIntegrity";

/** The header of a frame. */
function header(bytes: number, flag = 0): Buffer {
  const framed = Buffer.alloc(5);
  framed[0] = flag;
  framed.writeUInt32BE(bytes, 1);
  return framed;
}

describe("what callers send", () => {
  let consortium: RpcConsortium;
  let port = 0;
  let received = 0;
  const sessions: ClientHttp2Session[] = [];

  before(async () => {
    consortium = await RpcConsortium.create();
    const server = await consortium.server();
    server.implement(BroadcastService, { submit: () => ({}) });
    server.implement(VerifyIntegrityService, {
      verifyIntegrity: async (_context, stream) => {
        for await (const _ of stream.messages) received += 1;
      },
    });
    ({ port } = await server.listen({ host: "127.0.0.1", port: 0 }));
  });
  after(async () => {
    for (const session of sessions) session.destroy();
    await consortium.close();
  });

  /** Opens a call of HTTP/2 by hand; `status` is what it ends with. */
  async function call(
    role: Role,
    id: string,
    path: string,
    headers: Record<string, string> = {},
    at = port,
  ) {
    const tls = consortium.authority.tls(await consortium.certificateOf(role, id));
    const session = connect(`https://127.0.0.1:${at}`, {
      cert: `${tls.certPem}`,
      key: `${tls.keyPem}`,
      ca: `${tls.caPem}`,
      checkServerIdentity: () => undefined,
    });
    sessions.push(session);
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      te: "trailers",
      "content-type": "application/grpc",
      ...headers,
    });
    stream.on("error", () => {});
    const status = new Promise<{ readonly reason: string; readonly code: string }>((resolve) => {
      const take = (sent: Record<string, unknown>) => {
        if (sent["grpc-status"] === undefined) return;
        const metadata = new Metadata();
        const details = String(sent[detailsTrailer] ?? "");
        metadata.set(detailsTrailer, Buffer.from(details, "base64"));
        const code = Number(sent["grpc-status"]);
        const { reason } = rpcErrorOf(Object.assign(new Error(""), { code, metadata }));
        resolve({ reason, code: String(code) });
      };
      stream.on("response", take);
      stream.on("trailers", take);
    });
    return { stream, status };
  }

  test("is refused by its length before it arrives", async () => {
    for (const [role, path, bytes] of [
      ["participant", submit, 4 * 2 ** 20 + 1],
      ["participant", submit, 2 ** 32 - 1],
      ["storage", verify, 256 * 1024 + 1],
      ["participant", "/bss.v1.QueryService/GetStatus", 256 * 1024 + 1],
      ["participant", "/grpc.health.v1.Health/Check", 256 * 1024 + 1],
    ] as const) {
      const { stream, status } = await call(role, `${role}-1`, path);
      stream.write(header(bytes));
      const { reason } = await status;
      const expected = path.includes("Query") ? "METHOD_UNIMPLEMENTED" : "MESSAGE_TOO_LARGE";
      assert.equal(reason, expected, `${role} ${path} ${bytes}`);
    }
  });

  test("is not waited for when it was refused and goes on", { timeout: 20_000 }, async () => {
    const { stream, status } = await call("participant", "participant-1", submit);
    stream.write(header(2 ** 32 - 1));
    await status;
    const pour = setInterval(() => stream.writable && stream.write(Buffer.alloc(1_000)), 10);
    // The server has reset it. The event "close" does not come while a write of ours is pending.
    await until(() => stream.closed);
    clearInterval(pour);
    assert.equal(stream.rstCode, constants.NGHTTP2_NO_ERROR);
  });

  test("is refused when it is compressed, however small", async () => {
    const bomb = gzipSync(Buffer.alloc(16 * 2 ** 20 - 1));
    assert.ok(bomb.length < 17_000);
    for (const headers of [{ "grpc-encoding": "gzip" }, {}]) {
      const { stream, status } = await call("storage", "storage-1", verify, headers as never);
      const before = received;
      stream.write(Buffer.concat([header(bomb.length, 1), bomb]));
      assert.deepEqual(await status, { reason: "COMPRESSION_UNSUPPORTED", code: "12" });
      assert.equal(received, before);
    }
  });

  test("is refused with the same reason to a standard client that compresses", async () => {
    const certificate = await consortium.certificateOf("participant", "participant-1");
    const expected = { consortiumName: "demo", role: "manager", id: "manager-1" } as const;
    const credentials = channelCredentials(consortium.authority.tls(certificate), expected);
    const client = new Client(`127.0.0.1:${port}`, credentials, {
      "grpc.default_compression_algorithm": compressionAlgorithms.gzip,
      "grpc.ssl_target_name_override": "bss-node",
    });
    const error = await new Promise((resolve) => {
      client.makeUnaryRequest(submit, identityOfBytes, identityOfBytes, Buffer.alloc(0), resolve);
    });
    assert.equal(rpcErrorOf(error).reason, "COMPRESSION_UNSUPPORTED");
    client.close();
  });

  test("arrives in a stream, message by message, also in one piece", async () => {
    const { stream } = await call("storage", "storage-2", verify);
    const before = received;
    stream.write(Buffer.concat(Array.from({ length: 100 }, () => header(0))));
    await until(() => received === before + 100);
  });

  test("is refused by its elements, before and after valid ones", async () => {
    const { stream, status } = await call("storage", "storage-3", verify);
    const before = received;
    stream.write(header(0));
    await until(() => received === before + 1);
    const inner = Buffer.concat([Buffer.of(0x0a, 0xfc, 0x7f), Buffer.alloc(16_380)]);
    for (let i = 3; i < inner.length; i += 2) inner[i] = 0x22;
    const fork = Buffer.concat([Buffer.of(0x2a, 0xff, 0x7f), inner]);
    stream.write(Buffer.concat([header(fork.length), fork]));
    assert.deepEqual(await status, { reason: "MESSAGE_TOO_COMPLEX", code: "3" });
    assert.equal(received, before + 1);
  });

  test("is waited for only so long, whatever is missing", async () => {
    const limits = { uploadMs: 1_000 };
    const handlers = { submit: () => ({}) };
    const patient = await consortium.serve(BroadcastService, handlers, { limits });
    const sent: readonly Buffer[][] = [
      [],
      [header(1_000)],
      [header(1_000), Buffer.alloc(999)],
      // All is there but the end of the request.
      [header(0)],
    ];
    for (const parts of sent) {
      const { stream, status } = await call("participant", "p", submit, {}, patient.port);
      for (const part of parts) stream.write(part);
      if (parts.length === 0) stream.write(Buffer.of(0));
      assert.deepEqual(await status, { reason: "UPLOAD_TOO_SLOW", code: "4" });
    }
  });
});
