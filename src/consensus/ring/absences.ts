/**
 * Which managers hold this height up, and since when (protocol §4.8).
 *
 * A manager is missing for this one from the moment when Q managers approve a block that this one
 * finds fine, and its ACCEPT is not there. It is no longer missing once its ACCEPT of such a block
 * comes while that block can still be committed in its round. One that comes later does not count:
 * a manager that accepts every block a little too late holds the ring up like one that is away.
 *
 * Only time in which this manager was attentive counts: what makes it slow is likely to make the
 * others slow too, and a manager that is slow together with all others is not absent.
 *
 * After `suspendAfterMs` this manager claims the absence when it makes a block, after half of that
 * it agrees with the claim of another: clocks and messages differ by less, so that a claim does not
 * cost a round because others have waited a moment less.
 */
export class Absences {
  readonly #suspendAfterMs: number;
  readonly #since = new Map<string, number>();

  /** Without a time nobody is ever missing. */
  constructor(suspendAfterMs: number | undefined) {
    this.#suspendAfterMs = suspendAfterMs ?? Number.POSITIVE_INFINITY;
  }

  /** `managerId` has not accepted a block that Q managers approve. */
  missed(managerId: string, nowMs: number): void {
    if (this.#suspendAfterMs === Number.POSITIVE_INFINITY) return;
    if (!this.#since.has(managerId)) this.#since.set(managerId, nowMs);
  }

  /** `managerId` has accepted such a block in time. */
  came(managerId: string): void {
    this.#since.delete(managerId);
  }

  /** Managers that a block made now may suspend; sorted. */
  claimed(nowMs: number): readonly string[] {
    const ids = [...this.#since.keys()].filter((id) =>
      this.#isDue(id, this.#suspendAfterMs, nowMs),
    );
    return ids.sort();
  }

  /**
   * Whether this manager agrees that all of them are missing; "later" if it will agree after some
   * time, unless one of them comes.
   */
  opinion(managerIds: readonly string[], nowMs: number): "agrees" | "later" | "disagrees" {
    if (managerIds.some((id) => !this.#since.has(id))) return "disagrees";
    const agrees = managerIds.every((id) => this.#isDue(id, this.#suspendAfterMs / 2, nowMs));
    return agrees ? "agrees" : "later";
  }

  /** When this manager will agree to, or claim, one more absence. */
  nextMs(nowMs: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const since of this.#since.values()) {
      for (const due of [since + this.#suspendAfterMs / 2, since + this.#suspendAfterMs]) {
        if (due > nowMs && due < next) next = due;
      }
    }
    return next;
  }

  #isDue(managerId: string, waitMs: number, nowMs: number): boolean {
    const since = this.#since.get(managerId);
    return since !== undefined && nowMs >= since + waitMs;
  }
}
