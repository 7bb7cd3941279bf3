/**
 * What a service implementation looks like. Handlers get decoded requests and answer with messages;
 * they throw `RpcError` to refuse. `context.signal` aborts when the caller has gone or its deadline
 * passed: a handler that waits must listen to it.
 */
import type {
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import type { Identity } from "../tls/identity.js";

export type CallContext = {
  /** From the certificate; registered on the ledger. */
  readonly identity: Identity;
  /** "host:port", for logs. */
  readonly peerAddress: string;
  /** "bss.v1.QueryService/GetStatus". */
  readonly method: string;
  /** Unix ms; undefined when the caller set none. */
  readonly deadlineUnixMs: number | undefined;
  /** Aborts when the call is over for whatever cause. */
  readonly signal: AbortSignal;
  /** The request is counted elsewhere from here, and not as one that arrives. */
  readonly handedOn?: () => void;
};

/** The node's end of a bidirectional stream. The stream ends with OK when the handler returns. */
export type ServerStream<Request, Response> = {
  /** Ends when the caller half-closes and also when it is gone (`context.signal` tells which). */
  readonly messages: AsyncIterable<Request>;
  /**
   * Sends a message; resolves when there is room for the next, with false when the stream is over.
   */
  write(response: Response): Promise<boolean>;
  /**
   * Makes and sends a long message when it is the caller's turn; otherwise as `write`. Many callers
   * may ask for one at once: what it consists of is read only then.
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

/** "bss.v1.QueryService/GetStatus": the name that roles, metrics and errors use. */
export function methodName(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}
