/** Messages that have arrived and wait to be read, one reader after the other's message. */
export class Inbox<T> {
  readonly #onRead: () => void;
  readonly #arrived: T[] = [];
  #end: { readonly error: Error | undefined } | undefined;
  #wake: (() => void) | undefined;
  #dead = false;

  /** `onRead` is told of each message that the reader takes. */
  constructor(onRead: () => void) {
    this.#onRead = onRead;
  }

  get unread(): number {
    return this.#arrived.length;
  }

  push(message: T): void {
    if (this.#dead || this.#end !== undefined) return;
    this.#arrived.push(message);
    this.#wake?.();
  }

  /** After what has arrived; an error is thrown to the reader. */
  end(error?: Error): void {
    if (this.#end !== undefined) return;
    this.#end = { error };
    this.#wake?.();
  }

  /** The reader is dead, and learns nothing. */
  kill(): void {
    this.#dead = true;
    this.#arrived.length = 0;
  }

  /** To be iterated once. */
  read<R>(decode: (message: T) => R): AsyncIterable<R> {
    const next = async (): Promise<IteratorResult<R>> => {
      for (;;) {
        const message = this.#dead ? undefined : this.#arrived.shift();
        if (message !== undefined) {
          this.#onRead();
          return { value: decode(message), done: false };
        }
        if (!this.#dead && this.#end !== undefined) {
          if (this.#end.error !== undefined) throw this.#end.error;
          return { value: undefined, done: true };
        }
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    };
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }
}
