/**
 * What others make this process hold (bytes in memory, connections, pending work), counted for
 * whoever causes it before it is taken. Each causer has a share and all have a total; what would
 * pass either is refused, and nothing that is held grows by it.
 */
export type HoldingsOptions = {
  readonly totalMax: number;
  readonly perCauserMax: number;
};

/** What stood in the way: the causer's own share, or what all others hold together. */
export type HoldingRefusal = "share" | "total";

export class Holdings {
  readonly #options: HoldingsOptions;
  readonly #held = new Map<string, number>();
  #total = 0;

  constructor(options: HoldingsOptions) {
    this.#options = options;
  }

  get total(): number {
    return this.#total;
  }

  /** How many causers hold something. */
  get causers(): number {
    return this.#held.size;
  }

  /** Whoever holds most, and how much; undefined when nobody holds anything. */
  most(): { readonly causer: string; readonly held: number } | undefined {
    let most: { readonly causer: string; readonly held: number } | undefined;
    for (const [causer, held] of this.#held) {
      if (most === undefined || held > most.held) most = { causer, held };
    }
    return most;
  }

  held(causer: string): number {
    return this.#held.get(causer) ?? 0;
  }

  /** What a refusal of this kind keeps to. */
  limit(refusal: HoldingRefusal): number {
    const { perCauserMax, totalMax } = this.#options;
    return refusal === "share" ? perCauserMax : totalMax;
  }

  /** Takes `amount` for the causer, or says what stands in the way and takes nothing. */
  take(causer: string, amount: number): HoldingRefusal | undefined {
    const { totalMax, perCauserMax } = this.#options;
    const own = this.held(causer) + amount;
    if (own > perCauserMax) return "share";
    if (this.#total + amount > totalMax) return "total";
    if (amount > 0) this.#held.set(causer, own);
    this.#total += amount;
    return undefined;
  }

  /** Gives back what was taken; more than the causer holds is not given. */
  giveBack(causer: string, amount: number): void {
    const held = this.held(causer);
    const given = Math.min(amount, held);
    this.#total -= given;
    if (given === held) this.#held.delete(causer);
    else this.#held.set(causer, held - given);
  }
}
