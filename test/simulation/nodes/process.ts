/**
 * One run of a node's process. Production code knows nothing of its death: from then on no timer of
 * it fires, nothing that it waits for comes, and what it sends goes nowhere.
 */
import type { Time, Timer } from "../../../src/base/time.js";
import { genesisMs } from "../consortium.js";
import type { Scheduler } from "../scheduler.js";

export type ClockOptions = {
  readonly startMs: number;
  /** How much faster than the world's. */
  readonly rate: number;
  /** How far the wall clock is off. */
  readonly skewMs: number;
};

/** A node's clocks, over all of its processes: the monotonic one drifts, the other may be off. */
export class NodeClock {
  readonly scheduler: Scheduler;
  readonly #startMs: number;
  readonly #rate: number;
  #skewMs: number;

  constructor(scheduler: Scheduler, { startMs, rate, skewMs }: ClockOptions) {
    this.scheduler = scheduler;
    this.#startMs = startMs;
    this.#rate = rate;
    this.#skewMs = skewMs;
  }

  get monotonicMs(): number {
    return this.#startMs + this.scheduler.nowMs * this.#rate;
  }

  get wallMs(): number {
    return Math.floor(genesisMs + 1_000 + this.scheduler.nowMs + this.#skewMs);
  }

  /** The world's time for a time on this clock. */
  worldMs(ms: number): number {
    return ms / this.#rate;
  }

  /** The wall clock is set right. */
  correct(): void {
    this.#skewMs = 0;
  }
}

/** A moment more than asked for: a time-out is over when its timer fires. */
const timerSlackMs = 0.001;

export class Process {
  readonly time: Time;
  #alive = true;
  #active = true;
  readonly #onDeath: (() => void)[] = [];
  /** Messages that it still gets out before it dies; undefined while nothing is wrong. */
  sendsLeft: number | undefined;

  constructor(clock: NodeClock) {
    this.time = {
      wallMs: () => clock.wallMs,
      monotonicMs: () => clock.monotonicMs,
      attentiveMs: () => clock.monotonicMs,
      after: (delayMs, work) => this.#after(clock, delayMs, work),
      breathe: () => new Promise((resolve) => this.#after(clock, 0, resolve)),
    };
  }

  /** Something has reached it. */
  touch(): void {
    this.#active = true;
  }

  /** Whether something has reached it since the last call. */
  takeActivity(): boolean {
    const active = this.#active;
    this.#active = false;
    return active;
  }

  get alive(): boolean {
    return this.#alive;
  }

  onDeath(work: () => void): void {
    this.#onDeath.push(work);
  }

  die(): void {
    if (!this.#alive) return;
    this.#alive = false;
    for (const work of this.#onDeath) work();
  }

  #after(clock: NodeClock, delayMs: number, work: () => void): Timer {
    const worldMs = clock.worldMs(Math.max(0, delayMs)) + timerSlackMs;
    return clock.scheduler.after(worldMs, () => {
      if (!this.#alive) return;
      this.#active = true;
      work();
    });
  }
}

/** What a dead process waits for. */
export function never<T>(): Promise<T> {
  return new Promise(() => {});
}
