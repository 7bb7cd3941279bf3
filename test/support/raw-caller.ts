/** A caller that speaks HTTP/2 by itself, and so can do what no gRPC library does. */
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { createConnection, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import type { TlsCredentials } from "../../src/rpc/tls/tls.js";

/** Its header: not compressed, 0 bytes long. */
export const emptyMessage = Buffer.alloc(5);

type RawCallOptions = {
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether more messages follow, so that the caller's half stays open. */
  readonly more?: boolean;
};

export class RawCaller {
  readonly #socket: Socket;
  readonly #session: ClientHttp2Session;

  private constructor(socket: Socket, session: ClientHttp2Session) {
    this.#socket = socket;
    this.#session = session;
  }

  /** `windowBytes`: how much the server may send of one answer that nobody reads. */
  static async dial(port: number, tls: TlsCredentials, windowBytes: number): Promise<RawCaller> {
    const tcp = createConnection({ host: "127.0.0.1", port });
    tcp.on("error", () => {});
    const socket = connectTls({
      socket: throughOf(tcp),
      ALPNProtocols: ["h2"],
      checkServerIdentity: () => undefined,
      ca: `${tls.caPem}`,
      cert: `${tls.certPem}`,
      key: `${tls.keyPem}`,
    });
    socket.on("error", () => {});
    await once(socket, "secureConnect");
    const settings = { initialWindowSize: windowBytes };
    const session = connect("https://127.0.0.1", { createConnection: () => socket, settings });
    session.on("error", () => {});
    await once(session, "remoteSettings");
    session.setLocalWindowSize(2 ** 31 - 1);
    return new RawCaller(tcp, session);
  }

  get closed(): boolean {
    return this.#socket.destroyed;
  }

  /** Calls a method with an empty message, and reads nothing of the answer. */
  call(method: string, options: RawCallOptions = {}): ClientHttp2Stream {
    const { headers = {}, more = false } = options;
    const path = { ":method": "POST", ":path": `/${method}` };
    const stream = this.#session.request({
      ...path,
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    stream.on("error", () => {});
    stream.pause();
    if (more) stream.write(emptyMessage);
    else stream.end(emptyMessage);
    return stream;
  }

  /** From now on nothing is read of the connection, and no ping is answered. */
  stopReading(): void {
    this.#socket.removeAllListeners("data");
    this.#socket.pause();
  }

  close(): void {
    this.#session.destroy();
    this.#socket.destroy();
  }
}

/** A connection that can be left unread: TLS would take one over, and read on by itself. */
export function throughOf(tcp: Socket): Duplex {
  const through = new Duplex({
    read() {},
    write: (chunk, encoding, done) => void tcp.write(chunk, encoding, () => done()),
    final: (done) => void tcp.end(done),
    destroy(error, done) {
      tcp.destroy();
      done(error);
    },
  });
  tcp.on("data", (chunk) => through.push(chunk));
  tcp.once("close", () => through.push(null));
  return through;
}
