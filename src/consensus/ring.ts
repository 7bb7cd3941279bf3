/**
 * The managers' ring: one height after the other, each agreed on in rounds (rounds.ts).
 *
 * The driver calls `step` and `tick`, carries out what `ready` hands out, and after a decision is
 * on disk calls `advance`. A halted ring takes nothing in any more.
 */
import { assert } from "../base/assert.js";
import { heightOf } from "./event-height.js";
import type { BlockKey, Clock, HeightContext, Ready, RingEvent, RingStatus } from "./events.js";
import { Rounds, type RoundsOptions } from "./rounds.js";

export type RingOptions = RoundsOptions;

/** Messages of the next height that are kept while this one is being finished. */
export const nextHeightEventsMax = 2048;

export class Ring {
  readonly #options: RingOptions;
  #rounds: Rounds;
  #clock: Clock;
  #halted = false;
  #nextHeight: RingEvent[] = [];

  constructor(options: RingOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#rounds = new Rounds(options);
  }

  get height(): number {
    return this.#rounds.height;
  }

  status(): RingStatus {
    return this.#rounds.status();
  }

  /** Monotonic time at which `tick` has something to do, if no event comes before. */
  get nextDeadlineMs(): number | undefined {
    return this.#halted ? undefined : this.#rounds.nextDeadlineMs;
  }

  /**
   * Whether this manager is bound to a block (id in hex) of this height, and must keep its body.
   */
  isBoundTo(block: BlockKey): boolean {
    return this.#rounds.isBoundTo(block);
  }

  /** Takes in one event. Messages of other heights are dropped, those of the next one kept. */
  step(event: RingEvent): void {
    if (this.#halted) return;
    const height = heightOf(event) ?? this.height;
    if (height === this.height) this.#rounds.step(event);
    const room = this.#nextHeight.length < nextHeightEventsMax;
    if (height === this.height + 1 && room) this.#nextHeight.push(event);
  }

  /** Lets time pass. */
  tick(clock: Clock): void {
    this.#clock = clock;
    if (!this.#halted) this.#rounds.tick(clock);
  }

  /** Hands out what is to be done since the last call; see `Ready` for the order. */
  ready(): Ready | undefined {
    const ready = this.#rounds.ready();
    if (ready?.halt !== undefined) this.#halted = true;
    return ready;
  }

  /** Goes on to a later height, idle until something happens there. */
  advance(context: HeightContext): void {
    assert(context.height > this.height, "a ring only goes forward");
    const kept = context.height === this.height + 1 ? this.#nextHeight : [];
    this.#nextHeight = [];
    const { restored: _, ...options } = this.#options;
    this.#rounds = new Rounds({ ...options, context, clock: this.#clock });
    for (const event of kept) this.step(event);
  }
}
