import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as tcpConnect } from "node:net";
import { after, before, describe, test } from "node:test";
import { connect as tlsConnect } from "node:tls";
import { BroadcastService } from "../../../src/gen/bss/v1/broadcast_pb.js";
import { Health } from "../../../src/gen/grpc/health/v1/health_pb.js";
import type { RpcChannel } from "../../../src/rpc/channels/channel.js";
import {
  type LinkState,
  ReconnectingStream,
} from "../../../src/rpc/channels/reconnecting-stream.js";
import { createClient } from "../../../src/rpc/channels/typed-client.js";
import type { RpcError } from "../../../src/rpc/rpc-error.js";
import type { CallContext } from "../../../src/rpc/server/handlers.js";
import type { RpcServer } from "../../../src/rpc/server/server.js";
import { RpcConsortium, until } from "../../support/rpc-consortium.js";

const backoff = { initialMs: 5, maxMs: 50 };

describe("a reconnecting stream", () => {
  let consortium: RpcConsortium;
  let channel: RpcChannel;
  let server: RpcServer;
  let port = 0;
  /** Request ids that the server has got, over all of its lives. */
  let got: bigint[] = [];
  let opened = 0;

  async function startServer(): Promise<void> {
    server = (await consortium.server()).implement(BroadcastService, {
      submitStream: async (_context, stream) => {
        opened += 1;
        for await (const { requestId } of stream.messages) {
          got.push(requestId);
          await stream.write({ requestId });
        }
      },
    });
    ({ port } = await server.listen({ host: "127.0.0.1", port }));
  }

  before(async () => {
    consortium = await RpcConsortium.create();
    await startServer();
    channel = await consortium.connect(`127.0.0.1:${port}`, "participant", "participant-1");
  });
  after(() => consortium.close());

  function open() {
    return createClient(BroadcastService, channel).submitStream();
  }

  test("keeps order and states through restarts of the server", async () => {
    got = [];
    const states: LinkState[] = [];
    const answers: bigint[] = [];
    const link = new ReconnectingStream({
      open,
      backoff,
      onMessage: ({ requestId }) => {
        answers.push(requestId);
      },
      onStateChange: (state) => states.push(state),
    });
    link.send({ requestId: 1n });
    await until(() => answers.length === 1);
    for (const round of [1n, 2n]) {
      const before = states.filter((state) => state === "connected").length;
      await server.close(0);
      await until(() => states.at(-1) !== "connected");
      link.send({ requestId: 10n * round });
      link.send({ requestId: 10n * round + 1n });
      await startServer();
      await until(() => answers.includes(10n * round + 1n));
      assert.ok(states.filter((state) => state === "connected").length > before);
    }
    await link.close();
    assert.deepEqual(answers, [1n, 10n, 11n, 20n, 21n]);
    assert.deepEqual(got, answers);
    assert.equal(link.state, "closed");
    assert.equal(states.at(-1), "closed");
    assert.equal(link.send({ requestId: 99n }), false);
    assert.equal(link.dropped, 0);
  });

  test("drops the oldest and counts it when nobody is there for long", async () => {
    got = [];
    await server.close(0);
    let told = 0;
    const link = new ReconnectingStream({
      open,
      backoff,
      onMessage: () => {},
      queueMessagesMax: 3,
      onDropped: (messages) => {
        told += messages;
      },
    });
    await until(() => link.state === "disconnected");
    for (const requestId of [1n, 2n, 3n, 4n, 5n]) assert.equal(link.send({ requestId }), true);
    assert.equal(link.queueLength, 3);
    assert.equal(link.dropped, 2);
    assert.equal(told, 2);
    await startServer();
    await until(() => got.length === 3);
    assert.deepEqual(got, [3n, 4n, 5n]);
    await link.close();
  });

  test("greets first on every connection", async () => {
    got = [];
    const link = new ReconnectingStream({
      open,
      backoff,
      onMessage: () => {},
      greeting: () => [{ requestId: 1000n }],
    });
    link.send({ requestId: 1n });
    await until(() => got.length === 2);
    await server.close(0);
    await until(() => link.state !== "connected");
    link.send({ requestId: 2n });
    await startServer();
    await until(() => got.length === 4);
    assert.deepEqual(got, [1000n, 1n, 1000n, 2n]);
    await link.close();
  });

  test("says why it is not connected, and keeps trying", async () => {
    const causes: (RpcError | undefined)[] = [];
    const storage = await consortium.connect(`127.0.0.1:${port}`, "storage", "storage-1");
    const link = new ReconnectingStream({
      open: () => createClient(BroadcastService, storage).submitStream(),
      backoff,
      onMessage: () => {},
      onStateChange: (state, cause) => {
        if (state === "disconnected") causes.push(cause);
      },
    });
    await until(() => causes.length >= 3);
    assert.ok(causes.every((cause) => cause?.reason === "ROLE_NOT_ALLOWED"));
    await link.close();
  });

  test("starts over when a message cannot be handled", async () => {
    const before = opened;
    const causes: (RpcError | undefined)[] = [];
    const link = new ReconnectingStream({
      open,
      backoff,
      onMessage: () => {
        throw new Error("cannot handle it");
      },
      onStateChange: (state, cause) => {
        if (state === "disconnected") causes.push(cause);
      },
    });
    link.send({ requestId: 1n });
    await until(() => causes.length > 0 && opened >= before + 2);
    assert.match(causes[0]?.message ?? "", /cannot handle it/);
    await link.close();
  });

  test("handles one message after the other", async () => {
    let running = 0;
    let runningMax = 0;
    let handled = 0;
    const link = new ReconnectingStream({
      open,
      backoff,
      onMessage: async () => {
        running += 1;
        runningMax = Math.max(running, runningMax);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        handled += 1;
      },
    });
    for (let requestId = 0n; requestId < 100n; requestId++) link.send({ requestId });
    await until(() => handled === 100);
    assert.equal(runningMax, 1);
    await link.close();
  });

  test("can be closed while it waits for the next attempt", async () => {
    await server.close(0);
    const link = new ReconnectingStream({
      open,
      backoff: { initialMs: 3_600_000, maxMs: 3_600_000 },
      onMessage: () => {},
    });
    await until(() => link.state === "disconnected");
    await link.close();
    assert.equal(link.state, "closed");
    await startServer();
  });
});

