/**
 * Wakes those who wait for the next block. It carries no block: a waiter that is woken reads from
 * the store, by height, so however signals and reads interleave, no block is skipped and none comes
 * twice.
 */
export class HeadSignal {
  readonly #listeners = new Set<() => void>();

  /** To be called after each append, once the block can be read. */
  announce(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /** Resolves with the next announcement, or when `signal` aborts. */
  next(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        this.#listeners.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      this.#listeners.add(done);
      signal.addEventListener("abort", done, { once: true });
    });
  }

  /** Who waits now; for metrics and tests. */
  get waiting(): number {
    return this.#listeners.size;
  }
}
