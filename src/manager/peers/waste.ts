/**
 * What peers send in vain: messages that no node sends which keeps the rules, as a signature does
 * not hold or a value is none. Finding that out costs as much as a message that is right. Each peer
 * has a budget of them, and one that has used it up is read more slowly the more it owes: what it
 * sends next waits at its end, and a while after it has stopped it is heard as before.
 */
import { type RateLimit, RateLimits } from "../../base/rate-limits.js";
import type { Time } from "../../base/time.js";
import type { DropReason } from "../../metrics/label-values.js";

export const wasteLimit: RateLimit = { perSecond: 10, burst: 100 };
/** So long one message waits at most: even such a peer may have something to say. */
export const restMsMax = 1_000;
/** Managers, storage nodes. */
const peersMax = 10_000;

/**
 * Reasons for which nobody but the sender is to blame. What one node refuses as its ledger is at
 * another height, or as others have used up a budget, is not among them.
 */
const faults: ReadonlySet<DropReason> = new Set([
  "CLAIM_OF_ANOTHER",
  "FINDING_OF_ANOTHER",
  "FORK_NOT_PROVEN",
  "HEAD_OF_ANOTHER",
  "MESSAGE_MALFORMED",
  "SIGNATURE_INVALID",
  "TOO_MANY_VERDICTS",
  "VOTE_MALFORMED",
] satisfies readonly DropReason[]);

export class Waste {
  readonly #time: Pick<Time, "monotonicMs" | "after">;
  readonly #rates = new RateLimits({ ...wasteLimit, causersMax: peersMax });

  constructor(time: Pick<Time, "monotonicMs" | "after">) {
    this.#time = time;
  }

  /** A message of a peer was dropped. */
  note(from: string, reason: DropReason): void {
    if (faults.has(reason)) this.#rates.charge(from, 1, this.#time.monotonicMs());
  }

  /** Resolves when a peer's next message may be looked at; undefined when it may at once. */
  rest(from: string): Promise<void> | undefined {
    const owedMs = this.#rates.msInDebt(from, this.#time.monotonicMs());
    if (owedMs === 0) return undefined;
    const restMs = Math.min(owedMs, restMsMax);
    return new Promise((resolve) => void this.#time.after(restMs, resolve));
  }
}
