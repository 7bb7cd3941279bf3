/**
 * A node's gRPC server: mutual TLS, one gate for every call (admission.ts), typed services,
 * health and reflection.
 */

import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { Server, type ServerCredentials } from "@grpc/grpc-js";
import { type HostPort, joinHostPort } from "../../base/host-port.js";
import { systemTime } from "../../base/time.js";
import { Health as HealthService } from "../../gen/grpc/health/v1/health_pb.js";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.js";
import * as v1alpha from "../../gen/grpc/reflection/v1alpha/reflection_pb.js";
import type { GrpcObserver } from "../../metrics/grpc-observer.js";
import { type OnCallerRefused, watchDoor } from "../bounds/accept.js";
import { busyShareMeter } from "../bounds/busy-share.js";
import { CallLimiter, CallRates } from "../bounds/call-limits.js";
import { checkGrpcInternals } from "../bounds/grpc-internals.js";
import { MessageRates } from "../bounds/message-rates.js";
import {
  type ConnectionEnd,
  type ConnectionGroup,
  Connections,
} from "../bounds/server-connections.js";
import {
  type AnswerGroup,
  type AnswerLimits,
  type ConnectionLimits,
  defaultAnswerLimits,
  defaultConnectionLimits,
  defaultRpcLimits,
  type RpcLimits,
} from "../bounds/server-limits.js";
import { UnreadAnswers } from "../bounds/unread-answers.js";
import { Uploads } from "../bounds/uploads.js";
import { methodName, methodPath } from "../message-codec.js";
import type { Reason } from "../reasons.js";
import { RpcError } from "../rpc-error.js";
import { serverCredentials, type TlsCredentials } from "../tls/tls.js";
import { Admission } from "./admission.js";
import { Authenticator, type IdentityRegistry } from "./authenticator.js";
import type { ServiceHandlers } from "./handlers.js";
import { Health } from "./health.js";
import { ListenError } from "./listen-check.js";
import { Reflection } from "./reflection.js";
import { type CallRuntime, serviceDefinition, serviceImplementation } from "./serve-call.js";

export type RpcServerOptions = {
  readonly tls: TlsCredentials;
  readonly consortiumName: string;
  readonly registry: IdentityRegistry;
  readonly limits?: Partial<RpcLimits>;
  readonly connections?: Partial<ConnectionLimits>;
  readonly answers?: Partial<AnswerLimits>;
  readonly metrics?: GrpcObserver;
  /** Told of what a handler throws that is no RpcError; the caller sees INTERNAL. */
  readonly onInternalError: (error: unknown, method: string) => void;
  /** Told of connections that TLS refuses, and of calls of unknown callers. */
  readonly onCallerRefused?: OnCallerRefused;
  /** Told of connections that are refused or cut. */
  readonly onConnectionEnded?: (cause: ConnectionEnd) => void;
  /** Whether something is under way that must not wait for long answers to be read. */
  readonly isPressed?: () => boolean;
};

export function createServer(options: RpcServerOptions): RpcServer {
  return new RpcServer(options);
}

export class RpcServer {
  readonly #server: Server;
  readonly #credentials: ServerCredentials;
  readonly #runtime: CallRuntime;
  readonly #health = new Health();
  readonly #reflection = new Reflection();
  readonly #onCallerRefused: OnCallerRefused;
  readonly #metrics: GrpcObserver;
  readonly #connections: Connections;
  readonly #answers: UnreadAnswers;
  readonly #rates: CallRates;
  /** ":path" of every method. */
  readonly #paths = new Set<string>();
  readonly #onConnectionEnded: (cause: ConnectionEnd) => void;
  #sweeping: NodeJS.Timeout | undefined;
  /** "host:port" while it is bound. */
  #target: string | undefined;

