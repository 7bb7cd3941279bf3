/**
 * The gate that every call passes before its handler, whichever service it is for. `#admit` has all
 * its checks in their order; then each message is checked before it is kept
 * (bounds/uploads.ts). The gate is a server interceptor: no byte of a request is read
 * before the caller is known, and it sees how every call ends. bounds/server-limits.ts shows where
 * it stands among all bounds.
 */
import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
} from "@grpc/grpc-js";
import { defined } from "../../base/assert.js";
import type { GrpcObserver } from "../../metrics/grpc-observer.js";
import type { OnCallerRefused } from "../bounds/accept.js";
import type { CallLimiter, CallRates } from "../bounds/call-limits.js";
import { type CallStream, certificateOf, internalsOf, streamOf } from "../bounds/grpc-internals.js";
import { areRefusedHeaders, requestHeaderBytesMax } from "../bounds/header-bounds.js";
import { ReadAhead } from "../bounds/read-ahead.js";
import type { ConnectionEnds, Connections } from "../bounds/server-connections.js";
import { compressionRefusal, type Upload, type Uploads } from "../bounds/uploads.js";
import type { FrameStream } from "../message-writer.js";
import { RpcError } from "../rpc-error.js";
import { statusCodes, statusName } from "../status-codes.js";
import { wireStatusOf } from "../status-details.js";
import type { Identity } from "../tls/tls-identity.js";
import type { Authenticator } from "./authenticator.js";
import { authorize } from "./method-roles.js";

type AdmissionOptions = {
  readonly authenticator: Authenticator;
  readonly limiter: CallLimiter;
  readonly rates: CallRates;
  readonly uploads: Uploads;
  readonly connections: Connections;
  readonly metrics: GrpcObserver;
  readonly onInternalError: (error: unknown, method: string) => void;
  /** Told of callers that are unknown. */
  readonly onCallerRefused: OnCallerRefused;
};

/** Why a node refuses all calls but those to `answered`, as "bss.v1.QueryService/GetStatus". */
export type ClosedService = { readonly error: RpcError; readonly answered: ReadonlySet<string> };

/** Who calls, over which connection, and what becomes of the messages that it sends. */
type Caller = {
  readonly identity: Identity;
  readonly ends: ConnectionEnds;
  readonly received: ReceivedMessages;
  /** Of HTTP/2. */
  readonly stream: FrameStream;
};

type ReceivedMessages = {
  /** The next message of a stream goes to its handler. */
  readonly taken: () => void;
  /** The handler is done with it, or it is counted elsewhere from now on. */
  readonly handled: () => void;
};

/** A call on its way through the gate. */
type Passage = {
  readonly method: string;
  readonly kind: "unary" | "stream";
  readonly call: ServerInterceptingCallInterface;
  /** Gives its slot back. */
  release: () => void;
  /** Whether the caller sends one message only. */
  readonly single: boolean;
  upload: Upload | undefined;
  /** For the messages that the caller streams. */
  readonly ahead: ReadAhead;
  status: number | undefined;
};

export class Admission {
  readonly #options: AdmissionOptions;
  /** The request's Metadata object is the one thing that interceptors share with handlers. */
  readonly #callers = new WeakMap<Metadata, Caller>();
  #closed: ClosedService | undefined;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** While set, every call is refused but those to `answered` and to the standard services. */
  set closed(closed: ClosedService) {
    this.#closed = closed;
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /** The caller of an admitted call. */
  callerOf(metadata: Metadata): Caller {
    return defined(this.#callers.get(metadata), "a handler runs only for admitted calls");
  }

  get interceptor(): ServerInterceptor {
    return (definition, call) => {
      const stream = definition.requestStream || definition.responseStream;
      return this.#intercept({
        method: definition.path.slice(1),
        kind: stream ? "stream" : "unary",
        call,
        release: () => {},
        single: !definition.requestStream,
        upload: undefined,
        ahead: new ReadAhead(),
        status: undefined,
      });
    };
  }

