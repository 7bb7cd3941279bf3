/**
 * Puts a server's connections under watch before TLS sees them. grpc-js keeps its HTTP/2 servers to
 * itself and offers no place for this.
 */
import { EventEmitter } from "node:events";
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { Server } from "@grpc/grpc-js";
import { assert } from "../../base/assert.js";
import type { ConnectionEnds, Connections } from "./connections.js";

/** The HTTP/2 servers of a gRPC server that is bound: one for each address. */
export function http2ServersOf(server: Server): readonly EventEmitter[] {
  const inner: unknown = Reflect.get(server, "http2Servers");
  assert(inner instanceof Map && inner.size > 0, "grpc-js lists its HTTP/2 servers");
  const servers = [...inner.keys()];
  assert(
    servers.every((each) => each instanceof EventEmitter),
    "these are Node's",
  );
  return servers;
}

/**
 * Tells of requests that never become calls: grpc-js answers them itself, before any interceptor.
 *
 * @param paths those of the server's methods
 */
export function watchOtherRequests(
  server: Server,
  paths: ReadonlySet<string>,
  onOther: (ends: ConnectionEnds) => void,
): void {
  for (const http2Server of http2ServersOf(server)) {
    http2Server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      const isCall = headers["content-type"]?.startsWith("application/grpc") === true;
      if (isCall && paths.has(headers[":path"] ?? "")) return;
      const { session } = stream;
      if (session !== undefined && !session.destroyed) onOther(session.socket);
    });
  }
}

/**
 * @param onAcceptFailed told of connections that the system could not hand over: without a
 * listener, such an error would end the process
 */
export function guardConnections(
  server: Server,
  connections: Connections,
  onAcceptFailed: (error: NodeJS.ErrnoException) => void,
): void {
  for (const http2Server of http2ServersOf(server)) {
    const inside = http2Server.listeners("connection");
    http2Server.removeAllListeners("connection");
    http2Server.on("connection", (socket: Socket) => {
      if (!connections.take(socket)) return;
      for (const listener of inside) listener.call(http2Server, socket);
    });
    http2Server.on("session", (session: ServerHttp2Session) => connections.begin(session));
    http2Server.on("error", onAcceptFailed);
  }
}
