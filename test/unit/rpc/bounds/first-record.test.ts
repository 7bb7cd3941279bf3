/** When a connection is handed over to TLS: over real sockets, whose buffers it is about. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { after, before, beforeEach, describe, test } from "node:test";
import { awaitFirstRecord } from "../../../../src/rpc/bounds/first-record.js";
import { until } from "../../../support/rpc-consortium.js";

const content = Buffer.alloc(300, 7);
/** A handshake record of TLS. */
const record = Buffer.concat([Buffer.from([22, 3, 1, content.length >> 8, 44]), content]);

/** A record that is given out too early would be waited for without an end. */
const timeout = 20_000;

describe("a connection's first record", { timeout }, () => {
  let server: Server;
  let timeoutMs = 60_000;
  let accepted: Promise<Socket>;
  let came: Buffer[] = [];
  let silent = 0;
  const open: Socket[] = [];

  before(async () => {
    server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  beforeEach(() => {
    timeoutMs = 60_000;
    came = [];
    silent = 0;
  });
  after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });

  async function dial(): Promise<Socket> {
    const { port } = server.address() as { readonly port: number };
    accepted = once(server, "connection").then(([other]: Socket[]) => {
      assert.ok(other);
      open.push(other);
      awaitFirstRecord(other, {
        timeoutMs,
        onCome: () => came.push(other.read() ?? Buffer.alloc(0)),
        onSilent: () => {
          silent += 1;
        },
      });
      return other;
    });
    const socket = connect(port, "127.0.0.1").setNoDelay();
    open.push(socket);
    await accepted;
    return socket;
  }

  /** Writes, and waits until that has been read at the other end. */
  async function send(socket: Socket, bytes: Buffer): Promise<void> {
    const other = await accepted;
    const all = other.bytesRead + bytes.length;
    socket.write(bytes);
    await until(() => other.bytesRead >= all);
    await new Promise(setImmediate);
  }

  test("is awaited in as many pieces as it comes in, and given out whole", async () => {
    const socket = await dial();
    for (const [from, to] of [
      [0, 1],
      [1, 4],
      [4, 5],
      [5, record.length - 1],
    ] as const) {
      await send(socket, record.subarray(from, to));
      assert.equal(came.length, 0, `after ${to} bytes`);
    }
    await send(socket, record.subarray(-1));
    assert.deepEqual(came, [record]);
  });

  test("is given out with what comes behind it", async () => {
    const socket = await dial();
    const all = Buffer.concat([record, record.subarray(0, 9)]);
    await send(socket, all);
    assert.deepEqual(came, [all]);
  });

  test("is not awaited of what is no handshake, or too long for one", async () => {
    for (const bytes of [Buffer.from("GET"), Buffer.from([22, 3, 1, 0x40, 1])]) {
      came = [];
      const socket = await dial();
      await send(socket, bytes);
      assert.deepEqual(came, [bytes]);
    }
  });

  test("that does not come is told once, and a reset is survived", async () => {
    timeoutMs = 20;
    const socket = await dial();
    await send(socket, record.subarray(0, 9));
    await until(() => silent > 0);
    const other = await accepted;
    const closed = new Promise((resolve) => other.once("close", resolve));
    socket.resetAndDestroy();
    await closed;
    assert.deepEqual([came.length, silent], [0, 1]);
  });
});
