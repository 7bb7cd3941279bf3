/**
 * How fast blocks take what waits, learned from the latest ones. Only a block that was filled says
 * so, if the one before it was, too: any other held what there was, and it may have come just then.
 * But a block that was faster than all this tells that the estimate is too low, however few records
 * it held.
 */

/** Blocks that are learned from: some seconds of them. */
const samplesMax = 16;

/** `cost` as in the pool's turns (pool.ts). */
export type Served = { readonly cost: number; readonly isFull: boolean; readonly nowMs: number };

type Sample = { readonly cost: number; readonly ms: number };

export class ServiceRate {
  /** The latest one last. */
  readonly #samples: Sample[] = [];
  #last: Served | undefined;

  /** A block with records has been appended; `nowMs` is monotonic. */
  onServed(served: Served): void {
    const last = this.#last;
    this.#last = served;
    if (last === undefined) return;
    const sample = { cost: served.cost, ms: Math.max(1, served.nowMs - last.nowMs) };
    const isBacklog = served.isFull && last.isFull;
    if (!isBacklog && sample.ms >= this.msFor(sample.cost)) return;
    this.#samples.push(sample);
    if (this.#samples.length > samplesMax) this.#samples.shift();
  }

  /** How long it takes to serve so much; 0 while nothing is known. */
  msFor(cost: number): number {
    const sum = { cost: 0, ms: 0 };
    for (const sample of this.#samples) {
      sum.cost += sample.cost;
      sum.ms += sample.ms;
    }
    return sum.cost === 0 ? 0 : (cost * sum.ms) / sum.cost;
  }
}
