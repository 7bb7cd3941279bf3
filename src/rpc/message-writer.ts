/** Writes messages to one gRPC stream and knows how many of them the network has not taken yet. */
import type { Writable } from "node:stream";
import type { HeldAnswer } from "./bounds/held-answers.js";
import { RpcError } from "./rpc-error.js";

type MessageWriterOptions = {
  readonly queueMessagesMax: number;
  readonly queueBytesMax: number;
  /** On a server, where the stream's caller has an account of what is queued for it. */
  readonly held?: Pick<HeldAnswer, "take" | "tryTake" | "giveBack">;
  /** The account has no room for a message that was to be written: the stream is over. */
  readonly onRefused?: (error: RpcError) => void;
};

/** Whoever writes as fast as the reader takes is this much ahead of it, and one message. */
const aheadBytesMax = 64 * 1024;

export class MessageWriter {
  readonly #stream: Writable;
  readonly #options: MessageWriterOptions;
  #queuedMessages = 0;
  #queuedBytes = 0;
  /** The stream has as many messages as it takes, whatever their sizes are. */
  #full = false;
  #over = false;
  #waiting: ((room: boolean) => void)[] = [];

  constructor(stream: Writable, options: MessageWriterOptions) {
    this.#stream = stream;
    this.#options = options;
    stream.on("drain", () => {
      this.#full = false;
      this.#wakeIfRoom();
    });
  }

  get over(): boolean {
    return this.#over;
  }

  /**
   * Queues the bytes; resolves when there is room for more, with false when it is over. It is over,
   * too, when the caller has too much unread for these.
   */
  write(bytes: Buffer): Promise<boolean> {
    if (this.#over) return Promise.resolve(false);
    try {
      this.#options.held?.take(bytes.length);
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      this.close();
      this.#options.onRefused?.(error);
      return Promise.resolve(false);
    }
    this.#push(bytes);
    if (this.#hasRoom()) return Promise.resolve(true);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /**
   * Queues the bytes if that keeps the queue within its limits; an empty queue takes any message
   * for which the caller's account has room.
   */
  offer(bytes: Buffer): boolean {
    if (this.#over) return false;
    const { queueMessagesMax, queueBytesMax, held } = this.#options;
    if (this.#queuedMessages >= queueMessagesMax) return false;
    if (this.#queuedMessages > 0 && this.#queuedBytes + bytes.length > queueBytesMax) return false;
    if (held?.tryTake(bytes.length) === false) return false;
    this.#push(bytes);
    return true;
  }

  /** Ends the stream after what is queued. */
  end(): void {
    if (this.#over) return;
    this.close();
    this.#stream.end();
  }

  /** Nothing is written any more; whoever waits for room gets false. */
  close(): void {
    this.#over = true;
    this.#wake(false);
  }

  #push(bytes: Buffer): void {
    this.#queuedMessages += 1;
    this.#queuedBytes += bytes.length;
    const room = this.#stream.write(bytes, () => {
      this.#queuedMessages -= 1;
      this.#queuedBytes -= bytes.length;
      this.#options.held?.giveBack(bytes.length);
      this.#wakeIfRoom();
    });
    if (!room) this.#full = true;
  }

  #hasRoom(): boolean {
    return !this.#full && this.#queuedBytes <= aheadBytesMax;
  }

  #wakeIfRoom(): void {
    if (this.#waiting.length > 0 && this.#hasRoom()) this.#wake(true);
  }

  #wake(room: boolean): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve(room);
  }
}
