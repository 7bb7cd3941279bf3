/**
 * gRPC over HTTP/2 without a client library: an attacker writes the frames that it likes, sets
 * their flags, and need not read what comes back.
 */
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { gzipSync } from "node:zlib";
import type { TlsCredentials } from "../../src/rpc/tls/tls.js";
import { throughOf } from "../support/raw-caller.js";

export type RawConnection = {
  readonly session: ClientHttp2Session;
  readonly closed: boolean;
  /** A call to "<package>.<Service>/<Method>". */
  call(method: string, options?: { readonly encoding?: "gzip" }): RawCall;
  /** Ends it with all calls. */
  close(): void;
  /** From now on nothing is read of the connection, so what is sent stays on the way. */
  stopReading(): void;
  /** Without a word about the calls that are under way. */
  vanish(): void;
};

export type RawCall = {
  readonly stream: ClientHttp2Stream;
  /** Writes bytes as they are; see `frame`. */
  write(bytes: Uint8Array): void;
  /** Half-closes. */
  end(bytes?: Uint8Array): void;
  /** Reads and forgets the answer; resolves with the status, or how the call ended without one. */
  answer(): Promise<string>;
  cancel(): void;
};

/** One message with its length before it. */
export function frame(message: Uint8Array, flags: { readonly compressed?: true } = {}): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flags.compressed ? 1 : 0, 0);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** The same, compressed. */
export function gzipFrame(message: Uint8Array): Buffer {
  return frame(gzipSync(message, { level: 9 }), { compressed: true });
}

export type DialOptions = {
  /** How much the server may send of one answer that nobody reads; 64 KiB when left out. */
  readonly windowBytes?: number;
};

const connectionWindowBytes = 2 ** 31 - 1;

/** Rejects when no connection comes about. */
export async function dialRaw(
  address: string,
  tls: TlsCredentials,
  { windowBytes = 65_535 }: DialOptions = {},
): Promise<RawConnection> {
  const [host = "", port = ""] = address.split(":");
  const tcp = connectTcp({ host, port: Number(port) });
  tcp.on("error", () => {});
  const socket = connectTls({
    socket: throughOf(tcp),
    ALPNProtocols: ["h2"],
    minVersion: "TLSv1.3",
    cert: Buffer.from(tls.certPem),
    key: Buffer.from(tls.keyPem),
    ca: Buffer.from(tls.caPem),
    checkServerIdentity: () => undefined,
  });
  const settings = { initialWindowSize: windowBytes };
  const session = connect(`https://${address}`, { createConnection: () => socket, settings });
  await new Promise<void>((resolve, reject) => {
    session.once("remoteSettings", () => resolve());
    session.once("error", reject);
    session.once("close", () => reject(new Error("closed before it was open")));
  });
  session.on("error", () => {});
  session.setLocalWindowSize(connectionWindowBytes);
  return {
    session,
    get closed() {
      return session.closed || session.destroyed;
    },
    call: (method, options) => open(session, method, options),
    stopReading() {
      tcp.removeAllListeners("data");
      tcp.pause();
    },
    close() {
      session.destroy();
      tcp.destroy();
    },
    vanish: () => void tcp.destroy(),
  };
}

function open(
  session: ClientHttp2Session,
  method: string,
  { encoding }: { readonly encoding?: "gzip" } = {},
): RawCall {
  const stream = session.request(
    {
      ":method": "POST",
      ":path": `/${method}`,
      te: "trailers",
      "content-type": "application/grpc",
      ...(encoding !== undefined && { "grpc-encoding": encoding }),
    },
    { endStream: false },
  );
  // A stream that the server resets is what an attacker has to expect.
  stream.on("error", () => {});
  let status: string | undefined;
  const take = (headers: Record<string, unknown>) => {
    const reason = /[A-Z][A-Z0-9_]+/.exec(detailsOf(headers))?.[0];
    const code = headers["grpc-status"];
    if (code !== undefined) status = reason ?? `status ${String(code)}`;
  };
  stream.on("response", take);
  stream.on("trailers", take);
  return {
    stream,
    write: (bytes) => void (stream.writable && stream.write(bytes)),
    end: (bytes) => void (stream.writable && stream.end(bytes)),
    answer: () => {
      stream.resume();
      return new Promise((resolve) => {
        const over = () => resolve(status ?? (stream.rstCode === 0 ? "no answer" : "reset"));
        if (stream.closed || stream.destroyed) over();
        else stream.once("close", over);
      });
    },
    cancel: () => stream.close(),
  };
}

/** google.rpc.Status in its binary trailer holds the reason among its bytes. */
function detailsOf(headers: Record<string, unknown>): string {
  const details = headers["grpc-status-details-bin"];
  if (typeof details !== "string") return "";
  const text = Buffer.from(details, "base64").toString("latin1");
  return text.slice(text.indexOf(typeName) + typeName.length);
}

const typeName = "ErrorInfo";