  constructor(options: RpcServerOptions) {
    const limits = { ...defaultRpcLimits, ...options.limits };
    const { onInternalError, onCallerRefused = () => {}, metrics = noObserver } = options;
    checkGrpcInternals();
    this.#onCallerRefused = onCallerRefused;
    this.#metrics = metrics;
    const connectionLimits = { ...defaultConnectionLimits, ...options.connections };
    this.#onConnectionEnded = options.onConnectionEnded ?? (() => {});
    const connections = new Connections({
      limits: connectionLimits,
      monotonicMs: systemTime.monotonicMs,
      wallMs: systemTime.wallMs,
      onEnded: this.#onConnectionEnded,
    });
    this.#connections = connections;
    this.#answers = new UnreadAnswers({
      limits: { ...defaultAnswerLimits, ...options.answers },
      unreadSweeps: connectionLimits.unreadSeconds,
      sentOver: (ends) => connections.sentOver(ends),
      onUnread: (ends) => connections.end(ends, "unread"),
      busyShare: busyShareMeter(),
      isPressed: options.isPressed ?? (() => false),
    });
    this.#rates = new CallRates({
      limits: limits.callRates,
      monotonicMs: systemTime.monotonicMs,
    });
    const admission = new Admission({
      authenticator: new Authenticator(options),
      limiter: new CallLimiter(limits),
      rates: this.#rates,
      uploads: new Uploads(limits, systemTime),
      connections,
      metrics,
      onInternalError,
      onCallerRefused,
    });
    const messageRates = new MessageRates(limits.storageMessages, systemTime);
    this.#runtime = { admission, answers: this.#answers, limits, messageRates, onInternalError };
    this.#credentials = serverCredentials(options.tls, connectionStreamsMax(limits));
    this.#server = new Server({
      interceptors: [admission.interceptor],
      "grpc.max_receive_message_length": limits.peerMessageBytesMax,
      "grpc.keepalive_time_ms": limits.keepaliveMs,
      "grpc.keepalive_timeout_ms": limits.keepaliveTimeoutMs,
      "grpc.max_connection_idle_ms": limits.idleConnectionMs,
      "grpc.enable_channelz": 0,
    });
    this.#register(HealthService, this.#health.handlers);
    this.#register(ServerReflection, this.#reflection.handlers);
    const alpha: unknown = this.#reflection.handlers;
    type AlphaHandlers = ServiceHandlers<typeof v1alpha.ServerReflection>;
    this.#register(v1alpha.ServerReflection, alpha as AlphaHandlers);
  }

  /** Registers a service; call it before `listen`. */
  implement<S extends DescService>(service: S, handlers: ServiceHandlers<S>): this {
    this.#register(service, handlers);
    this.#health.add(service.typeName);
    return this;
  }

  /** Binds and answers; port 0 lets the system choose. Health says SERVING from here on. */
  async listen(address: HostPort): Promise<HostPort> {
    const target = joinHostPort(address);
    const port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(target, this.#credentials, (error, chosen) => {
        if (error) reject(new ListenError(target, error));
        else resolve(chosen);
      });
    });
    watchDoor(this.#server, {
      connections: this.#connections,
      paths: this.#paths,
      onOtherRequest: (ends) => {
        const end = () => this.#connections.end(ends, "calls");
        this.#rates.refusedUnknown(ends.remoteAddress ?? "", end);
      },
      onCallerRefused: this.#onCallerRefused,
      onConnectionEnded: this.#onConnectionEnded,
    });
    this.#sweeping = setInterval(() => this.sweep(), sweepMs).unref();
    // A node may have halted before it listens.
    this.#health.isServing = !this.#runtime.admission.isClosed;
    const bound = { host: address.host, port };
    this.#target = joinHostPort(bound);
    return bound;
  }

  /**
   * From now on refuses every call to the project's own services but those to `answered`, and
   * health says NOT_SERVING. Streams that are open stay open.
   */
  refuseCalls(reason: Reason, message: string, answered: readonly DescMethod[] = []): void {
    const error = new RpcError(reason, message);
    this.#runtime.admission.closed = { error, answered: new Set(answered.map(methodName)) };
    this.#health.isServing = false;
  }

  /** How many connections a group of callers has now. */
  connections(group: ConnectionGroup): number {
    return this.#connections.count(group);
  }

  /** Bytes of answers that callers have not taken yet. */
  unreadAnswerBytes(group: AnswerGroup): number {
    return this.#answers.bytes(group);
  }

  /** Ends connections that do nothing or read too slowly; the server calls it every second. */
  sweep(): void {
    this.#answers.sweep();
    this.#connections.sweep();
  }

  /**
   * Refuses new calls and connections, gives running unary calls `graceMs` to end, then ends all
   * connections in order, and soon after cuts those of which the other end has not let go.
   */
  async close(graceMs = 1_000): Promise<void> {
    this.refuseCalls("NODE_STOPPING", "the node is stopping");
    // forceShutdown would miss the connections: without channelz, grpc-js does not keep them.
    const drain = (waitMs: number) => {
      if (this.#target !== undefined) this.#server.drain(this.#target, waitMs);
    };
    this.#connections.close();
    drain(graceMs);
    let cutting: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      // tryShutdown may never end: grpc-js does not hear of a session destroyed while it wrote.
      cutting = setTimeout(() => {
        this.#connections.endAll();
        setImmediate(resolve);
      }, graceMs + cutAfterMs);
      this.#server.tryShutdown(() => resolve());
    });
    clearTimeout(cutting);
    clearInterval(this.#sweeping);
  }

  #register<S extends DescService>(service: S, handlers: ServiceHandlers<S>): void {
    this.#server.addService(
      serviceDefinition(service),
      serviceImplementation(service, handlers, this.#runtime),
    );
    this.#reflection.add(service);
    for (const method of service.methods) this.#paths.add(methodPath(method));
    for (const { name } of service.methods) this.#metrics.methodServed(service.typeName, name);
  }
}

const noObserver: GrpcObserver = {
  methodServed() {},
  callEnded() {},
  streamOpened() {},
  streamClosed() {},
};

const sweepMs = 1_000;
/** How long a connection that was ended in order has until it is cut. */
const cutAfterMs = 200;

/**
 * More than any identity may have open, so that a caller meets that limit, with its reason, first.
 */
function connectionStreamsMax(limits: RpcLimits): number {
  return limits.callsPerPeerMax + 32 * limits.streamsPerPeerMax + 64;
}
