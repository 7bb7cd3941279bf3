/**
 * Jobs that must not overlap: each starts when the one before it has ended, in the order of the
 * calls.
 */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Resolves or rejects as `job` does. A job that fails does not hold up the next one. */
  run<T>(job: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(job);
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** Resolves when everything that has been handed in so far is over. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
