/**
 * Work that is done a few pieces at a time, in turns between those who cause it: a causer with a
 * thousand pieces waits behind its own, and a single piece of another causer is next.
 */
export class FairLane {
  readonly #atOnceMax: number;
  readonly #perCauserMax: number;
  #running = 0;
  readonly #runningOf = new Map<string, number>();
  /** What waits, by groups of those who cause it and by these; the first of each is next. */
  readonly #waiting = new Map<string, Map<string, (() => void)[]>>();

  /** `perCauserMax`: of the pieces at a time, those of one causer. */
  constructor(atOnceMax: number, perCauserMax = Number.POSITIVE_INFINITY) {
    this.#atOnceMax = atOnceMax;
    this.#perCauserMax = perCauserMax;
  }

  /** Whether somebody waits for another causer's work to be done. */
  get isCrowded(): boolean {
    return this.#running >= this.#atOnceMax && this.#next() !== undefined;
  }

  /** Groups have turns as those in a group have: however many are in one, the other is next. */
  async run<T>(causer: string, work: () => Promise<T>, group = ""): Promise<T> {
    if (this.#running < this.#atOnceMax && this.#mayRun(causer)) this.#begin(causer);
    else await this.#turnOf(group, causer);
    try {
      return await work();
    } finally {
      this.#end(causer);
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

  #mayRun(causer: string): boolean {
    return (this.#runningOf.get(causer) ?? 0) < this.#perCauserMax;
  }

  #begin(causer: string): void {
    this.#running += 1;
    this.#runningOf.set(causer, (this.#runningOf.get(causer) ?? 0) + 1);
  }

  #end(causer: string): void {
    this.#running -= 1;
    const left = (this.#runningOf.get(causer) ?? 1) - 1;
    if (left > 0) this.#runningOf.set(causer, left);
    else this.#runningOf.delete(causer);
  }

  /** The first in turn that may run. */
  #next(): readonly [string, string] | undefined {
    for (const [group, causers] of this.#waiting) {
      for (const causer of causers.keys()) if (this.#mayRun(causer)) return [group, causer];
    }
    return undefined;
  }

  /** The place goes to the next in turn, and its group and causer behind all others. */
  #passOn(): void {
    const [group, causer] = this.#next() ?? [];
    if (group === undefined || causer === undefined) return;
    const causers = this.#waiting.get(group);
    const turns = causers?.get(causer);
    const go = turns?.shift();
    causers?.delete(causer);
    if (turns !== undefined && turns.length > 0) causers?.set(causer, turns);
    this.#waiting.delete(group);
    if (causers !== undefined && causers.size > 0) this.#waiting.set(group, causers);
    // The place is taken before anybody else can come for it.
    this.#begin(causer);
    go?.();
  }
}
