/**
 * A bidirectional stream that is opened again whenever it ends: managers keep one to every other
 * manager, storage nodes one to each of their managers.
 *
 * Messages leave in the order of `send`. While there is no connection they wait in a bounded queue;
 * when it is full, some are dropped and counted. What was handed to a connection that then broke is
 * lost without notice: delivery is at most once, and the protocol sends again what still matters.
 * Received messages are handled one after the other, so a slow handler slows the peer down.
 */
import { systemTime, type Time, type Timer } from "../../base/time.js";
import type { EncodedMessage } from "../message-codec.js";
import type { RpcError } from "../rpc-error.js";
import { rpcErrorOf } from "../status-details.js";
import { Backoff, type BackoffOptions, defaultBackoff } from "./backoff.js";
import type { ClientStream } from "./client-stream.js";
import { SendQueue } from "./send-queue.js";

export type LinkState = "connecting" | "connected" | "disconnected" | "closed";

/** What is used here of the stream over one connection. */
export type OpenedStream<Request, Response> = Pick<
  ClientStream<Request, Response>,
  "messages" | "opened" | "write" | "writeEncoded" | "encode" | "cancel"
>;

type ReconnectingStreamOptions<Request, Response> = {
  /** Starts one attempt, for instance `() => client.vote()`. */
  readonly open: () => OpenedStream<Request, Response>;
  /** Must not throw for bad input: what it throws ends this connection, and a new one is made. */
  readonly onMessage: (message: Response) => void | Promise<void>;
  /** "disconnected" comes with its cause, unless the peer ended the stream with OK. */
  readonly onStateChange?: (state: LinkState, cause?: RpcError) => void;
  /** Sent first on every new connection, before what waits in the queue. */
  readonly greeting?: () => readonly Request[];
  readonly queueMessagesMax?: number;
  readonly queueBytesMax?: number;
  readonly dropPolicy?: "oldest" | "newest";
  readonly onDropped?: (messages: number) => void;
  readonly backoff?: BackoffOptions;
  readonly time?: Pick<Time, "after">;
};

/** A connection that lasted this long worked: when it ends, the next is made without delay. */
const standingMs = 10_000;

export class ReconnectingStream<Request, Response> {
  readonly #options: ReconnectingStreamOptions<Request, Response>;
  readonly #queue: SendQueue;
  readonly #backoff: Backoff;
  #state: LinkState = "connecting";
  #stream: OpenedStream<Request, Response> | undefined;
  #encode: ((message: Request) => EncodedMessage) | undefined;
  #wakeSender = () => {};
  #wakeSleeper = () => {};
  readonly #done: Promise<void>;

  constructor(options: ReconnectingStreamOptions<Request, Response>) {
    this.#options = options;
    this.#queue = new SendQueue({
      messagesMax: options.queueMessagesMax ?? 10_000,
      bytesMax: options.queueBytesMax ?? 64 * 1024 * 1024,
      dropPolicy: options.dropPolicy ?? "oldest",
      ...(options.onDropped && { onDropped: options.onDropped }),
    });
    this.#backoff = new Backoff(options.backoff ?? defaultBackoff);
    this.#done = this.#run();
  }

  get state(): LinkState {
    return this.#state;
  }

  /** Messages that wait, without those that the current connection has taken. */
  get queueLength(): number {
    return this.#queue.length;
  }

  get dropped(): number {
    return this.#queue.dropped;
  }

  /** Queues a message; false when it was dropped or the stream is closed. */
  send(message: Request): boolean {
    if (this.#state === "closed" || this.#encode === undefined) return false;
    const taken = this.#queue.push(this.#encode(message));
    this.#wakeSender();
    return taken;
  }

  /** Gives up for good; resolves when nothing runs any more. */
  async close(): Promise<void> {
    if (this.#state !== "closed") {
      this.#setState("closed");
      this.#stream?.cancel();
      this.#wakeSender();
      this.#wakeSleeper();
    }
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      let cause: RpcError | undefined;
      try {
        await this.#connect();
      } catch (error) {
        cause = rpcErrorOf(error);
      }
      if (this.#closed) return;
      this.#setState("disconnected", cause);
      await this.#sleep(this.#backoff.nextMs());
      if (!this.#closed) this.#setState("connecting");
    }
  }

  /** One connection from opening to its end. */
  async #connect(): Promise<void> {
    const stream = this.#options.open();
    this.#stream = stream;
    this.#encode = (message) => stream.encode(message);
    const over = { value: false };
    let running: Promise<void>[] = [];
    let standing: Timer | undefined;
    try {
      await stream.opened;
      if (this.#closed) return;
      // A peer that ends every stream at once must not have it opened at once, for ever.
      standing = this.#time.after(standingMs, () => this.#backoff.reset());
      this.#setState("connected");
      const receiving = this.#receiveAll(stream);
      const sending = this.#sendAll(stream, over);
      running = [receiving, sending];
      await Promise.race([receiving, sending.then(() => receiving)]);
    } finally {
      standing?.cancel();
      over.value = true;
      stream.cancel();
      this.#wakeSender();
      await Promise.allSettled(running);
    }
  }

  async #receiveAll(stream: OpenedStream<Request, Response>): Promise<void> {
    for await (const message of stream.messages) await this.#options.onMessage(message);
  }

  async #sendAll(
    stream: OpenedStream<Request, Response>,
    over: { readonly value: boolean },
  ): Promise<void> {
    for (const message of this.#options.greeting?.() ?? []) await stream.write(message);
    while (!over.value && !this.#closed) {
      const bytes = this.#queue.shift();
      if (bytes !== undefined) {
        await stream.writeEncoded(bytes);
      } else {
        await new Promise<void>((resolve) => {
          this.#wakeSender = resolve;
        });
      }
    }
  }

  async #sleep(delayMs: number): Promise<void> {
    let timer: Timer | undefined;
    await new Promise<void>((resolve) => {
      timer = this.#time.after(delayMs, resolve);
      this.#wakeSleeper = resolve;
    });
    timer?.cancel();
  }

  get #time(): Pick<Time, "after"> {
    return this.#options.time ?? systemTime;
  }

  get #closed(): boolean {
    return this.#state === "closed";
  }

  #setState(state: LinkState, cause?: RpcError): void {
    this.#state = state;
    this.#options.onStateChange?.(state, cause);
  }
}
