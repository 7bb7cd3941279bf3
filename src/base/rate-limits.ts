/**
 * Work that others cause, charged to whoever causes it: each causer has a bucket of units (bytes,
 * milliseconds, log lines: what the owner counts) that refills with time. A causer that has used up
 * its bucket waits; nobody else notices.
 */
export type RateLimit = {
  /** Units that come back in a second. */
  readonly perSecond: number;
  /** Units that a causer may spend at once after a rest. */
  readonly burst: number;
};

type RateLimitsOptions = RateLimit & {
  /** Causers that are kept apart. Beyond it, those who come new share one bucket. */
  readonly causersMax: number;
};

type Bucket = { units: number; atMs: number };

/** Units; so that a rounding error of the refill costs nobody a second attempt. */
const tolerance = 1e-6;
/** What every causer shares who comes when as many as are allowed are remembered. */
const crowd = "\0crowd";

export class RateLimits {
  readonly #options: RateLimitsOptions;
  /** Those who spent longest ago come first. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: RateLimitsOptions) {
    this.#options = options;
  }

  /**
   * Takes `units` if the causer has them, and returns 0; takes nothing otherwise, and returns the
   * milliseconds after which it will have them. More than the burst is never there at once: such a
   * piece of work is let through when the bucket is full, and puts its causer into debt.
   */
  take(causer: string, units: number, nowMs: number): number {
    const bucket = this.#refilled(causer, nowMs);
    const needed = Math.min(units, this.#options.burst);
    if (bucket.units + tolerance < needed) return this.#msUntil(needed - bucket.units);
    bucket.units -= units;
    return 0;
  }

  /**
   * Takes `units` that are spent already, if need be as a debt; less than none gives back. Charges
   * put nobody deeper into debt than one burst, so that it is paid off in the time of one.
   */
  charge(causer: string, units: number, nowMs: number): void {
    const bucket = this.#refilled(causer, nowMs);
    const deepest = Math.min(bucket.units, -this.#options.burst);
    bucket.units = Math.max(bucket.units - units, deepest);
  }

  /** Milliseconds until the causer is out of debt; 0 if it is in none. */
  msInDebt(causer: string, nowMs: number): number {
    const { units } = this.#refilled(causer, nowMs);
    return units >= 0 ? 0 : this.#msUntil(-units);
  }

  #msUntil(units: number): number {
    return Math.ceil(((units - tolerance) / this.#options.perSecond) * 1000);
  }

  #refilled(causer: string, nowMs: number): Bucket {
    const { burst, perSecond } = this.#options;
    const key = this.#keyOf(causer, nowMs);
    const known = this.#buckets.get(key);
    const bucket = known ?? { units: burst, atMs: nowMs };
    const elapsedMs = Math.max(0, nowMs - bucket.atMs);
    bucket.units = Math.min(burst, bucket.units + (elapsedMs / 1000) * perSecond);
    bucket.atMs = Math.max(bucket.atMs, nowMs);
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    return bucket;
  }

  /** A causer whose bucket is full again is like a new one, and may be forgotten. */
  #keyOf(causer: string, nowMs: number): string {
    const { burst, perSecond, causersMax } = this.#options;
    if (this.#buckets.has(causer) || this.#buckets.size < causersMax) return causer;
    const [eldest] = this.#buckets;
    if (eldest === undefined) return crowd;
    const [key, { units, atMs }] = eldest;
    if (units + ((nowMs - atMs) / 1000) * perSecond < burst) return crowd;
    this.#buckets.delete(key);
    return causer;
  }
}
