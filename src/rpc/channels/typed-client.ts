/**
 * Typed clients: a promise for a unary call, an async iterable for a server stream, a
 * `ClientStream` for a bidirectional one. Everything fails with `RpcError`.
 */
import type {
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  Message,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import {
  type ClientReadableStream,
  type CallOptions as GrpcOptions,
  Metadata,
} from "@grpc/grpc-js";
import { answerBounds } from "../bounds/method-bounds.js";
import { ReadAhead, readAheadInterceptor } from "../bounds/read-ahead.js";
import {
  decodeMessage,
  encodeMessage,
  identityOfBytes,
  methodName,
  methodPath,
} from "../message-codec.js";
import { MessageReader } from "../message-reader.js";
import { RpcError } from "../rpc-error.js";
import { rpcErrorOf } from "../status-details.js";
import type { RpcChannel } from "./channel.js";
import { ClientStream } from "./client-stream.js";

export type CallOptions = {
  /** Without it a call waits as long as it takes. */
  readonly timeoutMs?: number;
  /** Cancels the call. */
  readonly signal?: AbortSignal;
  /** Waits for the connection instead of failing with NODE_UNREACHABLE while there is none. */
  readonly waitForReady?: boolean;
};

type ClientMethod<M> =
  M extends DescMethodUnary<infer I, infer O>
    ? (request: MessageInitShape<I>, options?: CallOptions) => Promise<MessageShape<O>>
    : M extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageInitShape<I>, options?: CallOptions) => AsyncIterable<MessageShape<O>>
      : M extends DescMethodBiDiStreaming<infer I, infer O>
        ? (options?: CallOptions) => ClientStream<MessageInitShape<I>, MessageShape<O>>
        : never;

type RpcClient<S extends DescService> = {
  readonly [K in keyof S["method"]]: ClientMethod<S["method"][K]>;
};

export function createClient<S extends DescService>(service: S, channel: RpcChannel): RpcClient<S> {
  const methods: Record<string, unknown> = {};
  for (const method of service.methods) methods[method.localName] = clientMethod(method, channel);
  return methods as RpcClient<S>;
}

function clientMethod(method: DescMethod, channel: RpcChannel): unknown {
  switch (method.methodKind) {
    case "unary":
      return (request: object, options: CallOptions = {}) =>
        callUnary(method, channel, request, options);
    case "server_streaming":
      return (request: object, options: CallOptions = {}) =>
        callServerStream(method, channel, request, options);
    case "bidi_streaming":
      return (options: CallOptions = {}) => callBidi(method, channel, options);
    default:
      return undefined;
  }
}

async function callUnary(
  method: DescMethod,
  channel: RpcChannel,
  request: object,
  options: CallOptions,
): Promise<Message> {
  const bytes = encodeMessage(method.input, request as Record<string, unknown>);
  const answer = new Promise<Buffer>((resolve, reject) => {
    const call = channel.grpcClient.makeUnaryRequest(
      methodPath(method),
      identityOfBytes,
      identityOfBytes,
      bytes,
      metadataOf(options),
      grpcOptionsOf(options),
      (error, response) => {
        if (error || response === undefined) reject(rpcErrorOf(error));
        else resolve(response);
      },
    );
    cancelWith(options.signal, () => call.cancel(), call);
  });
  try {
    return decodeMessage(method.output, await answer, answerBounds(methodName(method)));
  } catch (error) {
    // The error was made where grpc-js calls back. From here, its stack leads to who called.
    if (error instanceof RpcError) Error.captureStackTrace(error, callUnary);
    throw error;
  }
}

async function* callServerStream(
  method: DescMethod,
  channel: RpcChannel,
  request: object,
  options: CallOptions,
): AsyncGenerator<Message> {
  const bytes = encodeMessage(method.input, request as Record<string, unknown>);
  const ahead = new ReadAhead();
  const call: ClientReadableStream<Buffer> = channel.grpcClient.makeServerStreamRequest(
    methodPath(method),
    identityOfBytes,
    identityOfBytes,
    bytes,
    metadataOf(options),
    streamOptionsOf(options, ahead),
  );
  cancelWith(options.signal, () => call.cancel(), call);
  const reader = new MessageReader<Message>(call, {
    onTaken: () => ahead.taken(),
    decode: (message) => decodeMessage(method.output, message, answerBounds(methodName(method))),
    failureOf: rpcErrorOf,
  });
  try {
    yield* reader;
  } finally {
    // A reader that stops early must not leave the node sending.
    call.cancel();
  }
}

function callBidi(
  method: DescMethod,
  channel: RpcChannel,
  options: CallOptions,
): ClientStream<object, Message> {
  const ahead = new ReadAhead();
  const call = channel.grpcClient.makeBidiStreamRequest(
    methodPath(method),
    identityOfBytes,
    identityOfBytes,
    metadataOf(options),
    streamOptionsOf(options, ahead),
  );
  cancelWith(options.signal, () => call.cancel(), call);
  const bounds = answerBounds(methodName(method));
  return new ClientStream(call, {
    onTaken: () => ahead.taken(),
    encode: (message) => encodeMessage(method.input, message as Record<string, unknown>),
    decode: (bytes) => decodeMessage(method.output, bytes, bounds),
  });
}

function metadataOf(options: CallOptions): Metadata {
  return new Metadata({ waitForReady: options.waitForReady ?? false });
}

function grpcOptionsOf(options: CallOptions): GrpcOptions {
  return options.timeoutMs === undefined ? {} : { deadline: Date.now() + options.timeoutMs };
}

function streamOptionsOf(options: CallOptions, ahead: ReadAhead): GrpcOptions {
  return { ...grpcOptionsOf(options), interceptors: [readAheadInterceptor(ahead)] };
}

/** Ties a call to a signal for as long as the call lasts. */
function cancelWith(
  signal: AbortSignal | undefined,
  cancel: () => void,
  call: { once(event: "status", listener: () => void): unknown },
): void {
  if (signal === undefined) return;
  if (signal.aborted) {
    cancel();
    return;
  }
  signal.addEventListener("abort", cancel, { once: true });
  call.once("status", () => signal.removeEventListener("abort", cancel));
}
