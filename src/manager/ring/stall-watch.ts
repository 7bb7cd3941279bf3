/**
 * Says in the log why a height does not end. A height that takes seconds is a fault of somebody:
 * after 10 s one line names whose signature is missing, then another one each time the wait has
 * doubled, and every 5 min in the end; and one when it goes on. The same for heights that do not
 * begin, as a block could not hold what waits.
 */
import type { Ring } from "../../consensus/ring/ring.js";
import type { ManagerContext } from "../manager-context.js";
import type { ManagerObserver } from "../manager-observer.js";
import type { Pool } from "../pool/pool.js";
import type { Availability } from "../submissions/availability.js";

type Context = Pick<ManagerContext, "monotonicMs"> & {
  readonly observer: Pick<ManagerObserver, "held" | "stalled" | "wentOn">;
};

export type StallWatchParts = {
  readonly ring: Pick<Ring, "waiting">;
  readonly pool: Pick<Pool, "submissionCount">;
  readonly availability: Pick<Availability, "whatIsMissing">;
};

const lookEveryMs = 1_000;
const firstMs = 10_000;
const intervalMaxMs = 5 * 60_000;

type Stall = { readonly height: number; readonly nextMs: number; readonly lastMs: number };

export class StallWatch {
  readonly #context: Context;
  readonly #parts: StallWatchParts;
  #stall: Stall | undefined;
  #lookedAtMs = 0;
  #held: { readonly sinceMs: number; readonly nextMs: number } | undefined;

  constructor(context: Context, parts: StallWatchParts) {
    this.#context = context;
    this.#parts = parts;
  }

  /** At least every second; more often costs nothing. */
  tick(): void {
    const { monotonicMs, observer } = this.#context;
    if (monotonicMs() - this.#lookedAtMs < lookEveryMs) return;
    this.#lookedAtMs = monotonicMs();
    const now = this.#parts.ring.waiting(monotonicMs());
    this.#watchHeld(now === undefined ? this.#whoIsMissing() : undefined);
    if (this.#stall !== undefined && now?.height !== this.#stall.height) {
      observer.wentOn(this.#stall.height, this.#stall.lastMs);
      this.#stall = undefined;
    }
    if (now === undefined) return;
    const { height, heightMs: lastMs } = now;
    const nextMs = this.#stall?.nextMs ?? firstMs;
    if (lastMs >= nextMs) {
      observer.stalled(now);
      this.#stall = { height, lastMs, nextMs: lastMs + Math.min(lastMs, intervalMaxMs) };
    } else if (this.#stall !== undefined) {
      this.#stall = { ...this.#stall, lastMs };
    }
  }
  /** Who is missing, for people, while submissions wait that no block can hold. */
  #whoIsMissing(): string | undefined {
    const { pool, availability } = this.#parts;
    return pool.submissionCount === 0 ? undefined : availability.whatIsMissing()?.message;
  }

  #watchHeld(what: string | undefined): void {
    if (what === undefined) {
      this.#held = undefined;
      return;
    }
    const nowMs = this.#context.monotonicMs();
    const { sinceMs, nextMs } = this.#held ?? { sinceMs: nowMs, nextMs: firstMs };
    const heldMs = nowMs - sinceMs;
    const isDue = heldMs >= nextMs;
    if (isDue) this.#context.observer.held(what, heldMs);
    this.#held = { sinceMs, nextMs: isDue ? heldMs + Math.min(heldMs, intervalMaxMs) : nextMs };
  }
}
