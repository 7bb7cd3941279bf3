/**
 * Says in the log why a height does not end. A height that takes seconds is a fault of somebody:
 * after 10 s one line names whose signature is missing, then another one each time the wait has
 * doubled, and every 5 min in the end; and one when it goes on.
 */
import type { RingWaiting } from "../consensus/waiting.js";

export type StallWatchPorts = {
  /** What the open height waits for; undefined while there is nothing to wait for. */
  readonly waiting: () => RingWaiting | undefined;
  readonly monotonicMs: () => number;
  readonly observe: {
    stalled(waiting: RingWaiting): void;
    /** The height at which the ring stood still is over, after so long. */
    wentOn(height: number, stalledMs: number): void;
  };
};

const lookEveryMs = 1_000;
const firstMs = 10_000;
const intervalMaxMs = 5 * 60_000;

type Stall = { readonly height: number; readonly nextMs: number; readonly lastMs: number };

export class StallWatch {
  readonly #ports: StallWatchPorts;
  #stall: Stall | undefined;
  #lookedAtMs = 0;

  constructor(ports: StallWatchPorts) {
    this.#ports = ports;
  }

  /** At least every second; more often costs nothing. */
  tick(): void {
    const { waiting, monotonicMs, observe } = this.#ports;
    if (monotonicMs() - this.#lookedAtMs < lookEveryMs) return;
    this.#lookedAtMs = monotonicMs();
    const now = waiting();
    if (this.#stall !== undefined && now?.height !== this.#stall.height) {
      observe.wentOn(this.#stall.height, this.#stall.lastMs);
      this.#stall = undefined;
    }
    if (now === undefined) return;
    const { height, heightMs: lastMs } = now;
    const nextMs = this.#stall?.nextMs ?? firstMs;
    if (lastMs >= nextMs) {
      observe.stalled(now);
      this.#stall = { height, lastMs, nextMs: lastMs + Math.min(lastMs, intervalMaxMs) };
    } else if (this.#stall !== undefined) {
      this.#stall = { ...this.#stall, lastMs };
    }
  }
}
