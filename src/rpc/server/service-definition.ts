/** gRPC service definitions from protobuf-es descriptors. Messages stay bytes on grpc-js's side. */
import type { DescMethod, DescService, Message } from "@bufbuild/protobuf";
import type { ServiceDefinition, UntypedServiceImplementation } from "@grpc/grpc-js";
import { unreachable } from "../../base/assert.js";
import { identityOfBytes } from "../message-codec.js";
import { RpcError } from "../rpc-error.js";
import type { BidiHandler, ServerStreamHandler, UnaryHandler } from "./handlers.js";
import { methodName } from "./handlers.js";
import { type CallRuntime, serveBidi, serveServerStream, serveUnary } from "./serve-call.js";

export function methodPath(method: DescMethod): string {
  return `/${methodName(method)}`;
}

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
