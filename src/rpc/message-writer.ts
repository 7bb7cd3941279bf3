/** Writes messages to one gRPC stream and knows how many of them the network has not taken yet. */
import type { Writable } from "node:stream";

export type MessageWriterLimits = {
  readonly queueMessagesMax: number;
  readonly queueBytesMax: number;
};

export class MessageWriter {
  readonly #stream: Writable;
  readonly #limits: MessageWriterLimits;
  #queuedMessages = 0;
  #queuedBytes = 0;
  #over = false;
  #waiting: ((room: boolean) => void)[] = [];

  constructor(stream: Writable, limits: MessageWriterLimits) {
    this.#stream = stream;
    this.#limits = limits;
    stream.on("drain", () => this.#wake(true));
  }

  get over(): boolean {
    return this.#over;
  }

  /**
   * Queues the bytes in any case; resolves when there is room for more, with false when it is over.
   */
  write(bytes: Buffer): Promise<boolean> {
    if (this.#over) return Promise.resolve(false);
    if (this.#push(bytes)) return Promise.resolve(true);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /**
   * Queues the bytes if that keeps the queue within its limits; an empty queue takes any message.
   */
  offer(bytes: Buffer): boolean {
    if (this.#over) return false;
    const { queueMessagesMax, queueBytesMax } = this.#limits;
    if (this.#queuedMessages >= queueMessagesMax) return false;
    if (this.#queuedMessages > 0 && this.#queuedBytes + bytes.length > queueBytesMax) return false;
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

  #push(bytes: Buffer): boolean {
    this.#queuedMessages += 1;
    this.#queuedBytes += bytes.length;
    return this.#stream.write(bytes, () => {
      this.#queuedMessages -= 1;
      this.#queuedBytes -= bytes.length;
    });
  }

  #wake(room: boolean): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve(room);
  }
}
