/**
 * How fast the messages on storage nodes' streams are taken. What comes faster is not refused: it
 * waits, undecoded, and as a stream is read only one message ahead, the rest waits at its sender.
 * So nothing of an honest node is lost, and one that floods is the only one to notice.
 *
 * Managers have no such limit, as they pass on what others attest; what they say of themselves has
 * limits where it is taken (manager/peers/peer-receiver.ts).
 */
import { type RateLimit, RateLimits } from "../../base/rate-limits.js";
import type { Time } from "../../base/time.js";
import { causerOf, type Identity } from "../tls/tls-identity.js";

const causersMax = 10_000;

export class MessageRates {
  readonly #rates: RateLimits;
  readonly #time: Pick<Time, "monotonicMs" | "after">;

  constructor(limit: RateLimit, time: Pick<Time, "monotonicMs" | "after">) {
    this.#rates = new RateLimits({ ...limit, causersMax });
    this.#time = time;
  }

  /**
   * Counts a message, and resolves when it may be taken, or its call is over; undefined when it may
   * be taken at once.
   */
  take(identity: Identity, signal: AbortSignal): Promise<void> | undefined {
    if (identity.role !== "storage" || signal.aborted) return undefined;
    const { monotonicMs, after } = this.#time;
    const nowMs = monotonicMs();
    const causer = causerOf(identity);
    this.#rates.charge(causer, 1, nowMs);
    const waitMs = this.#rates.msInDebt(causer, nowMs);
    if (waitMs === 0) return undefined;
    return new Promise((resolve) => {
      const done = () => {
        timer.cancel();
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = after(waitMs, done);
      signal.addEventListener("abort", done);
    });
  }
}
