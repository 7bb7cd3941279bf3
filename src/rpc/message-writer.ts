/**
 * Writes messages to one gRPC stream, and knows how many of them the network has not taken yet.
 *
 * grpc-js hands messages to HTTP/2 one at a time, and the next one when the system has taken the
 * one before: each is a write of its own, with a record of TLS and a turn of the event loop at both
 * ends. So a writer hands them over itself as soon as it may, and those of one turn together.
 */
import type { Writable } from "node:stream";
import type { UnreadAnswer } from "./bounds/unread-answers.js";
import { type EncodedMessage, frameOf } from "./message-codec.js";
import { RpcError } from "./rpc-error.js";

/** What a writer uses of a stream of HTTP/2. */
export type FrameStream = Pick<
  Writable,
  "write" | "cork" | "uncork" | "destroyed" | "writableEnded"
>;

type MessageWriterOptions = {
  readonly queueMessagesMax: number;
  readonly queueBytesMax: number;
  /**
   * The stream of HTTP/2 below, which takes whole frames; undefined while something may be on its
   * way there that has to come first. It is asked for until it is there.
   */
  readonly below?: () => FrameStream | undefined;
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
  #below: FrameStream | undefined;
  /** Writes to `#below` are held back until the end of this turn's work. */
  #corked = false;
  #queuedMessages = 0;
  #queuedBytes = 0;
  /** The call's own queue, which counts messages whatever their sizes are, is full. */
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
  write(bytes: EncodedMessage): Promise<boolean> {
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
  offer(bytes: EncodedMessage): boolean {
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

  #push(bytes: EncodedMessage): void {
    this.#queuedMessages += 1;
    this.#queuedBytes += bytes.length;
    const taken = () => {
      this.#queuedMessages -= 1;
      this.#queuedBytes -= bytes.length;
      this.#options.held?.giveBack(bytes.length);
      this.#wakeIfRoom();
    };
    const below = this.#below ?? this.#lookBelow();
    if (below === undefined) {
      if (!this.#stream.write(bytes, taken)) this.#full = true;
      return;
    }
    // The call is about to end, and what is written to it is lost.
    if (below.destroyed || below.writableEnded) {
      process.nextTick(taken);
      return;
    }
    this.#cork(below);
    below.write(frameOf(bytes), taken);
  }

  #lookBelow(): FrameStream | undefined {
    const below = this.#options.below?.();
    if (below === undefined) return undefined;
    this.#below = below;
    this.#full = false;
    return below;
  }

  /** Until the promises of this turn have been served, and what they say is written as well. */
  #cork(below: FrameStream): void {
    if (this.#corked) return;
    this.#corked = true;
    below.cork();
    queueMicrotask(() => process.nextTick(() => this.#uncork(below)));
  }

  #uncork(below: FrameStream): void {
    this.#corked = false;
    below.uncork();
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
