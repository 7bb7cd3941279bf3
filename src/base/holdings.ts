/**
 * What others make this process hold (bytes in memory, connections, pending work), counted for
 * whoever causes it before it is taken. Each causer has a share and all have a total; what would
 * pass either is refused, and nothing that is held grows by it.
 */
export type HoldingsOptions = {
  readonly totalMax: number;
  readonly perCauserMax: number;
  /** What each causer may hold in any case, however much others hold; not part of the total. */
  readonly reservedPerCauser?: number;
  /** The part that one causer may have of what the others leave of the total. */
  readonly partOfFree?: number;
};

/** What stood in the way: the causer's own share, or what all others hold together. */
export type HoldingRefusal = "share" | "total";

export class Holdings {
  readonly #options: HoldingsOptions;
  readonly #held = new Map<string, number>();
  #total = 0;
  /** Of that, what is beyond the causers' reserves. */
  #common = 0;

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

  /** The causer that holds most, and how much; undefined if nobody holds anything. */
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
    const { totalMax, perCauserMax, partOfFree = 1 } = this.#options;
    const held = this.held(causer);
    const own = held + amount;
    if (own > perCauserMax) return "share";
    const others = this.#common - this.#commonOf(held);
    if (this.#commonOf(own) > totalMax - others) return "total";
    if (this.#commonOf(own) > (totalMax - others) * partOfFree) return "share";
    this.#set(causer, own);
    return undefined;
  }

  /** Gives back what was taken; more than the causer holds is not given, nor less than nothing. */
  giveBack(causer: string, amount: number): void {
    const held = this.held(causer);
    this.#set(causer, held - Math.min(Math.max(0, amount), held));
  }

  #set(causer: string, amount: number): void {
    const held = this.held(causer);
    this.#total += amount - held;
    this.#common += this.#commonOf(amount) - this.#commonOf(held);
    if (amount === 0) this.#held.delete(causer);
    else this.#held.set(causer, amount);
  }

  #commonOf(held: number): number {
    return Math.max(0, held - (this.#options.reservedPerCauser ?? 0));
  }
}
