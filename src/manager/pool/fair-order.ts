/**
 * The order in which waiting work of several causers goes first: as if each were served in turn,
 * and the turn were as long as what it costs. Whoever brings a thousand pieces waits behind itself;
 * the single piece of another one is among the first. What one causer brings stays in its order.
 *
 * It is fair queueing by virtual finish times. Each causer is at a time of its own, and its pieces
 * end after their costs from there, one after the other. What is served of it takes it on by its
 * cost, whichever of its pieces that was a part of: others may serve in another order, and large
 * pieces bit by bit. *Now* goes on with what is served, divided among the causers that wait, and is
 * where a causer begins that comes new. So what comes later comes after what waits already, and no
 * causer gets past a large piece with more than the large piece's cost.
 *
 * Now is never before the earliest time of a causer that waits, nor moved beyond the end of that
 * causer's first piece: whoever comes new waits for no more than what is left of one piece of it.
 *
 * pool.ts says what a submission costs, and sorts by these turns.
 */
import { WaitingCosts } from "./waiting-costs.js";

export type Turn = {
  readonly causer: string;
  /** What is left of it; only `FairOrder` changes it. */
  cost: number;
  /** What is served first has the least; as of the last `place`. */
  finish: number;
  /** It was tried in vain, so nobody has to wait for it. */
  isPostponed: boolean;
};

/** `turns` in the order in which they come. */
type Causer = { at: number; readonly turns: Set<Turn> };

export class FairOrder {
  #now = 0;
  /** Of those that have a turn. */
  readonly #causers = new Map<string, Causer>();
  /** Of all pieces but those that nobody has to wait for. */
  readonly #costs = new WaitingCosts();

  get causerCount(): number {
    return this.#causers.size;
  }

  /** What all pieces of each causer cost that waits. */
  get costs(): readonly number[] {
    return this.#costs.ofEach;
  }

  /** What all pieces of a causer cost. */
  costOf(causerId: string): number {
    return this.#costs.of(causerId);
  }

  /**
   * What is served until so much more of a causer would be, itself included; an estimate that
   * takes no notice of who has been served before its turn.
   */
  costUntil(causerId: string, cost: number): number {
    return this.#costs.until(causerId, cost);
  }

  /** `cost` is more than 0, and like all costs here a multiple of `costStep`. */
  enter(causerId: string, cost: number): Turn {
    const causer = this.#causers.get(causerId) ?? { at: this.#now, turns: new Set() };
    this.#causers.set(causerId, causer);
    const turn = { causer: causerId, cost, finish: 0, isPostponed: false };
    causer.turns.add(turn);
    this.#costs.add(causerId, cost);
    return turn;
  }

  /** A piece of work became larger. */
  grow(turn: Turn, cost: number): void {
    this.#setCost(turn, turn.cost + cost);
  }

  /** So much of a piece will not be served. */
  giveBack(turn: Turn, cost: number): void {
    this.#setCost(turn, Math.max(0, turn.cost - cost));
  }

  /** So much of a piece was served. */
  serve(turn: Turn, cost: number): void {
    this.giveBack(turn, cost);
    const causer = this.#causers.get(turn.causer);
    if (causer !== undefined) causer.at += cost;
  }

  /** Puts a piece behind what its causer has here by now. */
  postpone(turn: Turn): void {
    const causer = this.#causers.get(turn.causer);
    if (causer === undefined) return;
    causer.turns.delete(turn);
    causer.turns.add(turn);
    causer.at = Math.max(causer.at, this.#now);
    if (!turn.isPostponed) this.#costs.add(turn.causer, -turn.cost);
    turn.isPostponed = true;
  }

  leave(turn: Turn): void {
    const causer = this.#causers.get(turn.causer);
    this.#setCost(turn, 0);
    causer?.turns.delete(turn);
    if (causer?.turns.size === 0) this.#causers.delete(turn.causer);
  }

  /** So much was served in all while as many causers waited as `among`. */
  advance(served: number, among: number): void {
    const first = this.#first();
    const now = this.#now + served / Math.max(1, among);
    if (first === undefined) this.#now = now;
    else this.#now = Math.max(this.#now, first.at, Math.min(now, first.at + first.cost));
  }

  /** Works out when each piece ends. */
  place(): void {
    for (const { at, turns } of this.#causers.values()) {
      let end = at;
      for (const turn of turns) {
        end += turn.cost;
        turn.finish = end;
      }
    }
  }

  #setCost(turn: Turn, cost: number): void {
    if (!turn.isPostponed) this.#costs.add(turn.causer, cost - turn.cost);
    turn.cost = cost;
  }

  /** The earliest causer with a piece that somebody has to wait for, and the first one's cost. */
  #first(): { readonly at: number; readonly cost: number } | undefined {
    let first: { readonly at: number; readonly cost: number } | undefined;
    for (const { at, turns } of this.#causers.values()) {
      if (first !== undefined && at >= first.at) continue;
      for (const { cost, isPostponed } of turns) {
        if (isPostponed) continue;
        first = { at, cost };
        break;
      }
    }
    return first;
  }
}
