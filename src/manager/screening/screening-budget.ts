/**
 * What screening may cost. Records that get into a block are bounded by the pool, and by the blocks
 * themselves. Records that come to nothing, as a rule refuses them or the ledger has them already,
 * cost the same work: each participant may cause so many in a second at a manager, and whoever has
 * used that up is told when to come again.
 *
 * The price of all records is paid before they are looked at, and what was not in vain is given
 * back. What managers relay is on accounts of its own, for each pair of manager and participant,
 * and one for what no honest manager relays: a manager that relays what it should not, or relays
 * again what lacks something and is refused when it waits already, uses up no caller's budget.
 */
import { RateLimits } from "../../base/rate-limits.js";
import { workOfAll } from "../../ledger/records/intervals.js";
import type { ParsedRecord } from "../../ledger/records/records.js";
import { RpcError } from "../../rpc/rpc-error.js";

/**
 * Records in vain, of one participant: a large import that is sent again is refused as one. At once
 * are more than parsing the longest submission costs, so that few refused ones do not hold it up.
 */
export const refusalLimits = { perSecond: 100, burst: 5_000, causersMax: 10_000 } as const;
/** What a record that is on the ledger costs; a refused one costs 1. */
const onLedgerPrice = 1 / 8;

/**
 * Who makes this manager screen: a participant that calls it, or a manager that relays what a
 * participant submitted to it.
 */
export type Causer =
  | { readonly kind: "caller"; readonly id: string }
  /** What this manager took in before it was stopped. */
  | { readonly kind: "own"; readonly participantId: string }
  | {
      readonly kind: "manager";
      readonly id: string;
      /** Whose submission it is; empty before that is known, or if only the manager is to blame. */
      readonly participantId: string;
    };

/** What a piece of work found. */
type Found = {
  readonly refused: readonly { readonly record: ParsedRecord }[];
  readonly onLedger: readonly ParsedRecord[];
};

export class ScreeningBudget {
  readonly #monotonicMs: () => number;
  readonly #callers = new RateLimits(refusalLimits);
  /** By manager. */
  readonly #relays = new Map<string, RateLimits>();

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /**
   * Runs `work` on so many records of the causer, each as many as its work counts for. Work that
   * fails was in vain.
   *
   * @throws RpcError REFUSALS_EXHAUSTED when the causer has to wait
   */
  async spend<T>(
    causer: Causer,
    records: number,
    work: () => Promise<T>,
    found: (result: T) => Found | undefined,
  ): Promise<T> {
    if (causer.kind === "own") return work();
    const [limits, id] = this.#accountOf(causer);
    const price = Math.max(1, records);
    const waitMs = limits.take(id, price, this.#monotonicMs());
    if (waitMs > 0) throw exhausted(waitMs);
    const result = await work();
    const what = found(result);
    if (what !== undefined) limits.charge(id, priceOf(what) - price, this.#monotonicMs());
    return result;
  }

  /** Records that were to be ordered and are refused after all, to whoever brought them. */
  charge(causer: Causer, refused: number): void {
    const [limits, id] = this.#accountOf(causer);
    limits.charge(id, refused, this.#monotonicMs());
  }

  #accountOf(causer: Causer): readonly [RateLimits, string] {
    if (causer.kind === "caller") return [this.#callers, causer.id];
    if (causer.kind === "own") return [this.#callers, causer.participantId];
    const limits = this.#relays.get(causer.id) ?? new RateLimits(refusalLimits);
    this.#relays.set(causer.id, limits);
    return [limits, causer.participantId];
  }
}

/** What of it was in vain, in records. */
export function priceOf({ refused, onLedger }: Found): number {
  const refusedWork = workOfAll(refused.map(({ record }) => record));
  return refusedWork + workOfAll(onLedger) * onLedgerPrice;
}

function exhausted(waitMs: number): RpcError {
  const text =
    "too many records were refused or on the ledger already; " +
    `${refusalLimits.perSecond} in a second are looked at`;
  return new RpcError("REFUSALS_EXHAUSTED", text, { retryAfterMs: waitMs });
}
