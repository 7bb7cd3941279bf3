/** Writes messages to one gRPC stream, and knows how many of them the network has not taken yet. */
import type { Writable } from "node:stream";
import type { UnreadAnswer } from "./bounds/unread-answers.js";
import { RpcError } from "./rpc-error.js";

type MessageWriterOptions = {
  readonly queueMessagesMax: number;
  readonly queueBytesMax: number;
  /** On a server: the account of what is queued for the stream's caller. */
  readonly held?: Pick<UnreadAnswer, "take" | "tryTake" | "giveBack">;
  /** The account has no room for a message that `write` was given, so the stream is over. */
  readonly onRefused?: (error: RpcError) => void;
};

/** `write` lets its caller get this far ahead of the reader, and one message. */
const aheadBytesMax = 64 * 1024;

export class MessageWriter {
  readonly #stream: Writable;
  readonly #options: MessageWriterOptions;
  #queuedMessages = 0;
  #queuedBytes = 0;
  /** The stream's own queue, which counts messages whatever their sizes are, is full. */
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
   * Queues the bytes; resolves when there is room for more, with false when the stream is over. It
   * is over as well if the caller has too many unread bytes for these.
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

  /** Writes nothing any more; every `write` that waits for room resolves with false. */
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
