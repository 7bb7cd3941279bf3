/**
 * What a service implementation looks like. Handlers get decoded requests, answer with messages,
 * and throw `RpcError` to refuse. A handler that waits must listen to `context.signal`: it aborts
 * when the caller has gone or its deadline has passed.
 */
import type {
  DescMethodBiDiStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import type { Identity } from "../tls/tls-identity.js";

export type CallContext = {
  /** From the certificate; registered on the ledger. */
  readonly identity: Identity;
  /** "host:port", for logs. */
  readonly peerAddress: string;
  /** "bss.v1.QueryService/GetStatus". */
  readonly method: string;
  /** Unix ms; undefined when the caller set none. */
  readonly deadlineUnixMs: number | undefined;
  /** Aborts when the call is over, whatever ended it. */
  readonly signal: AbortSignal;
  /** Call it when the request is counted elsewhere from now on, and no longer as an upload. */
  readonly handedOn?: () => void;
};

/** The node's end of a bidirectional stream. The stream ends with OK when the handler returns. */
export type ServerStream<Request, Response> = {
  /** Ends when the caller half-closes, and when it is gone: then `context.signal` is aborted. */
  readonly messages: AsyncIterable<Request>;
  /**
   * Sends a message; resolves when there is room for the next, with false when the stream is over.
   */
  write(response: Response): Promise<boolean>;
  /**
   * As `write`, for a long message. As many callers may ask for one at a time, it is made only when
   * it is this caller's turn.
   */
  writeInTurn(make: () => Promise<Response>): Promise<boolean>;
  /** Sends a message only if the stream is alive and its queue has room; says whether it did. */
  offer(response: Response): boolean;
  /** Ends the stream with OK after what is queued; what is written later is lost. */
  end(): void;
};

export type UnaryHandler<Request, Response> = (
  request: Request,
  context: CallContext,
) => Promise<Response> | Response;

/** Responses are pulled as fast as the caller reads them. */
export type ServerStreamHandler<Request, Response> = (
  request: Request,
  context: CallContext,
) => AsyncIterable<Response>;

export type BidiHandler<Request, Response> = (
  context: CallContext,
  stream: ServerStream<Request, Response>,
) => Promise<void>;

type MethodHandler<M> =
  M extends DescMethodUnary<infer I, infer O>
    ? UnaryHandler<MessageShape<I>, MessageInitShape<O>>
    : M extends DescMethodServerStreaming<infer I, infer O>
      ? ServerStreamHandler<MessageShape<I>, MessageInitShape<O>>
      : M extends DescMethodBiDiStreaming<infer I, infer O>
        ? BidiHandler<MessageShape<I>, MessageInitShape<O>>
        : never;

/** Methods that are left out answer UNIMPLEMENTED with METHOD_UNIMPLEMENTED. */
export type ServiceHandlers<S extends DescService> = {
  readonly [K in keyof S["method"]]?: MethodHandler<S["method"][K]>;
};
