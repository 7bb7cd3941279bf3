export type BackoffOptions = {
  readonly initialMs: number;
  readonly maxMs: number;
  /** 0 inclusive to 1 exclusive. */
  readonly random?: () => number;
};

export const defaultBackoff: BackoffOptions = { initialMs: 100, maxMs: 2_000 };

/**
 * Waits between attempts. They double up to a cap, and each is drawn at random from its upper half,
 * so that nodes that lost the same peer do not all come back at the same moment.
 */
export class Backoff {
  readonly #options: BackoffOptions;
  #ceilingMs: number;

  constructor(options: BackoffOptions = defaultBackoff) {
    this.#options = options;
    this.#ceilingMs = options.initialMs;
  }

  nextMs(): number {
    const ceilingMs = Math.min(this.#ceilingMs, this.#options.maxMs);
    this.#ceilingMs = Math.min(ceilingMs * 2, this.#options.maxMs);
    const random = this.#options.random ?? Math.random;
    return ceilingMs / 2 + (ceilingMs / 2) * random();
  }

  reset(): void {
    this.#ceilingMs = this.#options.initialMs;
  }
}
