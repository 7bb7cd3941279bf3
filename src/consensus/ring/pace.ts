/**
 * How a height moves through time: the step that a manager is in, the timeouts of the round that
 * run, and when what is known is sent again. A timeout is linear in the round and capped
 * (protocol §4 "Timeouts").
 */
import type { RoundTimeouts } from "../../gen/bss/v1/genesis_pb.js";
import type { Clock, ExpiredStep, RingStep } from "./events.js";

export type PaceOptions = {
  readonly timeouts: RoundTimeouts;
  /** What is known of an undecided height is sent again after this time. */
  readonly resendMs: number;
  readonly clock: Clock;
};

export class Pace {
  readonly #timeouts: RoundTimeouts;
  readonly #resendMs: number;
  readonly #deadlines = new Map<ExpiredStep, number>();
  /** Each timeout of a round starts at most once. */
  readonly #started = new Set<ExpiredStep>();
  #clock: Clock;
  #round = 0;
  #step: RingStep = "idle";
  #sinceMs: number;
  #startedMs: number;
  #resendAtMs = Number.POSITIVE_INFINITY;

  constructor({ timeouts, resendMs, clock }: PaceOptions) {
    this.#timeouts = timeouts;
    this.#resendMs = resendMs;
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs;
    this.#startedMs = clock.monotonicMs;
  }

  get round(): number {
    return this.#round;
  }

  get step(): RingStep {
    return this.#step;
  }

  /** Monotonic time at which the step was entered. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** Monotonic time at which the height was started. */
  get startedMs(): number {
    return this.#startedMs;
  }

  get monotonicMs(): number {
    return this.#clock.monotonicMs;
  }

  get attentiveMs(): number {
    return this.#clock.attentiveMs;
  }

  get wallMs(): number {
    return this.#clock.wallMs;
  }

  /** When something is due; undefined while idle. */
  get nextMs(): number | undefined {
    if (this.#step === "idle") return undefined;
    return Math.min(this.#resendAtMs, ...this.#deadlines.values());
  }

  advance(clock: Clock): void {
    this.#clock = clock;
  }

  enterRound(round: number): void {
    if (this.#step === "idle") this.#startedMs = this.#clock.monotonicMs;
    this.#round = round;
    this.#deadlines.clear();
    this.#started.clear();
    this.enterStep("propose");
    this.startTimeout("propose");
    if (this.#resendAtMs === Number.POSITIVE_INFINITY) this.#scheduleResend();
  }

  enterStep(step: RingStep): void {
    this.#step = step;
    this.#sinceMs = this.#clock.monotonicMs;
  }

  startTimeout(step: ExpiredStep): void {
    if (this.#started.has(step)) return;
    this.#started.add(step);
    const timeoutMs = stepTimeoutMs(this.#timeouts, step, this.#round);
    this.#deadlines.set(step, this.#clock.monotonicMs + timeoutMs);
  }

  /** Removes and returns the timeouts that are over, earliest first. */
  takeExpired(): readonly ExpiredStep[] {
    const nowMs = this.#clock.monotonicMs;
    const due = [...this.#deadlines].filter(([, at]) => at <= nowMs).sort((a, b) => a[1] - b[1]);
    for (const [step] of due) this.#deadlines.delete(step);
    return due.map(([step]) => step);
  }

  /** Whether it is time to send again; the next time is set. */
  takeResend(): boolean {
    if (this.#clock.monotonicMs < this.#resendAtMs) return false;
    this.#scheduleResend();
    return true;
  }

  /** At the next tick: peers may have gone on while this manager was away. */
  resendAtOnce(): void {
    this.#resendAtMs = this.#clock.monotonicMs;
  }

  #scheduleResend(): void {
    this.#resendAtMs = this.#clock.monotonicMs + this.#resendMs;
  }
}

export function stepTimeoutMs(timeouts: RoundTimeouts, step: ExpiredStep, round: number): number {
  const base = {
    propose: timeouts.proposeMs,
    approve: timeouts.approveMs,
    verify: timeouts.verifyMs,
    commit: timeouts.commitMs,
  }[step];
  return Math.min(base + round * timeouts.stepMs, timeouts.maxMs);
}
