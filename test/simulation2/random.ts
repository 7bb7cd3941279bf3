/**
 * The one source of chance of a simulation: sfc32 (Chris Doty-Humphrey, PractRand), seeded through
 * SplitMix32. Everything that is random forks a stream of its own, so that more draws in one place
 * do not change what happens in another.
 */
import { assert, defined } from "../../src/base/assert.js";

export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    let state = seed >>> 0;
    const mixed = (): number => {
      state = (state + 0x9e3779b9) >>> 0;
      let z = state;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return (z ^ (z >>> 15)) >>> 0;
    };
    [this.#a, this.#b, this.#c] = [mixed(), mixed(), mixed()];
    for (let i = 0; i < 12; i++) this.next();
  }

  /** 32 uniform bits. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) >>> 0;
    this.#counter = (this.#counter + 1) >>> 0;
    this.#a = (this.#b ^ (this.#b >>> 9)) >>> 0;
    this.#b = (this.#c + (this.#c << 3)) >>> 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) >>> 0;
    return sum;
  }

  /** In [0, 1). */
  unit(): number {
    return this.next() / 2 ** 32;
  }

  /** An integer from 0 to `bound` − 1. */
  below(bound: number): number {
    assert(Number.isInteger(bound) && bound >= 1, "a bound is at least 1");
    return Math.floor(this.unit() * bound);
  }

  /** A real number in [min, max). */
  between(min: number, max: number): number {
    return min + this.unit() * (max - min);
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /** Exponentially distributed: many small values and a few large ones. */
  exponential(mean: number): number {
    return -Math.log(1 - this.unit()) * mean;
  }

  pick<T>(list: readonly T[]): T {
    return defined(list[this.below(list.length)], "one picks from a list that holds something");
  }

  shuffled<T>(list: readonly T[]): T[] {
    const out = [...list];
    for (let last = out.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      const moved = defined(out[last], "the index is in the list");
      out[last] = defined(out[other], "the index is in the list");
      out[other] = moved;
    }
    return out;
  }

  /** A stream of its own. */
  fork(): Random {
    return new Random(this.next());
  }
}
