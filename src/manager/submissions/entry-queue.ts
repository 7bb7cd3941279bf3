/**
 * What was let in and is not in the pool yet. It waits to be parsed and screened, in turn of the
 * participants and behind what other managers relay. How long so much takes is learned from those
 * that have got there: from how long each of them took, and what was to be served until its turn.
 */
import { WaitingCosts } from "../pool/waiting-costs.js";

/** Anything may take so long, whatever waits: only what is beyond tells of a queue. */
const unqueuedMs = 1_000;
/** What is left of what was learned before, each time. */
const remembered = 15 / 16;

/** A submission that was let in, and is not in the pool yet. */
export type Entry = {
  readonly participantId: string;
  /** As in the pool's turns. */
  readonly cost: number;
  /** It has been screened, and is in the pool now. */
  readonly arrive: () => void;
  /** It does not come any more, if it has not arrived. May be called again. */
  readonly end: () => void;
};

export class EntryQueue {
  readonly #costs = new WaitingCosts();
  readonly #monotonicMs: () => number;
  #learned = { cost: 0, ms: 0 };

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /** What of a participant is on its way. */
  costOf(participantId: string): number {
    return this.#costs.of(participantId);
  }

  /** What is served until so much more of a participant is there, itself included. */
  costUntil(participantId: string, cost: number): number {
    return this.#costs.until(participantId, cost);
  }

  /** How long it takes to serve so much; 0 while nothing is known. */
  msFor(cost: number): number {
    const learned = this.#learned;
    return learned.cost === 0 ? 0 : (cost * learned.ms) / learned.cost;
  }

  enter(participantId: string, cost: number): Entry {
    const enteredMs = this.#monotonicMs();
    const before = this.costUntil(participantId, cost);
    this.#costs.add(participantId, cost);
    let isOver = false;
    const over = (hasArrived: boolean) => {
      if (isOver) return;
      isOver = true;
      this.#costs.add(participantId, -cost);
      const ms = Math.max(0, this.#monotonicMs() - enteredMs - unqueuedMs);
      // Whoever gives up has waited so long at least.
      if (hasArrived || ms > this.msFor(before)) this.#learn(before, ms);
    };
    return { participantId, cost, arrive: () => over(true), end: () => over(false) };
  }

  #learn(cost: number, ms: number): void {
    const before = this.#learned;
    this.#learned = { cost: before.cost * remembered + cost, ms: before.ms * remembered + ms };
  }
}
