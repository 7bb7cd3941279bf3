/**
 * What this project needs of grpc-js that grpc-js does not offer, all in one place. Above all: the
 * point where the data of a call become messages, as that is where a limit has to be that depends
 * on the caller. grpc-js itself has one limit for all callers, and decompresses before anybody can
 * look.
 *
 * The version of grpc-js is pinned, and `checkGrpcInternals` finds out at the start of a server
 * whether it still works as expected.
 */
import { PassThrough, type Writable } from "node:stream";
import { logVerbosity, type ServerInterceptingCallInterface, setLogVerbosity } from "@grpc/grpc-js";
import { BaseServerInterceptingCall } from "@grpc/grpc-js/build/src/server-interceptors.js";
import type { FrameStream } from "../message-writer.js";
import { areRefusedHeaders, boundHeaders, requestHeaderBytesMax } from "./header-bounds.js";

/** What splits the data of a call into frames. */
export type Decoder = { write(data: Buffer): Buffer[] };

/** What is used here of the HTTP/2 stream behind a call. */
export type CallStream = {
  isPaused(): boolean;
  readonly destroyed: boolean;
  close(code?: number): void;
  destroy(): void;
  /** By a reset, unless all of the answer was written. */
  once(event: "aborted", listener: () => void): void;
};

export type CallInternals = {
  readonly stream: CallStream & FrameStream;
  /** "identity" unless the caller announced another one. */
  readonly encoding: string;
  readonly setDecoder: (decoder: Decoder) => void;
};

/** @throws Error when calls of grpc-js are not as expected */
export function internalsOf(call: ServerInterceptingCallInterface): CallInternals {
  const stream = streamOf(call);
  const decoder: unknown = Reflect.get(call, "decoder");
  const encoding: unknown = Reflect.get(call, "incomingEncoding");
  if (stream === undefined || !isDecoder(decoder)) throw unexpected("stream or decoder");
  if (typeof encoding !== "string") throw unexpected("encoding");
  return { stream, encoding, setDecoder: (given) => Reflect.set(call, "decoder", given) };
}

/** Kept for each session, which has one certificate: reading it again takes long. */
const certificates = new WeakMap<object, Uint8Array>();

/** The certificate that TLS has verified, DER; undefined when there is none. */
export function certificateOf(call: ServerInterceptingCallInterface): Uint8Array | undefined {
  const stream = streamOf(call);
  const session: unknown = stream && Reflect.get(stream, "session");
  const known = isObject(session) ? certificates.get(session) : undefined;
  if (known !== undefined) return known;
  const certificate = call.getAuthContext().sslPeerCertificate?.raw;
  if (isObject(session) && certificate !== undefined) certificates.set(session, certificate);
  return certificate;
}

/** Undefined when the call is not as expected. */
export function streamOf(
  call: ServerInterceptingCallInterface,
): (CallStream & FrameStream) | undefined {
  const stream: unknown = Reflect.get(call, "stream");
  return isCallStream(stream) ? stream : undefined;
}

/**
 * The HTTP/2 stream behind a call that this process makes, once all that was written to the call
 * has gone there; undefined before, and if the call is not as expected. To be asked when the other
 * end has admitted the call, as grpc-js may make it anew until then.
 */
export function streamBelow(call: Pick<Writable, "writableLength">): FrameStream | undefined {
  if (call.writableLength > 0) return undefined;
  // Interceptors, name resolution, retries, load balancing, the call on one connection.
  const resolving = innermost(call, ["call", "nextCall"]);
  const retrying = propertyOf(resolving, "child");
  const children = propertyOf(retrying, "underlyingCalls");
  const index = propertyOf(retrying, "committedCallIndex");
  if (!Array.isArray(children) || typeof index !== "number") return undefined;
  const child: unknown = children[index];
  const offset = propertyOf(retrying, "writeBufferOffset");
  const buffered = propertyOf(propertyOf(retrying, "writeBuffer"), "length");
  const isAllSent = Number(offset) + Number(buffered) === propertyOf(child, "nextMessageToSend");
  const stream = propertyOf(propertyOf(propertyOf(child, "call"), "child"), "http2Stream");
  return isAllSent && isFrameStream(stream) ? stream : undefined;
}

/** Follows one of the properties for as long as there is one. */
function innermost(outer: unknown, names: readonly string[]): unknown {
  let inner = outer;
  for (let depth = 0; depth < wrappersMax; depth++) {
    const next = names.map((name) => propertyOf(inner, name)).find(isObject);
    if (next === undefined) return inner;
    inner = next;
  }
  return inner;
}

const wrappersMax = 8;

function propertyOf(value: unknown, name: string): unknown {
  return isObject(value) ? Reflect.get(value, name) : undefined;
}

function isFrameStream(value: unknown): value is FrameStream {
  return isObject(value) && ["write", "cork", "uncork"].every((name) => isFunction(value, name));
}

/**
 * To be called before any call is made. Bounds the headers that grpc-js reads, and keeps
 * its own lines ("E No address added") out of standard error, where they would stand between JSON
 * logs: errors here say the same. To see the lines, set GRPC_VERBOSITY.
 */
export function setUpGrpc(): void {
  if (process.env.GRPC_VERBOSITY === undefined) setLogVerbosity(logVerbosity.NONE);
  boundHeaders();
}

/**
 * Sets grpc-js up and makes calls as it does. Checks that the data reach a decoder that was set,
 * and that headers are read within their bounds.
 */
export function checkGrpcInternals(): void {
  setUpGrpc();
  let received = 0;
  try {
    const stream = new PassThrough();
    const headers = { "grpc-encoding": "gzip" };
    const call = makeCall(stream, headers);
    if (Reflect.get(call, "incomingEncoding") !== "gzip") throw unexpected("encoding");
    const write = (data: Buffer) => {
      received += data.length;
      return [];
    };
    if (!isDecoder(Reflect.get(call, "decoder"))) throw unexpected("decoder");
    Reflect.set(call, "decoder", { write });
    stream.emit("data", Buffer.alloc(3));
    stream.destroy();
    const long = { ":method": "POST", "x-bin": ",".repeat(requestHeaderBytesMax) };
    const longCall = makeCall(stream, long);
    if (!areRefusedHeaders(Reflect.get(longCall, "metadata"))) throw unexpected("headers");
  } catch (cause) {
    throw unexpected("server calls", cause);
  }
  if (received !== 3) throw unexpected("decoder");
}

/** A call over anything that is a stream. */
function makeCall(stream: PassThrough, headers: object): object {
  return Reflect.construct(BaseServerInterceptingCall, [stream, headers, null, { path: "/" }, {}]);
}

function isDecoder(value: unknown): value is Decoder {
  return isObject(value) && typeof Reflect.get(value, "write") === "function";
}

const streamMethods = ["isPaused", "close", "destroy", "once"];

function isCallStream(value: unknown): value is CallStream & FrameStream {
  return isFrameStream(value) && streamMethods.every((name) => isFunction(value, name));
}

function isFunction(value: object, name: string): boolean {
  return typeof Reflect.get(value, name) === "function";
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function unexpected(what: string, cause?: unknown): Error {
  const message =
    `this version of @grpc/grpc-js is not one that the node knows: its ${what} differ, so limits ` +
    "on messages could not be kept. Install the version of package-lock.json (npm ci).";
  return new Error(message, { cause });
}
