/**
 * The gate that every call passes before its handler, whichever service it is for: who calls,
 * whether its role may, whether it has a slot left, and then the size of each message, before it is
 * kept (uploads.ts). It is a server interceptor: no byte of a request is read before the caller is
 * known, and it sees how every call ends.
 */
import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
} from "@grpc/grpc-js";
import { defined } from "../../base/assert.js";
import type { CallRates } from "../bounds/call-rates.js";
import type { ConnectionEnds, Connections } from "../bounds/connections.js";
import { type CallStream, certificateOf, internalsOf, streamOf } from "../bounds/grpc-internals.js";
import { areRefusedHeaders, requestHeaderBytesMax } from "../bounds/header-bounds.js";
import { ReadAhead } from "../bounds/read-ahead.js";
import type { OnCallerRefused } from "../bounds/refused-connections.js";
import { compressionRefusal, type Upload, type Uploads } from "../bounds/uploads.js";
import { RpcError } from "../rpc-error.js";
import { statusCodes, statusName } from "../status-codes.js";
import { wireStatusOf } from "../status-details.js";
import type { Identity } from "../tls/identity.js";
import type { Authorizer } from "./authorizer.js";
import type { CallLimiter } from "./call-limiter.js";
import type { RpcMetrics } from "./rpc-metrics.js";

type AdmissionOptions = {
  readonly authorizer: Authorizer;
  readonly limiter: CallLimiter;
  readonly rates: CallRates;
  readonly uploads: Uploads;
  readonly connections: Connections;
  readonly metrics: RpcMetrics;
  readonly onInternalError: (error: unknown, method: string) => void;
  /** Told of callers that are nobody known. */
  readonly onCallerRefused: OnCallerRefused;
};

/** Why a node answers nothing but `answered`: methods as in "bss.v1.QueryService/GetStatus". */
export type Refusal = { readonly error: RpcError; readonly answered: ReadonlySet<string> };

/** Who calls, over which connection, and what becomes of the messages that it sends. */
type Caller = {
  readonly identity: Identity;
  readonly ends: ConnectionEnds;
  readonly received: ReceivedMessages;
};

type ReceivedMessages = {
  /** The next message of a stream goes to its handler. */
  readonly taken: () => void;
  /** The handler is done with it, or its owner counts it from here. */
  readonly handled: () => void;
};

/** What a call looks like from the gate. */
type Passage = {
  readonly method: string;
  readonly kind: "unary" | "stream";
  readonly call: ServerInterceptingCallInterface;
  release: () => void;
  /** Whether the caller sends one message only. */
  readonly single: boolean;
  upload: Upload | undefined;
  /** Of a stream of the caller's. */
  readonly ahead: ReadAhead;
  status: number | undefined;
};

export class Admission {
  readonly #options: AdmissionOptions;
  /** The request's Metadata object is the one thing that interceptors share with handlers. */
  readonly #callers = new WeakMap<Metadata, Caller>();
  #refusal: Refusal | undefined;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /**
   * While set, every call is refused with it, except those of the methods that it leaves out and
   * those to the standard services.
   */
  set refusal(refusal: Refusal | undefined) {
    this.#refusal = refusal;
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
    const { authorizer, limiter, rates, uploads, connections } = this.#options;
    if (areRefusedHeaders(metadata)) {
      const message =
        `the call's headers are longer than ${requestHeaderBytesMax} bytes, ` +
        "or of too many values";
      throw new RpcError("HEADERS_TOO_LARGE", message);
    }
    const internals = internalsOf(passage.call);
    const identity = await this.#identify(passage);
    const ends = passage.call.getConnectionInfo();
    // Calls that are given up at once take the server's time like others.
    rates.take(identity, () => connections.end(ends, "calls"));
    // The caller may have gone while its key was looked up, and another come from where it was.
    if (passage.status !== undefined) return;
    const certificate = defined(certificateOf(passage.call), "whoever is known has one");
    const validToMs = authorizer.validToMs(certificate);
    connections.settle(ends, identity, validToMs);
    authorizer.authorize(identity, passage.method);
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
    });
  }

  #refuseIfClosed(method: string): void {
    if (this.#refusal === undefined || !method.startsWith("bss.")) return;
    if (!this.#refusal.answered.has(method)) throw this.#refusal.error;
  }

  async #identify({ call }: Passage): Promise<Identity> {
    const { authorizer, connections, rates } = this.#options;
    try {
      return await authorizer.identify(certificateOf(call));
    } catch (error) {
      const ends = call.getConnectionInfo();
      rates.refusedUnknown(ends.remoteAddress ?? "", () => connections.end(ends, "calls"));
      const address = call.getPeer().replace(/:\d+$/, "");
      if (error instanceof RpcError) this.#options.onCallerRefused(address, error.message);
      throw error;
    }
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
    metrics.callStarted(service, method);
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

/** Its messages are read one ahead of whoever takes them. */
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

/** How a call ended that no handler ended: the deadline passed, or the caller went away. */
function statusWithoutAnswer(call: ServerInterceptingCallInterface): number {
  const deadline = call.getDeadline();
  const deadlineMs = deadline instanceof Date ? deadline.getTime() : deadline;
  return deadlineMs <= Date.now() ? statusCodes.DEADLINE_EXCEEDED : statusCodes.CANCELLED;
}

/** What a refused caller goes on sending would be read, and dropped, for as long as it likes. */
function closeSoon(stream: CallStream | undefined): void {
  const timer = setTimeout(() => {
    if (stream?.destroyed === false) stream.close();
  }, sendingAfterRefusalMs);
  timer.unref();
}

/** The refusal travels ahead of the reset; this leaves a caller time to stop by itself. */
const sendingAfterRefusalMs = 1_000;
