import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, test } from "node:test";
import { createMetrics } from "../../../src/metrics/metrics.js";
import { type MetricsServer, startMetricsServer } from "../../../src/metrics/metrics-server.js";

const metrics = createMetrics({
  role: "storage",
  nodeId: "storage-1",
  consortium: "valley",
  processMetrics: false,
});

describe("the metrics server", () => {
  let server: MetricsServer;
  let renderings: number;

  beforeEach(async () => {
    renderings = 0;
    server = await startMetricsServer(
      {
        contentType: metrics.contentType,
        exposition: () => {
          renderings += 1;
          return metrics.exposition();
        },
      },
      { port: 0 },
    );
  });
  afterEach(() => server.close());

  test("serves the metrics in Prometheus' text format", async () => {
    const response = await fetch(url("/metrics"));
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert.match(
      await response.text(),
      /^# HELP bss_height .+\n# TYPE bss_height gauge\nbss_height{consortium="valley"} 0$/m,
    );
  });

  test("says that the process is alive", async () => {
    const response = await fetch(url("/healthz?verbose=1"));
    assert.equal(response.status, 200);
    assert.equal(await response.text(), "ok\n");
  });

  for (const path of [
    "/",
    "/metrics/",
    "/metricsx",
    "//metrics",
    "/../metrics/x",
    "/favicon.ico",
  ]) {
    test(`has nothing at ${path}`, async () => {
      assert.equal((await rawRequest("GET", path)).status, 404);
    });
  }

  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"]) {
    test(`refuses ${method}`, async () => {
      const response = await rawRequest(method, "/metrics");
      assert.equal(response.status, 405);
      assert.equal(response.headers.allow, "GET, HEAD");
      assert.equal(renderings, 0);
    });
  }

  test("answers HEAD without a body", async () => {
    const response = await fetch(url("/metrics"), { method: "HEAD" });
    assert.equal(response.status, 200);
    assert.equal(await response.text(), "");
  });

  test("listens on loopback unless told otherwise", async () => {
    const socket = connect({ host: "127.0.0.1", port: server.port });
    await once(socket, "connect");
    assert.equal(socket.remoteAddress, "127.0.0.1");
    socket.destroy();
    const elsewhere = connect({ host: "127.0.0.2", port: server.port });
    const connected = once(elsewhere, "connect").then(() => "connected");
    const outcome = await Promise.race([connected, once(elsewhere, "close")]).catch(
      () => "refused",
    );
    elsewhere.destroy();
    assert.equal(outcome, "refused");
  });

  test("refuses headers that are too long", async () => {
    const response = await rawRequest("GET", "/metrics", { "x-long": "a".repeat(16 * 1024) });
    assert.equal(response.status, 431);
  });

  test("renders once for scrapes that come together", async () => {
    const socket = connect({ host: "127.0.0.1", port: server.port });
    await once(socket, "connect");
    const get = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const last = get.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    socket.write(get + get + last);
    let text = "";
    for await (const chunk of socket) text += chunk;
    assert.equal(text.split("HTTP/1.1 200 OK").length - 1, 3);
    assert.equal(renderings, 1);
  });

  test("ends open connections when it is closed, and frees its port", {
    timeout: 120_000,
  }, async () => {
    const halfway = connect({ host: "127.0.0.1", port: server.port });
    const ended = once(halfway, "close");
    halfway.write("GET /metrics HTTP/1.1\r\nHost: loc");
    await fetch(url("/healthz"));
    await server.close();
    await ended;
    await server.close();
    const next = await startMetricsServer(metrics, { port: server.port });
    await next.close();
  });

  test("answers while others hold connections open", async () => {
    const sockets = [];
    for (let i = 0; i < 40; i++) {
      const socket = connect({ host: "127.0.0.1", port: server.port });
      socket.on("error", () => {});
      sockets.push(socket);
      await once(socket, "connect");
      socket.write("GET /metrics HTTP/1.1\r\nHost: loc");
    }
    // The first gives way to one that comes later.
    const [first] = sockets;
    if (first !== undefined && !first.closed) await once(first, "close");
    assert.equal((await fetch(url("/metrics"))).status, 200);
    for (const socket of sockets) socket.destroy();
  });

  test("says which address is taken and what to change", async () => {
    await assert.rejects(startMetricsServer(metrics, { port: server.port }), {
      message: `the metrics server cannot listen on 127.0.0.1:${server.port} (EADDRINUSE)`,
      next: "change metrics.host or metrics.port in the node's config.yaml",
    });
  });

  function url(path: string): string {
    return `http://127.0.0.1:${server.port}${path}`;
  }

  /** fetch() normalises paths and forbids TRACE; this sends what it is given. */
  async function rawRequest(method: string, path: string, headers: Record<string, string> = {}) {
    const sent = request({ host: "127.0.0.1", port: server.port, method, path, headers });
    sent.end();
    const [response] = await once(sent, "response");
    response.resume();
    return { status: response.statusCode, headers: response.headers };
  }
});

test("a scrape that fails gives 500 and no detail, and the next one works", async () => {
  let broken = true;
  const server = await startMetricsServer(
    {
      contentType: metrics.contentType,
      exposition: async () => {
        if (broken) throw new Error("secret detail");
        return "fine 1\n";
      },
    },
    { port: 0 },
  );
  const failed = await fetch(`http://127.0.0.1:${server.port}/metrics`);
  assert.equal(failed.status, 500);
  assert.doesNotMatch(await failed.text(), /secret/);
  broken = false;
  const fine = await fetch(`http://127.0.0.1:${server.port}/metrics`);
  assert.equal(await fine.text(), "fine 1\n");
  await server.close();
});

test("a scrape in progress is not cut, however many others connect", async () => {
  let rendered = (_text: string) => {};
  const text = new Promise<string>((resolve) => {
    rendered = resolve;
  });
  let asked = () => {};
  const begun = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const exposition = () => {
    asked();
    return text;
  };
  const { contentType } = metrics;
  const server = await startMetricsServer({ exposition, contentType }, { port: 0 });
  const scrape = fetch(`http://127.0.0.1:${server.port}/metrics`);
  await begun;
  const sockets = [];
  for (let i = 0; i < 40; i++) {
    const socket = connect({ host: "127.0.0.1", port: server.port });
    socket.on("error", () => {});
    sockets.push(socket);
    await once(socket, "connect");
  }
  const [first] = sockets;
  if (first !== undefined && !first.closed) await once(first, "close");
  rendered("bss_height 1\n");
  assert.equal(await (await scrape).text(), "bss_height 1\n");
  for (const socket of sockets) socket.destroy();
  await server.close();
});
