/**
 * From a service's descriptor and its handlers to what grpc-js serves: decoding, context,
 * back-pressure, and errors as statuses. On grpc-js's side every message stays bytes.
 */
import type { DescMethod, DescService, Message } from "@bufbuild/protobuf";
import {
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { unreachable } from "../../base/assert.js";
import type { WireBounds } from "../../ledger/wire-bounds.js";
import type { MessageRates } from "../bounds/message-rates.js";
import { requestBounds } from "../bounds/method-bounds.js";
import type { RpcLimits } from "../bounds/server-limits.js";
import type { UnreadAnswer, UnreadAnswers } from "../bounds/unread-answers.js";
import {
  decodeMessage,
  encodeMessage,
  identityOfBytes,
  methodName,
  methodPath,
} from "../message-codec.js";
import { MessageReader } from "../message-reader.js";
import { type FrameStream, MessageWriter } from "../message-writer.js";
import { RpcError } from "../rpc-error.js";
import { type WireStatus, wireStatusOf } from "../status-details.js";
import type { Admission } from "./admission.js";
import type { BidiHandler, CallContext, ServerStreamHandler, UnaryHandler } from "./handlers.js";

export type CallRuntime = {
  readonly admission: Admission;
  readonly answers: UnreadAnswers;
  readonly limits: RpcLimits;
  readonly messageRates: MessageRates;
  readonly onInternalError: (error: unknown, method: string) => void;
};

/** What is used here of all three kinds of calls. */
type SurfaceCall = Pick<
  ServerUnaryCall<Buffer, Buffer>,
  "cancelled" | "metadata" | "getDeadline" | "getPeer"
> & { once(event: "cancelled", listener: () => void): unknown };

export function serviceDefinition(service: DescService): ServiceDefinition {
  const definition: Record<string, ServiceDefinition[string]> = {};
  for (const method of service.methods) {
    definition[method.localName] = {
      path: methodPath(method),
      requestStream: isRequestStream(method),
      responseStream: isResponseStream(method),
      requestSerialize: identityOfBytes,
      requestDeserialize: identityOfBytes,
      responseSerialize: identityOfBytes,
      responseDeserialize: identityOfBytes,
    };
  }
  return definition;
}

function isRequestStream(method: DescMethod): boolean {
  return method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming";
}

function isResponseStream(method: DescMethod): boolean {
  return method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming";
}

/** One grpc-js function per method; a method without a handler answers METHOD_UNIMPLEMENTED. */
export function serviceImplementation(
  service: DescService,
  handlers: Readonly<Record<string, unknown>>,
  runtime: CallRuntime,
): UntypedServiceImplementation {
  const implementation: UntypedServiceImplementation = {};
  for (const method of service.methods) {
    const handler = handlers[method.localName];
    implementation[method.localName] = serveMethod(method, handler, runtime);
  }
  return implementation;
}

function serveMethod(
  method: DescMethod,
  handler: unknown,
  runtime: CallRuntime,
): UntypedServiceImplementation[string] {
  const missing = () => {
    throw new RpcError("METHOD_UNIMPLEMENTED", `this node does not offer ${methodName(method)}`);
  };
  const given = typeof handler === "function" ? handler : missing;
  switch (method.methodKind) {
    case "unary":
      return serveUnary(method, given as UnaryHandler<Message, object>, runtime);
    case "server_streaming":
      return serveServerStream(method, given as ServerStreamHandler<Message, object>, runtime);
    case "bidi_streaming":
      return serveBidi(method, given as BidiHandler<Message, object>, runtime);
    case "client_streaming":
      throw new TypeError(`${methodName(method)}: the API has no client-streaming methods`);
    default:
      return unreachable(method.methodKind);
  }
}

function serveUnary(
  method: DescMethod,
  handler: UnaryHandler<Message, object>,
  runtime: CallRuntime,
): handleUnaryCall<Buffer, Buffer> {
  const answer = async (call: ServerUnaryCall<Buffer, Buffer>): Promise<Buffer> => {
    const request = decodeMessage(method.input, call.request, boundsOf(method));
    const context = contextOf(call, method, runtime);
    const held = heldAnswer(call, context, runtime);
    return runtime.answers.make(held, context.method, async () => {
      const response = await handler(request, context);
      return encodeMessage(method.output, response as Record<string, unknown>);
    });
  };
  return (call, callback) => {
    answer(call).then(
      (bytes) => callback(null, bytes),
      (error) => callback(statusOf(error, method, runtime)),
    );
  };
}

function serveServerStream(
  method: DescMethod,
  handler: ServerStreamHandler<Message, object>,
  runtime: CallRuntime,
): handleServerStreamingCall<Buffer, Buffer> {
  const answer = async (call: ServerWritableStream<Buffer, Buffer>): Promise<void> => {
    const request = decodeMessage(method.input, call.request, boundsOf(method));
    const context = contextOf(call, method, runtime);
    const held = heldAnswer(call, context, runtime);
    const writer = writerOf(call, held, context, runtime);
    for await (const response of handler(request, context)) {
      const bytes = encodeMessage(method.output, response as Record<string, unknown>);
      if (!(await writer.write(bytes))) return;
    }
  };
  return (call) => finish(call, answer(call), method, runtime);
}

function serveBidi(
  method: DescMethod,
  handler: BidiHandler<Message, object>,
  runtime: CallRuntime,
): handleBidiStreamingCall<Buffer, Buffer> {
  const bounds = boundsOf(method);
  const answer = async (call: ServerDuplexStream<Buffer, Buffer>): Promise<void> => {
    const context = contextOf(call, method, runtime);
    const held = heldAnswer(call, context, runtime);
    const { identity, received, stream } = runtime.admission.callerOf(call.metadata);
    let open = false;
    const writer = writerOf(call, held, context, runtime, () => (open ? stream : undefined));
    const encode = (response: object): Buffer =>
      encodeMessage(method.output, response as Record<string, unknown>);
    const messages = new MessageReader<Message>(call, {
      onTaken: received.taken,
      onHandled: received.handled,
      pace: () => runtime.messageRates.take(identity, context.signal),
      decode: (bytes) => decodeMessage(method.input, bytes, bounds),
      failureOf: () => undefined,
    });
    // Tells the caller at once that it was admitted, before there is a message for it.
    call.sendMetadata(new Metadata());
    open = true;
    await handler(context, {
      messages,
      write: (response) => writer.write(encode(response)),
      writeInTurn: (make) =>
        runtime.answers.inTurn(held, async (read) => {
          if (writer.over) return false;
          return writer.write(await read(async () => encode(await make())));
        }),
      offer: (response) => writer.offer(encode(response)),
      end: () => writer.end(),
    });
  };
  return (call) => finish(call, answer(call), method, runtime);
}

function boundsOf(method: DescMethod): WireBounds {
  return requestBounds(methodName(method));
}

/** Ends a stream when its handler ends, with the status of what it threw. */
function finish(
  call: ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>,
  answered: Promise<void>,
  method: DescMethod,
  runtime: CallRuntime,
): void {
  answered.then(
    () => call.end(),
    (error) => {
      const status = statusOf(error, method, runtime);
      if (!call.cancelled) call.emit("error", Object.assign(new Error(status.details), status));
    },
  );
}

function contextOf(call: SurfaceCall, method: DescMethod, runtime: CallRuntime): CallContext {
  const controller = new AbortController();
  if (call.cancelled) controller.abort(callOver);
  else call.once("cancelled", () => controller.abort(callOver));
  const deadline = call.getDeadline();
  const deadlineMs = deadline instanceof Date ? deadline.getTime() : deadline;
  const { identity, received } = runtime.admission.callerOf(call.metadata);
  return {
    identity,
    peerAddress: call.getPeer(),
    method: methodName(method),
    deadlineUnixMs: Number.isFinite(deadlineMs) ? deadlineMs : undefined,
    signal: controller.signal,
    handedOn: received.handled,
  };
}

/**
 * Why every signal of a call aborts. grpc-js says "cancelled" at the end of answered calls, too,
 * and `abort` without a reason makes an error with a stack trace each time.
 */
const callOver = new DOMException("the call is over", "AbortError");

function writerOf(
  call: ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>,
  held: UnreadAnswer,
  context: CallContext,
  runtime: CallRuntime,
  below?: () => FrameStream | undefined,
): MessageWriter {
  const writer = new MessageWriter(call, {
    queueMessagesMax: runtime.limits.streamQueueMessagesMax,
    queueBytesMax: runtime.limits.streamQueueBytesMax,
    held,
    ...(below && { below }),
    // The caller learns why if it reads what was sent before.
    onRefused: (error) => {
      if (!call.cancelled) call.emit("error", Object.assign(error, wireStatusOf(error)));
    },
  });
  if (context.signal.aborted) writer.close();
  else context.signal.addEventListener("abort", () => writer.close(), { once: true });
  return writer;
}

function heldAnswer(
  call: Pick<SurfaceCall, "metadata">,
  { signal }: CallContext,
  { admission, answers }: CallRuntime,
): UnreadAnswer {
  const { identity, ends } = admission.callerOf(call.metadata);
  return answers.open(identity, ends, signal);
}

/** What a handler threw, as the caller's status. Our own faults are logged, and not told. */
function statusOf(error: unknown, method: DescMethod, runtime: CallRuntime): WireStatus {
  if (error instanceof RpcError) return wireStatusOf(error);
  runtime.onInternalError(error, methodName(method));
  return wireStatusOf(new RpcError("INTERNAL", "internal error"));
}
