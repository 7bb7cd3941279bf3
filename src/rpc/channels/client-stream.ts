/** The caller's end of a bidirectional stream. */
import type { ClientDuplexStream } from "@grpc/grpc-js";
import { streamBelow } from "../bounds/grpc-internals.js";
import { defaultRpcLimits } from "../bounds/server-limits.js";
import type { EncodedMessage } from "../message-codec.js";
import { MessageReader } from "../message-reader.js";
import { MessageWriter } from "../message-writer.js";
import { RpcError } from "../rpc-error.js";
import { rpcErrorOf } from "../status-details.js";

type ClientStreamCodec<Request, Response> = {
  readonly encode: (request: Request) => EncodedMessage;
  readonly decode: (bytes: Buffer) => Response;
  /** A response goes to the reader. */
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
    let open = false;
    this.#writer = new MessageWriter(call, {
      below: () => (open ? streamBelow(call) : undefined),
      queueMessagesMax: defaultRpcLimits.streamQueueMessagesMax,
      queueBytesMax: defaultRpcLimits.streamQueueBytesMax,
    });
    const { decode, onTaken = () => {} } = codec;
    this.messages = new MessageReader(call, { decode, onTaken, failureOf: rpcErrorOf });
    this.opened = new Promise((resolve, reject) => {
      call.once("metadata", () => {
        open = true;
        resolve();
      });
      call.on("error", (error) => reject(rpcErrorOf(error)));
      call.once("status", () => {
        this.#writer.close();
        reject(new RpcError("NODE_UNREACHABLE", "the stream ended before it was open"));
      });
    });
    // A caller that only reads messages learns of a failure there.
    this.opened.catch(() => {});
  }

  /**
   * Sends a message; resolves when there is room for the next, with false when the stream is over.
   */
  write(request: Request): Promise<boolean> {
    return this.#writer.write(this.#codec.encode(request));
  }

  /** As `write`, for bytes that are encoded already. */
  writeEncoded(bytes: EncodedMessage): Promise<boolean> {
    return this.#writer.write(bytes);
  }

  /** Sends a message only if the stream is alive and its queue has room; says whether it did. */
  offer(request: Request): boolean {
    return this.#writer.offer(this.#codec.encode(request));
  }

  encode(request: Request): EncodedMessage {
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
