/**
 * What of each causer waits, as one number each, and how much of all that is served until one of
 * them has got so much, when all are served in turn: of every other one as much as of it, or what
 * that one has, if that is less.
 *
 * Causers are counted by the power of two below their cost. Of a group whose costs are all smaller
 * everything is served, of one whose costs are all larger the same of each. Only in the group of
 * the causer itself it is an estimate, too high by less than the double. So an answer takes as many
 * steps as there are groups, however many wait.
 */
import { defined } from "../../base/assert.js";

export class WaitingCosts {
  readonly #costs = new Map<string, number>();
  readonly #groups = Array.from({ length: groupCount }, () => ({ causers: 0, cost: 0 }));

  of(causer: string): number {
    return this.#costs.get(causer) ?? 0;
  }

  /** What each causer has that has something. */
  get ofEach(): readonly number[] {
    return [...this.#costs.values()];
  }

  /** `change` is a multiple of `costStep`, so what comes and goes leaves nothing. */
  add(causer: string, change: number): void {
    const before = this.of(causer);
    const cost = before + change;
    if (before > 0) this.#count(before, -1);
    if (cost > 0) {
      this.#count(cost, 1);
      this.#costs.set(causer, cost);
    } else {
      this.#costs.delete(causer);
    }
  }

  /** What is served until so much more of a causer would be, itself included. */
  until(causer: string, more: number): number {
    const own = this.of(causer) + more;
    let all = more;
    for (const { causers, cost } of this.#groups) all += Math.min(cost, causers * own);
    return all;
  }

  #count(cost: number, causers: 1 | -1): void {
    const power = Math.max(0, Math.floor(Math.log2(cost)));
    const group = defined(this.#groups[power], "no memory holds what costs more");
    group.causers += causers;
    group.cost += causers * cost;
  }
}

const groupCount = 48;

/** Costs are whole numbers of this, whose sums are exact. */
export const costStep = 1 / 1_024;

/** As a cost that is counted. */
export function wholeCost(cost: number): number {
  return Math.ceil(cost / costStep) * costStep;
}
