/**
 * Who was refused before it could call: connections that failed in the TLS handshake. grpc-js keeps
 * its HTTP/2 servers to itself and says nothing of these.
 */
import type { Socket } from "node:net";
import type { Server } from "@grpc/grpc-js";
import { connectFailureText } from "../status-details.js";
import { http2ServersOf } from "./connection-door.js";

/** `peerAddress` without the port, which differs with every attempt. */
export type OnCallerRefused = (peerAddress: string, reason: string) => void;

/** A TLSSocket over the connection, with what was wrong with the certificate. */
type Failed = { readonly _parent?: object; readonly authorizationError?: Error | string };

/** Reports failed handshakes of a server that is bound. */
export function watchHandshakes(server: Server, onRefused: OnCallerRefused): void {
  for (const http2Server of http2ServersOf(server)) {
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

/** What the system says when it cannot hand a connection over, with what helps. */
export function acceptFailureText(error: NodeJS.ErrnoException): string {
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
