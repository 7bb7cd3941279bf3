/**
 * The order in which waiting work of several causers goes first: as if each were served in turn,
 * and the turn were as long as what it costs. Whoever brings a thousand pieces waits behind itself;
 * the single piece of another one is among the first. What one causer brings stays in its order.
 *
 * It is fair queueing by virtual finish times. A piece gets its time when it comes and keeps it: it
 * starts where the last piece of its causer ends, or now, and ends after its cost. *Now* goes on
 * with what is served, divided among the causers that wait. So what comes later comes after what
 * waits already, and no causer gets past a large piece with more than the large piece's cost.
 *
 * Others may serve in another order. So now is never before the earliest start of what waits, nor
 * moved beyond the end of that piece: whoever comes new waits for no more than one piece of it.
 *
 * pool.ts says what a submission costs, and sorts by these turns.
 */
export type Turn = {
  readonly causer: string;
  start: number;
  /** What is served first has the least. */
  finish: number;
  /** It was tried in vain, so nobody has to wait for it. */
  isPostponed: boolean;
};

type Causer = { end: number; turns: number };

export class FairOrder {
  #now = 0;
  /** Of those that have a turn. */
  readonly #causers = new Map<string, Causer>();

  get causerCount(): number {
    return this.#causers.size;
  }

  /** `cost` is more than 0. */
  enter(causerId: string, cost: number): Turn {
    const causer = this.#causers.get(causerId) ?? { end: this.#now, turns: 0 };
    this.#causers.set(causerId, causer);
    const start = Math.max(this.#now, causer.end);
    causer.end = start + cost;
    causer.turns += 1;
    return { causer: causerId, start, finish: causer.end, isPostponed: false };
  }

  /** A piece of work became larger. */
  grow(turn: Turn, cost: number): void {
    turn.finish += cost;
    const causer = this.#causers.get(turn.causer);
    if (causer !== undefined) causer.end += cost;
  }

  /** So much of a piece will not be served; its causer's next one comes the earlier. */
  giveBack({ causer: id }: Turn, cost: number): void {
    const causer = this.#causers.get(id);
    if (causer !== undefined) causer.end -= cost;
  }

  /** Puts a piece behind what its causer has here by now; what comes later pays nothing for it. */
  postpone(turn: Turn): void {
    const cost = turn.finish - turn.start;
    turn.start = Math.max(this.#now, this.#causers.get(turn.causer)?.end ?? 0);
    turn.finish = turn.start + cost;
    turn.isPostponed = true;
  }

  leave({ causer: id }: Turn): void {
    const causer = this.#causers.get(id);
    if (causer === undefined) return;
    causer.turns -= 1;
    if (causer.turns === 0) this.#causers.delete(id);
  }

  /** So much was served while as many causers waited as `among`; this is what waits still. */
  advance(served: number, among: number, waiting: Iterable<Turn>): void {
    let first: Turn | undefined;
    for (const turn of waiting) {
      if (!turn.isPostponed && turn.start < (first?.start ?? Number.POSITIVE_INFINITY)) {
        first = turn;
      }
    }
    const now = this.#now + served / Math.max(1, among);
    if (first === undefined) this.#now = now;
    else this.#now = Math.max(this.#now, first.start, Math.min(now, first.finish));
  }
}
