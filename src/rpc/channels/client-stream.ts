/** The caller's end of a bidirectional stream. */
import type { ClientDuplexStream } from "@grpc/grpc-js";
import { defaultRpcLimits } from "../bounds/limits.js";
import { MessageReader } from "../message-reader.js";
import { MessageWriter } from "../message-writer.js";
import { RpcError } from "../rpc-error.js";
import { rpcErrorOf } from "../status-details.js";

type ClientStreamCodec<Request, Response> = {
  readonly encode: (request: Request) => Buffer;
  readonly decode: (bytes: Buffer) => Response;
  /** A response goes to whoever reads them. */
  readonly onTaken?: () => void;
};

export class ClientStream<Request, Response> {
  /**
   * Ends when the node ended the stream with OK; throws RpcError when it failed. Iterate it once.
   */
  readonly messages: AsyncIterable<Response>;
  /**
   * Resolves when the node has admitted the call; rejects with RpcError when it refused or failed.
   */
  readonly opened: Promise<void>;
  readonly #call: ClientDuplexStream<Buffer, Buffer>;
  readonly #codec: ClientStreamCodec<Request, Response>;
  readonly #writer: MessageWriter;

  constructor(
    call: ClientDuplexStream<Buffer, Buffer>,
    codec: ClientStreamCodec<Request, Response>,
  ) {
    this.#call = call;
    this.#codec = codec;
    this.#writer = new MessageWriter(call, {
      queueMessagesMax: defaultRpcLimits.streamQueueMessagesMax,
      queueBytesMax: defaultRpcLimits.streamQueueBytesMax,
    });
    const { decode, onTaken = () => {} } = codec;
    this.messages = new MessageReader(call, { decode, onTaken, failureOf: rpcErrorOf });
    this.opened = new Promise((resolve, reject) => {
      call.once("metadata", () => resolve());
      call.on("error", (error) => reject(rpcErrorOf(error)));
      call.once("status", () => {
        this.#writer.close();
        reject(new RpcError("NODE_UNREACHABLE", "the stream ended before it was open"));
      });
    });
    // Whoever only reads messages learns of a failure there.
    this.opened.catch(() => {});
  }

  /**
   * Sends a message; resolves when there is room for the next, with false when the stream is over.
   */
  write(request: Request): Promise<boolean> {
    return this.#writer.write(this.#codec.encode(request));
  }

  /** As `write`, for bytes that are encoded already. */
  writeEncoded(bytes: Buffer): Promise<boolean> {
    return this.#writer.write(bytes);
  }

  /** Sends a message only if the stream is alive and its queue has room; says whether it did. */
  offer(request: Request): boolean {
    return this.#writer.offer(this.#codec.encode(request));
  }

  encode(request: Request): Buffer {
    return this.#codec.encode(request);
  }

  /** Says that no more requests come; responses still do. */
  end(): void {
    this.#writer.end();
  }

  /** Gives the stream up. */
  cancel(): void {
    this.#writer.close();
    this.#call.cancel();
  }
}
