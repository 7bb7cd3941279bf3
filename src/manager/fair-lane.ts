/**
 * Work that is done a few pieces at a time, in turn for those who cause it: whoever brings a
 * thousand pieces waits for itself, and a single piece of another one is next.
 */
export class FairLane {
  readonly #atOnceMax: number;
  #running = 0;
  /** What waits, by who causes it; the first is next. */
  readonly #waiting = new Map<string, (() => void)[]>();

  constructor(atOnceMax: number) {
    this.#atOnceMax = atOnceMax;
  }

  async run<T>(causer: string, work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#atOnceMax) this.#running += 1;
    else await this.#turnOf(causer);
    try {
      return await work();
    } finally {
      this.#passOn();
    }
  }

  #turnOf(causer: string): Promise<void> {
    return new Promise((resolve) => {
      const turns = this.#waiting.get(causer);
      if (turns === undefined) this.#waiting.set(causer, [resolve]);
      else turns.push(resolve);
    });
  }

  /** The place goes to the next in turn, and its causer behind all others. */
  #passOn(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#running -= 1;
      return;
    }
    const [causer, turns] = next;
    const go = turns.shift();
    this.#waiting.delete(causer);
    if (turns.length > 0) this.#waiting.set(causer, turns);
    go?.();
  }
}