describe("a server that closes", () => {
  const timeout = 300_000;
  // No keepalive ends a connection: only closing the server does.
  const keepaliveMs = 3_600_000;
  const limits = { keepaliveMs };

  test("lets a running call end", { timeout }, async () => {
    const consortium = await RpcConsortium.create();
    let finish = () => {};
    let started = false;
    const submit = () => {
      started = true;
      return new Promise<object>((resolve) => {
        finish = () => resolve({});
      });
    };
    const { server, address } = await consortium.serve(BroadcastService, { submit }, { limits });
    const channel = await consortium.connect(address, "participant", "p-1", { keepaliveMs });
    const running = createClient(BroadcastService, channel).submit({});
    await until(() => started);
    const closing = server.close(2 * timeout);
    finish();
    await running;
    await closing;
    await consortium.close();
  });

  test("ends open streams after the grace", { timeout }, async () => {
    const consortium = await RpcConsortium.create();
    const submitStream = (context: CallContext) =>
      new Promise<void>((resolve) => context.signal.addEventListener("abort", () => resolve()));
    const handlers = { submitStream };
    const { server, address } = await consortium.serve(BroadcastService, handlers, { limits });
    const channel = await consortium.connect(address, "participant", "p-1", { keepaliveMs });
    const stream = createClient(BroadcastService, channel).submitStream();
    await stream.opened;
    await server.close(100);
    const read = async () => {
      for await (const _ of stream.messages);
    };
    await assert.rejects(read());
    await consortium.close();
  });

  test("ends a connection that finishes its handshake afterwards", { timeout }, async () => {
    const consortium = await RpcConsortium.create();
    const { server, port } = await consortium.serve(BroadcastService, {}, { limits });
    const certificate = await consortium.certificateOf("participant", "participant-1");
    const { certPem: cert, keyPem: key, caPem: ca } = consortium.authority.tls(certificate);
    const socket = tcpConnect({ host: "127.0.0.1", port });
    await once(socket, "connect");
    // The server has accepted the connection once it answers another one.
    const channel = await consortium.connect(`127.0.0.1:${port}`, "participant", "participant-1");
    await createClient(Health, channel).check({}, { timeoutMs: timeout });
    channel.close();
    const closing = server.close(0);
    const secure = tlsConnect({
      socket,
      cert: Buffer.from(cert),
      key: Buffer.from(key),
      ca: Buffer.from(ca),
      ALPNProtocols: ["h2"],
      checkServerIdentity: () => undefined,
    });
    secure.on("error", () => {});
    secure.resume();
    await closing;
    secure.destroy();
  });
});
