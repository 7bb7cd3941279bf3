/**
 * Wakes those who wait for the next block. The signal carries no block: a waiter that is woken
 * reads from the store by height. So no block is skipped and none comes twice, in whatever order
 * signals and reads happen.
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

  /** How many wait now. */
  get waiting(): number {
    return this.#listeners.size;
  }
}
