/**
 * The HTTP face for Prometheus and for process supervisors: GET /metrics and GET /healthz, nothing
 * else. It has no authentication, so it listens on loopback unless it is told otherwise; put it on
 * a network that only the monitoring reaches. Metrics hold counts and node ids, never records or
 * keys.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Metrics } from "./metrics.js";

const headerBytesMax = 8 * 1024;
const headersTimeoutMs = 5_000;
const requestTimeoutMs = 10_000;
const idleTimeoutMs = 5_000;
/** How often Node looks for connections past their timeouts; its default is 30 s. */
const checkIntervalMs = 1_000;
const connectionsMax = 32;
const requestsPerConnectionMax = 1_000;

class MetricsListenError extends Error {
  override readonly name = "MetricsListenError";
  /** What the node's operator can do. */
  readonly next = "change metrics.host or metrics.port in the node's config.yaml";
}

interface MetricsServerOptions {
  /** Loopback by default. */
  readonly host?: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

export interface MetricsServer {
  readonly port: number;
  /** Ends open connections and resolves once the port is free; may be called again. */
  close(): Promise<void>;
}

/** Rejects with a message that names the address and what to change when it cannot listen there. */
export async function startMetricsServer(
  metrics: Pick<Metrics, "exposition" | "contentType">,
  { host = "127.0.0.1", port }: MetricsServerOptions,
): Promise<MetricsServer> {
  const render = sharedRendering(metrics);
  const limits = { maxHeaderSize: headerBytesMax, connectionsCheckingInterval: checkIntervalMs };
  const server = createServer(limits, (request, response) => {
    void answer(request, response, render, metrics.contentType);
  });
  server.headersTimeout = headersTimeoutMs;
  server.requestTimeout = requestTimeoutMs;
  server.keepAliveTimeout = idleTimeoutMs;
  server.timeout = requestTimeoutMs;
  boundConnections(server);
  server.maxRequestsPerSocket = requestsPerConnectionMax;
  await listen(server, host, port);
  return { port: (server.address() as AddressInfo).port, close: () => close(server) };
}

/**
 * Bounds the number of connections. The oldest one without a request in progress gives way: so idle
 * connections cannot keep a scrape out, and many new ones do not cut a scrape that is in progress.
 */
function boundConnections(server: Server): void {
  const open = new Set<Socket>();
  const answered = new Set<Socket>();
  server.on("connection", (socket) => {
    open.add(socket);
    socket.once("close", () => {
      open.delete(socket);
      answered.delete(socket);
    });
    if (open.size <= connectionsMax) return;
    const [oldest] = open;
    const idle = [...open].find((each) => !answered.has(each));
    (idle === socket ? oldest : idle)?.destroy();
  });
  server.on("request", ({ socket }: IncomingMessage, response: ServerResponse) => {
    answered.add(socket);
    response.once("close", () => answered.delete(socket));
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  render: () => Promise<string>,
  metricsType: string,
): Promise<void> {
  const plain = "text/plain; charset=utf-8";
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("Allow", "GET, HEAD");
    return end(response, 405, plain, "only GET and HEAD\n");
  }
  const path = (request.url ?? "").split("?", 1)[0];
  if (path === "/healthz") return end(response, 200, plain, "ok\n");
  if (path !== "/metrics") return end(response, 404, plain, "see /metrics and /healthz\n");
  try {
    end(response, 200, metricsType, await render());
  } catch {
    end(response, 500, plain, "the metrics could not be collected\n");
  }
}

function end(response: ServerResponse, status: number, type: string, body: string): void {
  // A refused request may have a body that nobody reads: the connection ends with the answer.
  if (status >= 400) response.setHeader("Connection", "close");
  response.writeHead(status, {
    "Content-Type": type,
    "Content-Length": Buffer.byteLength(body),
    "X-Content-Type-Options": "nosniff",
  });
  response.end(body);
}

/** Scrapes that arrive while one is being rendered share its text. */
function sharedRendering(metrics: Pick<Metrics, "exposition">): () => Promise<string> {
  let rendering: Promise<string> | undefined;
  return () => {
    rendering ??= metrics.exposition().finally(() => {
      rendering = undefined;
    });
    return rendering;
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    // Stays on: a failing accept later must not stop the node.
    server.on("error", (cause) => {
      const why = "code" in cause ? cause.code : cause.message;
      const what = `the metrics server cannot listen on ${host}:${port} (${why})`;
      reject(new MetricsListenError(what, { cause }));
    });
    server.listen({ host, port }, resolve);
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
