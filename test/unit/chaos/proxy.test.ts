import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { after, afterEach, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { TcpProxy } from "../../chaos/proxy.js";

/** Long enough for bytes that are not held back to arrive, on any machine. */
const whileMs = 150;

describe("a proxy", () => {
  let server: Server;
  let proxy: TcpProxy;
  const clients: Socket[] = [];

  before(async () => {
    // Echoes, and closes when the other side does.
    server = createServer((socket) => {
      socket.on("error", () => {});
      socket.pipe(socket);
    });
    server.listen({ host: "127.0.0.1", port: 0 });
    await once(server, "listening");
    const address = server.address();
    assert(typeof address === "object" && address !== null);
    proxy = await TcpProxy.open({ host: "127.0.0.1", port: address.port });
  });

  afterEach(() => {
    for (const client of clients.splice(0)) client.destroy();
    for (const way of ["up", "down"] as const) {
      proxy.setStalled(way, false);
      proxy.setDelay(way, 0);
    }
    proxy.setRefusing(false);
  });

  after(() => {
    proxy.close();
    server.close();
  });

  async function dial() {
    const [host = "", port = ""] = proxy.address.split(":");
    const socket = connect({ host, port: Number(port) });
    clients.push(socket);
    let text = "";
    let ended: "reset" | "end" | undefined;
    socket.on("data", (chunk) => {
      text += String(chunk);
    });
    socket.on("error", () => {
      ended = "reset";
    });
    socket.on("end", () => {
      ended ??= "end";
    });
    const until = async (isSo: () => boolean) => {
      while (!isSo()) await sleep(5);
    };
    return { socket, text: () => text, ended: () => ended, until };
  }

  test("passes bytes on, both ways, in order, and the end after them", async () => {
    const client = await dial();
    for (let i = 0; i < 100; i++) client.socket.write(`${i},`);
    client.socket.end();
    await client.until(() => client.ended() !== undefined);
    assert.equal(client.text(), Array.from({ length: 100 }, (_, i) => `${i},`).join(""));
    assert.equal(client.ended(), "end");
  });

  for (const way of ["up", "down"] as const) {
    test(`holds back what goes ${way}, and loses nothing of it`, async () => {
      const client = await dial();
      client.socket.write("a");
      await client.until(() => client.text() === "a");
      proxy.setStalled(way, true);
      client.socket.write("b");
      await sleep(whileMs);
      assert.equal(client.text(), "a");
      const later = await dial();
      later.socket.write("c");
      await sleep(whileMs);
      assert.equal(later.text(), "", "a new connection is held back too");
      proxy.setStalled(way, false);
      await client.until(() => client.text() === "ab");
      await later.until(() => later.text() === "c");
    });
  }

  test("delivers late what is delayed, in order", async () => {
    proxy.setDelay("up", whileMs);
    const client = await dial();
    const startMs = performance.now();
    client.socket.write("a");
    await sleep(whileMs / 3);
    client.socket.write("b");
    await client.until(() => client.text() === "ab");
    // Timers may come a little early.
    assert.ok(performance.now() - startMs > whileMs - 5);
  });

  test("delivers what is delayed, and the end after it, when the sender has gone", async () => {
    proxy.setDelay("down", whileMs);
    const client = await dial();
    client.socket.end("a");
    await client.until(() => client.ended() !== undefined);
    assert.deepEqual([client.text(), client.ended()], ["a", "end"]);
  });

  test("makes a sender wait when it holds too much back", async () => {
    proxy.setStalled("up", true);
    const client = await dial();
    const chunk = Buffer.alloc(1024 * 1024, "x");
    for (let i = 0; i < 32; i++) client.socket.write(chunk);
    await sleep(whileMs);
    assert(client.socket.writableLength > 0);
    proxy.setStalled("up", false);
    await client.until(() => client.text().length === 32 * chunk.length);
  });

  test("breaks connections, and refuses new ones until it is told not to", async () => {
    const client = await dial();
    client.socket.write("a");
    await client.until(() => client.text() === "a");
    proxy.setRefusing(true);
    await client.until(() => client.ended() === "reset");
    const refused = await dial();
    await refused.until(() => refused.ended() !== undefined);
    proxy.setRefusing(false);
    const again = await dial();
    again.socket.write("b");
    await again.until(() => again.text() === "b");
  });
});
