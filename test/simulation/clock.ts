/** A node's own clocks: its monotonic one starts anywhere and drifts, its wall clock may be off. */
import type { Clock } from "../../src/consensus/events.js";
import { genesisMs } from "./consortium.js";
import type { Scheduler } from "./scheduler.js";

export class NodeClock {
  readonly #scheduler: Scheduler;
  readonly #startMs: number;
  readonly #rate: number;
  #skewMs: number;

  constructor(scheduler: Scheduler, options: { startMs: number; rate: number; skewMs: number }) {
    this.#scheduler = scheduler;
    this.#startMs = options.startMs;
    this.#rate = options.rate;
    this.#skewMs = options.skewMs;
  }

  read(): Clock {
    const { nowMs } = this.#scheduler;
    return {
      monotonicMs: this.#startMs + nowMs * this.#rate,
      wallMs: Math.floor(genesisMs + 1_000 + nowMs + this.#skewMs),
    };
  }

  /** How long the scheduler has to wait for this clock to get there. */
  delayUntil(monotonicMs: number): number {
    return Math.max(0, (monotonicMs - this.read().monotonicMs) / this.#rate);
  }

  /** The wall clock is set right. */
  correct(): void {
    this.#skewMs = 0;
  }
}
