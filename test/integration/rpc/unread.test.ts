import assert from "node:assert/strict";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, test } from "node:test";
import { QueryService } from "../../../src/gen/bss/v1/query_pb.js";
import type { ConnectionEnd } from "../../../src/rpc/bounds/server-connections.js";
import { createClient } from "../../../src/rpc/channels/typed-client.js";
import type { RpcServerOptions } from "../../../src/rpc/server/server.js";
import { RawCaller } from "../../support/raw-caller.js";
import { RpcConsortium, rpcErrorFrom, until } from "../../support/rpc-consortium.js";

const MiB = 2 ** 20;
const listBlocks = "bss.v1.QueryService/ListBlocks";
const watchBlocks = "bss.v1.QueryService/WatchBlocks";

describe("a server whose callers", () => {
  let consortium: RpcConsortium;
  let made = 0;
  let ended: ConnectionEnd[] = [];
  const callers: RawCaller[] = [];

  beforeEach(async () => {
    consortium = await RpcConsortium.create();
    made = 0;
    ended = [];
  });
  afterEach(async () => {
    for (const caller of callers.splice(0)) caller.close();
    await consortium.close();
  });

  function serve(options: Partial<RpcServerOptions> = {}) {
    const page = { block: { blockId: new Uint8Array(2 * MiB) } };
    const handlers = {
      getStatus: () => ({ height: 1n }),
      listBlocks: async () => {
        made += 1;
        return { blocks: [page.block] };
      },
      async *watchBlocks() {
        for (;;) {
          made += 1;
          yield page;
        }
      },
    };
    const onConnectionEnded = (cause: ConnectionEnd) => void ended.push(cause);
    return consortium.serve(QueryService, handlers, { onConnectionEnded, ...options });
  }

  async function rawCaller(
    port: number,
    id = "alice",
    windowBytes = 2 ** 31 - 1,
  ): Promise<RawCaller> {
    const certificate = await consortium.certificateOf("participant", id);
    const tls = consortium.authority.tls(certificate);
    const caller = await RawCaller.dial(port, tls, windowBytes);
    callers.push(caller);
    return caller;
  }

  /** It reads its connection, but takes next to nothing of an answer. */
  const narrowCaller = (port: number) => rawCaller(port, "alice", 65_535);

  test("read nothing of many calls holds no more than their share, and serves others", async () => {
    const { server, port, address } = await serve({ answers: { perClientBytesMax: 10 * MiB } });
    const caller = await rawCaller(port);
    for (let calls = 0; calls < 60; calls++) caller.call(listBlocks);
    caller.stopReading();
    await until(() => made >= 3);
    const client = createClient(
      QueryService,
      await consortium.connect(address, "auditor", "auditor-1"),
    );
    const { blocks } = await client.listBlocks({});
    assert.equal(blocks.length, 1);
    assert.ok(server.unreadAnswerBytes("clients") <= 10 * MiB);
    assert.ok(made < 10, `${made} answers were made`);
  });

  test("are told that they have too much unread, and when to try again", async () => {
    const { address } = await serve({ answers: { perClientBytesMax: 3 * MiB } });
    const client = createClient(
      QueryService,
      await consortium.connect(address, "participant", "alice"),
    );
    const error = await rpcErrorFrom(client.listBlocks({}));
    assert.equal(error.reason, "ANSWERS_UNREAD");
    assert.equal(error.retryAfterMs, 1_000);
    assert.equal(made, 0);
  });

  test("read nothing of a stream makes one message of it", async () => {
    const { server, port } = await serve();
    const caller = await narrowCaller(port);
    caller.call(watchBlocks);
    await until(() => made > 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(made, 1);
    assert.ok(server.unreadAnswerBytes("clients") <= 3 * MiB);
  });

  test("answer pings, but take nothing, are cut and hold nothing any more", async () => {
    const { server, port } = await serve({ connections: { unreadSeconds: 1_000 } });
    const caller = await narrowCaller(port);
    caller.call(watchBlocks);
    await until(() => server.unreadAnswerBytes("clients") > 0);
    for (let sweeps = 0; sweeps < 998; sweeps++) server.sweep();
    assert.equal(ended.length, 0);
    for (let sweeps = 0; sweeps < 2; sweeps++) server.sweep();
    assert.ok(ended.includes("unread"));
    await until(() => server.unreadAnswerBytes("clients") + server.connections("clients") === 0);
  });

  test("take a long message slowly, but at the least rate, are left alone", async () => {
    const connections = { unreadSeconds: 1_000 };
    const { server, port } = await serve({ connections, answers: { bytesPerSecondMin: 1 } });
    const caller = await narrowCaller(port);
    const stream = caller.call(watchBlocks);
    await until(() => server.unreadAnswerBytes("clients") > 0);
    // A message is 2 MiB, of which some 64 KiB are taken at a time.
    for (let pieces = 0; pieces < 4; pieces++) {
      for (let sweeps = 0; sweeps < 900; sweeps++) server.sweep();
      await until(() => ended.length > 0 || stream.read() !== null);
    }
    assert.equal(ended.length, 0);
    assert.equal(made, 1);
    for (let sweeps = 0; sweeps < 2_000; sweeps++) server.sweep();
    assert.ok(ended.includes("unread"));
  });

  test("take nothing and answer no ping are cut when the ping has timed out", async () => {
    const limits = { keepaliveMs: 500, keepaliveTimeoutMs: 100 };
    const { server, port } = await serve({ limits });
    const caller = await rawCaller(port);
    for (let calls = 0; calls < 16; calls++) caller.call(listBlocks);
    caller.stopReading();
    await until(() => made >= 8);
    await until(() => {
      server.sweep();
      return server.connections("clients") + server.unreadAnswerBytes("clients") === 0;
    });
  });

  test("take nothing can be closed", async () => {
    const { server, port } = await serve({ connections: { endedSeconds: 1_000 } });
    for (const id of ["alice", "bob"]) {
      const caller = await rawCaller(port, id);
      for (let calls = 0; calls < 16; calls++) caller.call(listBlocks);
      caller.stopReading();
    }
    await until(() => made >= 8);
    await server.close(0);
    await until(() => server.connections("clients") + server.unreadAnswerBytes("clients") === 0);
  });

  test("say nothing can be closed", async () => {
    const { server, port } = await serve();
    const socket = connect({ host: "127.0.0.1", port });
    socket.on("error", () => {});
    await until(() => server.connections("strangers") === 1);
    await server.close(0);
    socket.destroy();
  });

  test("make no call are cut, whether or not TLS was begun", async () => {
    const { server, port } = await serve();
    const socket = connect({ host: "127.0.0.1", port });
    socket.on("error", () => {});
    const caller = await rawCaller(port);
    await until(() => server.connections("strangers") === 2);
    for (let sweeps = 0; sweeps < 20; sweeps++) server.sweep();
    assert.deepEqual(ended, ["silent", "silent"]);
    assert.equal(server.connections("strangers"), 0);
    await until(() => caller.closed);
    socket.destroy();
  });

  test("have as many connections as they may are refused with a reason", async () => {
    const { server, address } = await serve({ connections: { perClientMax: 1 } });
    const dial = async (role: "participant" | "manager") =>
      createClient(QueryService, await consortium.connect(address, role, "alice"));
    await (await dial("participant")).getStatus({});
    const error = await rpcErrorFrom((await dial("participant")).getStatus({}));
    assert.equal(error.reason, "CONNECTIONS_EXHAUSTED");
    assert.equal(error.status, "RESOURCE_EXHAUSTED");
    assert.equal(error.retryAfterMs, 5_000);
    assert.deepEqual(ended, ["share"]);
    for (let sweeps = 0; sweeps < 2; sweeps++) server.sweep();
    assert.equal(server.connections("strangers"), 0);
    // A peer's place is its own.
    await (await dial("manager")).getStatus({});
    assert.equal(server.connections("clients"), 1);
    assert.equal(server.connections("managers"), 1);
  });

  test("are strangers in numbers leave room for those who are known", async () => {
    const connections = { strangersMax: 4, strangersPerAddressMax: 4 };
    const { server, port, address } = await serve({ connections });
    const sockets = Array.from({ length: 20 }, () => {
      const socket = connect({ host: "127.0.0.1", port });
      return socket.on("error", () => {});
    });
    await until(() => ended.length >= 16);
    assert.ok(server.connections("strangers") <= 4);
    const client = createClient(
      QueryService,
      await consortium.connect(address, "storage", "node-1"),
    );
    await client.getStatus({});
    assert.equal(server.connections("storageNodes"), 1);
    for (const socket of sockets) socket.destroy();
  });
});
