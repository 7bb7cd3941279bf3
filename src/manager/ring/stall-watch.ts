/**
 * Says in the log why a height does not end. A height that takes seconds is a fault of somebody:
 * after 10 s one line names whose signature is missing, then another one each time the wait has
 * doubled, and every 5 min in the end; and one when it goes on. The same for heights that do not
 * begin, as a block could not hold what waits.
 */
import type { RingWaiting } from "../../consensus/ring/waiting.js";

export type StallWatchPorts = {
  /** What the open height waits for; undefined while there is nothing to wait for. */
  readonly waiting: () => RingWaiting | undefined;
  /**
   * Who is missing, for people, while submissions wait and no block can hold them; undefined when
   * nobody is.
   */
  readonly held: () => string | undefined;
  readonly monotonicMs: () => number;
  readonly observe: {
    /** No height has begun for so long, though submissions wait. */
    held(what: string, heldMs: number): void;
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
  #held: { readonly sinceMs: number; readonly nextMs: number } | undefined;

  constructor(ports: StallWatchPorts) {
    this.#ports = ports;
  }

  /** At least every second; more often costs nothing. */
  tick(): void {
    const { waiting, monotonicMs, observe } = this.#ports;
    if (monotonicMs() - this.#lookedAtMs < lookEveryMs) return;
    this.#lookedAtMs = monotonicMs();
    const now = waiting();
    this.#watchHeld(now === undefined ? this.#ports.held() : undefined);
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
  #watchHeld(what: string | undefined): void {
    if (what === undefined) {
      this.#held = undefined;
      return;
    }
    const nowMs = this.#ports.monotonicMs();
    const { sinceMs, nextMs } = this.#held ?? { sinceMs: nowMs, nextMs: firstMs };
    const heldMs = nowMs - sinceMs;
    const isDue = heldMs >= nextMs;
    if (isDue) this.#ports.observe.held(what, heldMs);
    this.#held = { sinceMs, nextMs: isDue ? heldMs + Math.min(heldMs, intervalMaxMs) : nextMs };
  }
}
