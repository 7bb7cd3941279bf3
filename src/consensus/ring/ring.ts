/**
 * The managers' ring: one height after the other, each agreed on in rounds (rounds.ts).
 *
 * The driver calls `step` and `tick`, carries out what `ready` hands out, and after a decision is
 * on disk calls `advance`. A halted ring takes nothing in any more.
 */
import { assert } from "../../base/assert.js";
import { EvidenceWatch } from "../height/evidence-watch.js";
import {
  type BlockKey,
  type Clock,
  type HeightContext,
  heightOf,
  type Ready,
  type RingEvent,
  type RingStatus,
} from "./events.js";
import { NextHeight } from "./next-height.js";
import { Rounds, type RoundsOptions } from "./rounds.js";
import type { RingWaiting } from "./waiting.js";

type RingOptions = RoundsOptions;

export class Ring {
  readonly #options: RingOptions;
  readonly #watch: EvidenceWatch;
  readonly #nextHeight = new NextHeight();
  #context: HeightContext;
  #rounds: Rounds;
  #clock: Clock;
  #halted = false;

  constructor(options: RingOptions) {
    this.#options = options;
    this.#context = options.context;
    this.#clock = options.clock;
    this.#watch = new EvidenceWatch(options.context.height);
    this.#rounds = new Rounds(options);
    this.#watch.reach(this.#rounds.status().round);
    this.#watch.see({ kind: "seen", votes: options.restored?.votes ?? [] });
  }

  get height(): number {
    return this.#context.height;
  }

  status(): RingStatus {
    return this.#rounds.status();
  }

  /** What the open height waits for; undefined while it is idle, or over. */
  waiting(nowMs: number): RingWaiting | undefined {
    return this.#halted ? undefined : this.#rounds.waiting(nowMs);
  }

  /** Monotonic time at which `tick` has something to do, if no event comes before. */
  get nextDeadlineMs(): number | undefined {
    return this.#halted ? undefined : this.#rounds.nextDeadlineMs;
  }

  /**
   * Whether this manager may yet need the body of a block (id in hex) of this height: it is locked
   * on it, has found it accurate, or has asked for it. Of so many at most: see judgements.ts.
   */
  isBoundTo(block: BlockKey): boolean {
    return this.#rounds.isBoundTo(block);
  }

  /**
   * Takes in one event. Messages of the next height are kept; those of the two heights before count
   * for nothing, but what is signed twice is noticed there too.
   */
  step(event: RingEvent): void {
    if (this.#halted) return;
    if (event.kind !== "seen") {
      const height = heightOf(event) ?? this.height;
      if (height === this.height + 1) {
        this.#nextHeight.keep(event, height, this.#context.members);
      }
      if (height === this.height) {
        this.#rounds.step(event);
        this.#watch.reach(this.#rounds.status().round);
      }
    }
    this.#watch.see(event);
  }

  /** Lets time pass. */
  tick(clock: Clock): void {
    this.#clock = clock;
    if (this.#halted) return;
    this.#rounds.tick(clock);
    this.#watch.reach(this.#rounds.status().round);
  }

  /** Hands out what is to be done since the last call; see `Ready` for the order. */
  ready(): Ready | undefined {
    const ready = this.#rounds.ready(this.#watch.take());
    if (ready?.halt !== undefined) this.#halted = true;
    return ready;
  }

  /** Goes on to a later height, idle until something happens there. */
  advance(context: HeightContext): void {
    assert(context.height > this.height, "a ring only goes forward");
    const kept = this.#nextHeight.take();
    const isNext = context.height === this.height + 1;
    const { restored: _, ...options } = this.#options;
    this.#context = context;
    this.#watch.advance(context.height);
    this.#rounds = new Rounds({ ...options, context, clock: this.#clock });
    if (isNext) for (const event of kept) this.step(event);
  }
}