  #intercept(passage: Passage): ServerInterceptingCall {
    const ended = this.#observe(passage);
    endWithReset(streamOf(passage.call));
    return new AdmittedCall(passage, {
      start: (next) => {
        next({
          onReceiveMetadata: (metadata, forward) => {
            this.#admit(passage, metadata).then(
              () => forward(metadata),
              (error) => this.#refuse(passage, error),
            );
          },
          onReceiveMessage: (message, forward) => {
            if (passage.single) passage.upload?.taken();
            else passage.ahead.received();
            forward(message);
          },
          onReceiveHalfClose: (forward) => {
            passage.upload?.ended();
            forward();
          },
          // grpc-js calls this at the end of every call, however it ended.
          onCancel: ended,
        });
      },
      sendMetadata: (metadata, next) => {
        metadata.set("grpc-accept-encoding", "identity");
        next(metadata);
      },
      sendStatus: (status, next) => {
        passage.status ??= status.code ?? statusCodes.UNKNOWN;
        next(status);
      },
    });
  }

  async #admit(passage: Passage, metadata: Metadata): Promise<void> {
    const { authenticator, limiter, uploads, connections } = this.#options;
    if (areRefusedHeaders(metadata)) {
      const message =
        `the call's headers are longer than ${requestHeaderBytesMax} bytes, ` +
        "or have too many binary values";
      throw new RpcError("HEADERS_TOO_LARGE", message);
    }
    const internals = internalsOf(passage.call);
    // Read now, as a call that is reset no longer knows its connection.
    const certificate = certificateOf(passage.call);
    const ends = passage.call.getConnectionInfo();
    const identity = await this.#identify(passage.call, certificate);
    // While its key was looked up the caller may have gone, and another one may have its port now.
    if (passage.status !== undefined) return;
    const validToMs = authenticator.validToMs(defined(certificate, "a known caller has one"));
    connections.settle(ends, identity, validToMs);
    authorize(identity, passage.method);
    this.#refuseIfClosed(passage.method);
    if (internals.encoding !== "identity") throw compressionRefusal();
    passage.release = limiter.acquire(identity, passage.method, passage.kind);
    const { method, single } = passage;
    const refuse = (error: RpcError) => this.#refuse(passage, error);
    const upload = uploads.open({ identity, method, single, internals, refuse });
    passage.upload = upload;
    const taken = () => {
      upload.taken();
      passage.ahead.taken();
    };
    this.#callers.set(metadata, {
      identity,
      ends,
      received: { taken, handled: () => upload.handled() },
      stream: internals.stream,
    });
  }

  #refuseIfClosed(method: string): void {
    if (this.#closed === undefined || !method.startsWith("bss.")) return;
    if (!this.#closed.answered.has(method)) throw this.#closed.error;
  }

  /** Who calls; the call counts, also when its caller has gone meanwhile. */
  async #identify(
    call: ServerInterceptingCallInterface,
    certificate: Uint8Array | undefined,
  ): Promise<Identity> {
    const { authenticator, connections, rates } = this.#options;
    const ends = call.getConnectionInfo();
    const endConnection = () => connections.end(ends, "calls");
    let identity: Identity;
    try {
      identity = await authenticator.identify(certificate);
    } catch (error) {
      const address = ends.remoteAddress ?? "unknown";
      rates.refusedUnknown(address, endConnection);
      if (error instanceof RpcError) this.#options.onCallerRefused(address, error.message);
      throw error;
    }
    rates.take(identity, endConnection);
    return identity;
  }

  #refuse(passage: Passage, error: unknown): void {
    let refusal = error;
    if (!(refusal instanceof RpcError)) {
      this.#options.onInternalError(error, passage.method);
      refusal = new RpcError("INTERNAL", "the caller's identity could not be checked");
    }
    const status = wireStatusOf(refusal as RpcError);
    passage.status ??= status.code;
    passage.call.sendStatus(status);
    closeSoon(streamOf(passage.call));
  }

  /** Reports the start of a call and returns what reports its end. */
  #observe(passage: Passage): () => void {
    const { metrics } = this.#options;
    const [service = "", method = ""] = passage.method.split("/");
    const startedMs = performance.now();
    if (passage.kind === "stream") metrics.streamOpened(service, method);
    let over = false;
    return () => {
      if (over) return;
      over = true;
      passage.release();
      passage.upload?.close();
      passage.status ??= statusWithoutAnswer(passage.call);
      const seconds = (performance.now() - startedMs) / 1000;
      metrics.callEnded(service, method, statusName(passage.status), seconds);
      if (passage.kind === "stream") metrics.streamClosed(service, method);
    };
  }
}

/** Its messages are read one ahead of its handler. */
class AdmittedCall extends ServerInterceptingCall {
  readonly #passage: Passage;

  constructor(
    passage: Passage,
    responder: ConstructorParameters<typeof ServerInterceptingCall>[1],
  ) {
    super(passage.call, responder);
    this.#passage = passage;
  }

  override startRead(): void {
    this.#passage.ahead.request(() => super.startRead());
  }
}

/** How a call ended that was not answered: the deadline passed, or the caller went away. */
function statusWithoutAnswer(call: ServerInterceptingCallInterface): number {
  const deadline = call.getDeadline();
  const deadlineMs = deadline instanceof Date ? deadline.getTime() : deadline;
  return deadlineMs <= Date.now() ? statusCodes.DEADLINE_EXCEEDED : statusCodes.CANCELLED;
}

/**
 * HTTP/2 keeps a stream that was reset without an error until all its data are read. Nobody may be
 * going to read them, and until the stream is gone grpc-js does not end the call, which would keep
 * its slot.
 */
function endWithReset(stream: CallStream | undefined): void {
  stream?.once("aborted", () => stream.destroy());
}

/** Otherwise a refused caller could go on sending, to be read and dropped, as long as it likes. */
function closeSoon(stream: CallStream | undefined): void {
  const timer = setTimeout(() => {
    if (stream?.destroyed === false) stream.close();
  }, sendingAfterRefusalMs);
  timer.unref();
}

/**
 * The refusal reaches the caller before the reset; this leaves it time to stop by itself. A caller
 * on a fast link that does not can send some MiB in it.
 */
const sendingAfterRefusalMs = 100;
