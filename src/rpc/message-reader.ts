/**
 * Reads the messages of one gRPC stream, one at a time, so that a slow reader slows the sender
 * down. Node's own stream iterator would destroy a duplex stream when its reader stops early, and
 * would drop what has arrived before an error; this does neither. It can be iterated once.
 */
import type { Readable } from "node:stream";

type MessageReaderOptions<T> = {
  /** Resolves when the next message may be decoded; undefined when it may at once. */
  readonly pace?: () => Promise<void> | undefined;
  /** What it throws, the reader gets, and no further message. */
  readonly decode: (bytes: Buffer) => T;
  /** What is thrown after the last message, given the stream's error; undefined ends quietly. */
  readonly failureOf: (error: unknown) => Error | undefined;
  /** A message goes to the reader. */
  readonly onTaken?: () => void;
  /** The reader is done with it: it asks for the next one, or stops. */
  readonly onHandled?: () => void;
};

export class MessageReader<T> implements AsyncIterable<T> {
  readonly #stream: Readable;
  readonly #options: MessageReaderOptions<T>;
  #over: boolean;
  #failure: { readonly error: unknown } | undefined;
  #changed = false;
  #wake = () => {};

  constructor(stream: Readable, options: MessageReaderOptions<T>) {
    this.#stream = stream;
    this.#options = options;
    this.#over = stream.destroyed;
    const finish = () => {
      this.#over = true;
      this.#notify();
    };
    stream.on("readable", () => this.#notify());
    stream.on("end", finish);
    stream.on("close", finish);
    stream.on("cancelled", finish);
    // grpc-js does not destroy the stream on an error: what has arrived is still read, then "end"
    // comes.
    stream.on("error", (error) => {
      this.#failure = { error };
    });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const bytes: Buffer | null = this.#stream.read();
      if (bytes !== null) {
        this.#options.onTaken?.();
        try {
          const pause = this.#options.pace?.();
          if (pause !== undefined) await pause;
          yield this.#options.decode(bytes);
        } finally {
          this.#options.onHandled?.();
        }
      } else if (this.#over) {
        // When the peer resets the stream, its end shows first. Wait until the error is known.
        await new Promise((resolve) => setImmediate(resolve));
        const failure = this.#failure && this.#options.failureOf(this.#failure.error);
        if (failure !== undefined) throw failure;
        return;
      } else {
        await this.#change();
      }
    }
  }

  #notify(): void {
    this.#changed = true;
    this.#wake();
  }

  async #change(): Promise<void> {
    if (!this.#changed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#changed = false;
  }
}
