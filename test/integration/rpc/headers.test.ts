/** Headers of a few bytes that would become very many values. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createSecureServer, type IncomingHttpHeaders } from "node:http2";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { connect } from "node:tls";
import { QueryService } from "../../../src/gen/bss/v1/query_pb.js";
import { createClient } from "../../../src/rpc/channels/typed-client.js";
import { RawCaller } from "../../support/raw-caller.js";
import { RpcConsortium, rpcErrorFrom, until } from "../../support/rpc-consortium.js";

const getStatus = "bss.v1.QueryService/GetStatus";
const commas = ",".repeat(4_000);
const bombs = 20;

function http2Frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A header field in HPACK; one that is indexed becomes entry 62. */
function literal(name: string, value: string, indexed: boolean): Buffer {
  const text = (of: string) => Buffer.concat([length(of.length), Buffer.from(of)]);
  return Buffer.concat([Buffer.of(indexed ? 0x40 : 0), text(name), text(value)]);
}

function length(bytes: number): Buffer {
  if (bytes < 127) return Buffer.of(bytes);
  const over = bytes - 127;
  return over < 128
    ? Buffer.of(127, over)
    : Buffer.of(127, (over % 128) | 128, Math.floor(over / 128));
}

/** Frames of headers. */
function answersIn(bytes: Buffer): number {
  let count = 0;
  for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
    if (bytes[at + 3] === 1) count += 1;
  }
  return count;
}

describe("headers that are too long", () => {
  let consortium: RpcConsortium;
  let port = 0;
  let answered = 0;
  let sent: IncomingHttpHeaders = {};
  /** A server of another kind, which answers with headers of its choice. */
  let hostilePort = 0;
  let hostile: ReturnType<typeof createSecureServer>;

  before(async () => {
    consortium = await RpcConsortium.create();
    const getStatus = () => {
      answered += 1;
      return {};
    };
    ({ port } = await consortium.serve(QueryService, { getStatus }));
    const tls = consortium.authority.tls(await consortium.certificateOf("manager", "manager-1"));
    hostile = createSecureServer({ cert: `${tls.certPem}`, key: `${tls.keyPem}` });
    hostile.on("stream", (stream) => {
      stream.on("error", () => {});
      stream.respond({ ":status": 200, "content-type": "application/grpc", ...sent });
      stream.end();
    });
    hostile.listen(0, "127.0.0.1");
    await once(hostile, "listening");
    hostilePort = (hostile.address() as AddressInfo).port;
  });
  after(async () => {
    await consortium.close();
    hostile.close();
  });

  async function tlsOf(id: string) {
    return consortium.authority.tls(await consortium.certificateOf("participant", id));
  }

  test("are refused with a reason, and others served on the same connection", async () => {
    const caller = await RawCaller.dial(port, await tlsOf("participant-1"), 65_535);
    const refused = caller.call(getStatus, { headers: { "x-bin": ",".repeat(1_000) } });
    const [headers] = await once(refused, "response");
    assert.equal(headers["grpc-status"], "3");
    assert.match(headers["grpc-message"], /headers%20are%20longer/);
    assert.equal(answered, 0);
    const served = caller.call(getStatus, { headers: { authorization: "x".repeat(8_000) } });
    await once(served, "response");
    assert.equal(answered, 1);
    caller.close();
  });

  test("end the call before it is made when the limit is confirmed", async () => {
    const caller = await RawCaller.dial(port, await tlsOf("participant-1"), 65_535);
    const stream = caller.call(getStatus, { headers: { "x-long": "x".repeat(20_000) } });
    const [error] = await once(stream, "error");
    assert.match(error.message, /ENHANCE_YOUR_CALM/);
    caller.close();
  });

  test("make no values when the limit is not confirmed", async () => {
    const before = answered;
    const { certPem, keyPem, caPem } = await tlsOf("participant-1");
    const files = { cert: `${certPem}`, key: `${keyPem}`, ca: `${caPem}` };
    const checkServerIdentity = () => undefined;
    const socket = connect({ port, ...files, checkServerIdentity, ALPNProtocols: ["h2"] });
    await once(socket, "secureConnect");
    let received = Buffer.alloc(0);
    socket.on("data", (data) => {
      received = Buffer.concat([received, data]);
    });
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    socket.write(http2Frame(4, 0, 0, Buffer.alloc(0)));
    const base = Object.entries({
      ":method": "POST",
      ":scheme": "https",
      ":path": `/${getStatus}`,
      ":authority": "x",
      te: "trailers",
      "content-type": "application/grpc",
    }).map(([name, value]) => literal(name, value, false));
    const rssBytes = process.memoryUsage().rss;
    for (let i = 0; i < bombs; i++) {
      // The first puts the header into the table, the others refer to it.
      const last = i === 0 ? literal("x-bin", commas, true) : Buffer.alloc(57, 0x80 | 62);
      socket.write(http2Frame(1, 4, 2 * i + 1, Buffer.concat([...base, last])));
    }
    await until(() => answersIn(received) === bombs);
    assert.equal(answered, before);
    assert.ok(process.memoryUsage().rss - rssBytes < 400 * 2 ** 20);
    socket.destroy();
  });

  for (const [what, headers] of Object.entries({
    "headers of an answer": { "x-bin": commas },
    "trailers of an answer": { "grpc-status": "0", "x-bin": commas },
  })) {
    test(`fail the call as ${what}`, async () => {
      sent = headers;
      const address = `127.0.0.1:${hostilePort}`;
      const channel = await consortium.connect(address, "participant", "participant-1");
      const error = await rpcErrorFrom(createClient(QueryService, channel).getStatus({}));
      assert.equal(error.status, "UNKNOWN");
    });
  }
});
