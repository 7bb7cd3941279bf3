import type { Submission } from "../../gen/bss/v1/record_pb.js";

/**
 * The caller's submissions, one at a time: the next one stays until it is taken, whichever stream
 * asked for it.
 */
export class SubmissionSource {
  readonly #iterator: AsyncIterator<Submission> | Iterator<Submission>;
  #next: Promise<IteratorResult<Submission>> | undefined;
  #taken = 0;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(source: Iterable<Submission> | AsyncIterable<Submission>) {
    this.#iterator =
      Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  }

  get ended(): boolean {
    return this.#ended;
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  get failure(): unknown {
    return this.#failure?.error;
  }

  /** The next item, the same one until `take`. */
  peek(): Promise<IteratorResult<Submission>> {
    this.#next ??= this.#advance();
    return this.#next;
  }

  /** Takes what `peek` has given and returns its place. */
  take(): number {
    this.#next = undefined;
    return this.#taken++;
  }

  /**
   * Lets the source clean up, without waiting for it: it may be waiting for something that never
   * comes.
   */
  close(): void {
    if (this.#ended || this.failed) return;
    this.#ended = true;
    void Promise.resolve(this.#iterator.return?.()).catch(() => {});
  }

  #advance(): Promise<IteratorResult<Submission>> {
    const next = (async () => this.#iterator.next())();
    next.then(
      ({ done }) => {
        if (done === true) this.#ended = true;
      },
      (error) => {
        this.#failure = { error };
      },
    );
    return next;
  }
}
