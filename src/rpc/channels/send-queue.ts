/** Messages that wait for a stream: first in, first out, bounded by number and bytes. */
import type { EncodedMessage } from "../message-codec.js";

type SendQueueOptions = {
  readonly messagesMax: number;
  readonly bytesMax: number;
  /** What gives way when the queue is full: the message that waits longest, or the new one. */
  readonly dropPolicy: "oldest" | "newest";
  readonly onDropped?: (messages: number) => void;
};

export class SendQueue {
  readonly #options: SendQueueOptions;
  #messages: EncodedMessage[] = [];
  #bytes = 0;
  #dropped = 0;

  constructor(options: SendQueueOptions) {
    this.#options = options;
  }

  get length(): number {
    return this.#messages.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Messages dropped since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Returns whether the message was taken. */
  push(message: EncodedMessage): boolean {
    const { messagesMax, bytesMax, dropPolicy } = this.#options;
    const hopeless = message.length > bytesMax || messagesMax < 1;
    while (!hopeless && dropPolicy === "oldest" && !this.#fits(message)) {
      this.shift();
      this.#drop();
    }
    if (hopeless || !this.#fits(message)) {
      this.#drop();
      return false;
    }
    this.#messages.push(message);
    this.#bytes += message.length;
    return true;
  }

  shift(): EncodedMessage | undefined {
    const message = this.#messages.shift();
    if (message !== undefined) this.#bytes -= message.length;
    return message;
  }

  #fits(message: EncodedMessage): boolean {
    const { messagesMax, bytesMax } = this.#options;
    return this.#messages.length < messagesMax && this.#bytes + message.length <= bytesMax;
  }

  #drop(): void {
    this.#dropped += 1;
    this.#options.onDropped?.(1);
  }
}
