import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { after, before, beforeEach, describe, test } from "node:test";
import { BroadcastService } from "../../../src/gen/bss/v1/broadcast_pb.js";
import { ReconnectingStream } from "../../../src/rpc/channels/reconnecting-stream.js";
import { createClient } from "../../../src/rpc/channels/typed-client.js";
import { RpcError } from "../../../src/rpc/rpc-error.js";
import { RpcConsortium, until } from "../../support/rpc-consortium.js";

const connectTimeoutMs = 1_000;

/** Accepts connections: the first few come to nothing, the others reach the server. */
describe("a connection that is accepted and then comes to nothing", () => {
  let consortium: RpcConsortium;
  let door: Server;
  let address = "";
  let swallowed = 0;
  let swallowNext = 0;
  const sockets: Socket[] = [];

  before(async () => {
    consortium = await RpcConsortium.create();
    const { port } = await consortium.serve(BroadcastService, {
      submitStream: async (_context, stream) => {
        for await (const { requestId } of stream.messages) await stream.write({ requestId });
      },
    });
    door = createServer((socket) => {
      sockets.push(socket);
      socket.on("error", () => {});
      if (swallowed < swallowNext) {
        swallowed += 1;
        return;
      }
      const inner = connect({ host: "127.0.0.1", port });
      sockets.push(inner);
      inner.on("error", () => socket.destroy());
      inner.on("close", () => socket.destroy());
      socket.on("close", () => inner.destroy());
      socket.pipe(inner).pipe(socket);
    });
    door.listen({ host: "127.0.0.1", port: 0 });
    await once(door, "listening");
    const listening = door.address();
    assert(typeof listening === "object" && listening !== null);
    address = `127.0.0.1:${listening.port}`;
  });

  beforeEach(() => {
    swallowed = 0;
  });

  after(async () => {
    for (const socket of sockets) socket.destroy();
    door.close();
    await consortium.close();
  });

  const dial = () =>
    consortium.connect(address, "participant", "participant-1", { connectTimeoutMs });

  test("is given up, and a call that waits for it fails as one that can be repeated", async () => {
    swallowNext = 1;
    const client = createClient(BroadcastService, await dial());
    const attempt = () => {
      const stream = client.submitStream();
      stream.offer({ requestId: 7n });
      return stream;
    };
    let stream = attempt();
    let failures = 0;
    // On a busy machine a connection that works may take too long as well.
    for (; !(await isOpen(stream.opened)); stream = attempt()) failures += 1;
    assert.ok(failures > 0);
    assert.equal(swallowed, 1);
    for await (const { requestId } of stream.messages) {
      assert.equal(requestId, 7n);
      break;
    }
    stream.cancel();
  });

  test("does not keep a reconnecting stream down, however often it happens", async () => {
    swallowNext = 3;
    const client = createClient(BroadcastService, await dial());
    const answers: bigint[] = [];
    const link = new ReconnectingStream({
      open: () => client.submitStream(),
      backoff: { initialMs: 5, maxMs: 50 },
      onMessage: ({ requestId }) => void answers.push(requestId),
    });
    link.send({ requestId: 1n });
    await until(() => answers.length > 0);
    assert.equal(swallowed, 3);
    await link.close();
  });
});

/** False when it failed as what can be repeated. */
async function isOpen(opened: Promise<void>): Promise<boolean> {
  try {
    await opened;
    return true;
  } catch (error) {
    assert.ok(error instanceof RpcError);
    assert.equal(error.reason, "NODE_UNREACHABLE");
    return false;
  }
}
