/**
 * Who was refused before it could call: connections that failed in the TLS handshake. grpc-js keeps
 * its HTTP/2 servers to itself and says nothing of these.
 */
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import type { Server } from "@grpc/grpc-js";
import { connectFailureText } from "./connect-failure.js";

/** `peerAddress` without the port, which differs with every attempt. */
export type OnCallerRefused = (peerAddress: string, reason: string) => void;

/** A TLSSocket over the connection, with what was wrong with the certificate. */
type Failed = { readonly _parent?: object; readonly authorizationError?: Error | string };

/** Reports failed handshakes of a server that is bound. */
export function watchHandshakes(server: Server, onRefused: OnCallerRefused): void {
  const inner: unknown = Reflect.get(server, "http2Servers");
  if (!(inner instanceof Map)) return;
  for (const http2Server of inner.keys()) {
    if (!(http2Server instanceof EventEmitter)) continue;
    // A socket that has been destroyed does not know any more where it led.
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
        // Otherwise it is gone before or during the handshake, as port scans and health checks do.
        onRefused(remoteAddress, tlsText(error));
      }
    });
  }
}

function tlsText(error: Error): string {
  const text = connectFailureText(error.message);
  return text.startsWith("TLS: ") ? text : `TLS: ${text}`;
}
