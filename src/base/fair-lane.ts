/**
 * Work that is done a few pieces at a time, in turn for those who cause it: whoever brings a
 * thousand pieces waits for itself, and a single piece of another one is next.
 */
export class FairLane {
  readonly #atOnceMax: number;
  #running = 0;
  /** What waits, by groups of those who cause it and by these; the first of each is next. */
  readonly #waiting = new Map<string, Map<string, (() => void)[]>>();

  constructor(atOnceMax: number) {
    this.#atOnceMax = atOnceMax;
  }

  /** Groups have turns as those in a group have: however many are in one, the other is next. */
  async run<T>(causer: string, work: () => Promise<T>, group = ""): Promise<T> {
    if (this.#running < this.#atOnceMax) this.#running += 1;
    else await this.#turnOf(group, causer);
    try {
      return await work();
    } finally {
      this.#passOn();
    }
  }

  #turnOf(group: string, causer: string): Promise<void> {
    return new Promise((resolve) => {
      const causers = this.#waiting.get(group) ?? new Map<string, (() => void)[]>();
      this.#waiting.set(group, causers);
      const turns = causers.get(causer);
      if (turns === undefined) causers.set(causer, [resolve]);
      else turns.push(resolve);
    });
  }

  /** The place goes to the next in turn, and its group and causer behind all others. */
  #passOn(): void {
    const [nextGroup] = this.#waiting;
    const [next] = nextGroup?.[1] ?? [];
    if (nextGroup === undefined || next === undefined) {
      this.#running -= 1;
      return;
    }
    const [group, causers] = nextGroup;
    const [causer, turns] = next;
    const go = turns.shift();
    causers.delete(causer);
    if (turns.length > 0) causers.set(causer, turns);
    this.#waiting.delete(group);
    if (causers.size > 0) this.#waiting.set(group, causers);
    go?.();
  }
}
