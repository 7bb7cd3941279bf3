/**
 * How many attestations one manager can make this node sign: each is a write to its disk. A burst
 * as long as any honest manager needs, and then a few a second, for ever: a budget that could be
 * used up would let one manager take a node's voice from all others.
 */
export const burstMax = 64;
export const refillPerSecond = 4;

export class AttestationBudget {
  readonly #left = new Map<string, { tokens: number; atMs: number }>();

  /** Whether `managerId` may cause another one now; counts it. */
  take(managerId: string, nowMs: number): boolean {
    const known = this.#left.get(managerId) ?? { tokens: burstMax, atMs: nowMs };
    const refilled = known.tokens + ((nowMs - known.atMs) / 1_000) * refillPerSecond;
    const tokens = Math.min(burstMax, refilled);
    const allowed = tokens >= 1;
    this.#left.set(managerId, { tokens: allowed ? tokens - 1 : tokens, atMs: nowMs });
    return allowed;
  }
}
