/**
 * What happens at a server's door, before there is a call: connections that the system hands over
 * or cannot hand over, TLS handshakes that fail, and requests that are no calls. grpc-js keeps its
 * HTTP/2 servers to itself and offers no place for any of this.
 */
import { EventEmitter } from "node:events";
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { Server } from "@grpc/grpc-js";
import { assert } from "../../base/assert.js";
import { connectFailureText } from "../status-details.js";
import { handshakeTimeoutMs } from "../tls/tls.js";
import { awaitFirstRecord } from "./first-record.js";
import type { ConnectionEnd, ConnectionEnds, Connections } from "./server-connections.js";

/**
 * Told of a caller that could not call. `peerAddress` is without the port, which differs with every
 * attempt, and "" if there was no connection.
 */
export type OnCallerRefused = (peerAddress: string, reason: string) => void;

type AcceptOptions = {
  readonly connections: Connections;
  /** Of all methods that the server serves, as in ":path". */
  readonly paths: ReadonlySet<string>;
  /** A request came that is no call; grpc-js answers it itself, before any interceptor. */
  readonly onOtherRequest: (ends: ConnectionEnds) => void;
  readonly onCallerRefused: OnCallerRefused;
  readonly onConnectionEnded: (cause: ConnectionEnd) => void;
};

/** Watches the door of a server that is bound. */
export function watchDoor(server: Server, options: AcceptOptions): void {
  for (const http2Server of http2ServersOf(server)) {
    guardConnections(http2Server, options);
    watchHandshakes(http2Server, options.onCallerRefused);
    watchOtherRequests(http2Server, options);
  }
}

/** The HTTP/2 servers of a gRPC server that is bound: one for each address. */
function http2ServersOf(server: Server): readonly EventEmitter[] {
  const inner: unknown = Reflect.get(server, "http2Servers");
  assert(inner instanceof Map && inner.size > 0, "grpc-js lists its HTTP/2 servers");
  const servers = [...inner.keys()];
  assert(
    servers.every((each) => each instanceof EventEmitter),
    "these are Node's",
  );
  return servers;
}

/** Every connection passes `connections` before TLS sees it. */
function guardConnections(
  http2Server: EventEmitter,
  { connections, onConnectionEnded, onCallerRefused }: AcceptOptions,
): void {
  const inside = http2Server.listeners("connection");
  http2Server.removeAllListeners("connection");
  http2Server.on("connection", (socket: Socket) => {
    if (!connections.take(socket)) return;
    awaitFirstRecord(socket, {
      timeoutMs: handshakeTimeoutMs,
      onCome: () => {
        for (const listener of inside) listener.call(http2Server, socket);
      },
      onSilent: () => connections.end(socket, "silent"),
    });
  });
  http2Server.on("session", (session: ServerHttp2Session) => connections.begin(session));
  // The system could not hand a connection over. Without a listener this would end the process.
  http2Server.on("error", (error: NodeJS.ErrnoException) => {
    onConnectionEnded("descriptors");
    onCallerRefused("", acceptFailureText(error));
  });
}

/** A TLSSocket over the connection, with what was wrong with the certificate. */
type Failed = { readonly _parent?: object; readonly authorizationError?: Error | string };

/** Reports TLS handshakes that fail, of which grpc-js says nothing. */
function watchHandshakes(http2Server: EventEmitter, onRefused: OnCallerRefused): void {
  // A socket that has been destroyed no longer knows its address.
  const addresses = new WeakMap<object, string>();
  http2Server.on("connection", (socket: Socket) => {
    addresses.set(socket, socket.remoteAddress ?? "");
  });
  http2Server.on("tlsClientError", (error: NodeJS.ErrnoException, socket: Failed) => {
    const { _parent: connection, authorizationError } = socket;
    const remoteAddress = (connection && addresses.get(connection)) ?? "";
    if (authorizationError) {
      onRefused(remoteAddress, `TLS: the certificate does not verify (${authorizationError})`);
    } else if (error.code !== "ECONNRESET") {
      // A reset before or during the handshake is what port scans and health checks do.
      onRefused(remoteAddress, tlsText(error));
    }
  });
}

function watchOtherRequests(
  http2Server: EventEmitter,
  { paths, onOtherRequest }: AcceptOptions,
): void {
  http2Server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const isCall = headers["content-type"]?.startsWith("application/grpc") === true;
    if (isCall && paths.has(headers[":path"] ?? "")) return;
    const { session } = stream;
    if (session !== undefined && !session.destroyed) onOtherRequest(session.socket);
  });
}

/** What the system says when it cannot hand a connection over, with what helps. */
function acceptFailureText(error: NodeJS.ErrnoException): string {
  if (error.code !== "EMFILE" && error.code !== "ENFILE") return error.message;
  const whose = error.code === "EMFILE" ? "this process" : "the whole machine";
  return (
    `${whose} has as many files and connections open as it may have: raise the limit ` +
    "(LimitNOFILE of its service, or ulimit -n), or lower limits.connections_max in config.yaml"
  );
}

function tlsText(error: Error): string {
  const text = connectFailureText(error.message);
  return text.startsWith("TLS: ") ? text : `TLS: ${text}`;
}
