/** What a server may do to its callers: nothing but fail their calls. */
import assert from "node:assert/strict";
import { createSecureServer, type Http2SecureServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { QueryService } from "../../../src/gen/bss/v1/query_pb.js";
import { VoteService } from "../../../src/gen/bss/v1/vote_pb.js";
import { createClient } from "../../../src/rpc/channels/typed-client.js";
import { RpcConsortium, rpcErrorFrom } from "../../support/rpc-consortium.js";

const MiB = 2 ** 20;

function frame(message: Uint8Array, flag = 0): Buffer {
  const header = Buffer.alloc(5);
  header[0] = flag;
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

/** An answer with `count` empty messages in its first field. */
function empties(tag: number, count: number): Buffer {
  return Buffer.alloc(2 * count, Buffer.of(tag, 0));
}

describe("a hostile server", () => {
  let consortium: RpcConsortium;
  let server: Http2SecureServer;
  let answer: (stream: ServerHttp2Stream) => void = () => {};

  before(async () => {
    consortium = await RpcConsortium.create();
    const tls = consortium.authority.tls(await consortium.certificateOf("manager", "manager-1"));
    server = createSecureServer({ cert: `${tls.certPem}`, key: `${tls.keyPem}` });
    server.on("stream", (stream) => {
      stream.on("error", () => {});
      answer(stream);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  after(async () => {
    await consortium.close();
    server.close();
  });

  async function channel() {
    const { port } = server.address() as AddressInfo;
    return consortium.connect(`127.0.0.1:${port}`, "participant", "participant-1");
  }

  function answerWith(frames: readonly Buffer[], encoding = "identity"): void {
    answer = (stream) => {
      const headers = { ":status": 200, "content-type": "application/grpc" };
      stream.respond({ ...headers, "grpc-encoding": encoding }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      for (const each of frames) stream.write(each);
      stream.end();
    };
  }

  test("cannot make its caller decode millions of empty messages", async () => {
    const client = createClient(QueryService, await channel());
    answerWith([frame(empties(0x0a, 1_000_000))]);
    const heapBytes = process.memoryUsage().heapUsed;
    const error = await rpcErrorFrom(client.listRecords({}));
    assert.equal(error.reason, "MESSAGE_TOO_COMPLEX");
    assert.ok(process.memoryUsage().heapUsed - heapBytes < 100 * MiB);
  });

  test("cannot do so in a stream between nodes", async () => {
    const stream = createClient(VoteService, await channel()).vote();
    const blocks = empties(0x0a, 1_000_000);
    const length = [0x80 | (blocks.length & 0x7f), 0x80 | ((blocks.length >> 7) & 0x7f)];
    const head = Buffer.of(0x12, ...length, blocks.length >> 14);
    answerWith([frame(Buffer.concat([head, blocks]))]);
    const read = async () => {
      for await (const _ of stream.messages) assert.fail("a message was decoded");
    };
    assert.equal((await rpcErrorFrom(read())).reason, "MESSAGE_TOO_COMPLEX");
    stream.cancel();
  });

  test("is cut off where what it compressed grows beyond a message", async () => {
    const client = createClient(QueryService, await channel());
    answerWith([frame(gzipSync(Buffer.alloc(64 * MiB)), 1)], "gzip");
    const error = await rpcErrorFrom(client.getStatus({}));
    assert.equal(error.reason, "MESSAGE_TOO_LARGE");
  });

  test("gets nothing buffered by announcing more than a message may have", async () => {
    const client = createClient(QueryService, await channel());
    answer = (stream) => {
      stream.respond({ ":status": 200, "content-type": "application/grpc" });
      stream.write(Buffer.of(0, 0xff, 0xff, 0xff, 0xff));
    };
    const error = await rpcErrorFrom(client.getStatus({}, { timeoutMs: 10_000 }));
    assert.equal(error.reason, "MESSAGE_TOO_LARGE");
  });

  test("makes its errors no larger than one is", async () => {
    const client = createClient(QueryService, await channel());
    const details = empties(0x1a, 5_000).toString("base64").replaceAll("=", "");
    answer = (stream) => {
      const status = { "grpc-status": "3", "grpc-message": "no" };
      const headers = { ":status": 200, "content-type": "application/grpc" };
      const sent = { ...headers, ...status, "grpc-status-details-bin": details };
      stream.respond(sent, { endStream: true });
    };
    const error = await rpcErrorFrom(client.getStatus({}));
    assert.deepEqual([error.status, error.metadata], ["INVALID_ARGUMENT", {}]);
  });
});
