/** How long a step may take: linear in the round, capped (protocol §4 "Timeouts"). */
import type { RoundTimeouts } from "../gen/bss/v1/genesis_pb.js";
import type { ExpiredStep } from "./events.js";

export function stepTimeoutMs(timeouts: RoundTimeouts, step: ExpiredStep, round: number): number {
  const base = {
    propose: timeouts.proposeMs,
    approve: timeouts.approveMs,
    verify: timeouts.verifyMs,
    commit: timeouts.commitMs,
  }[step];
  return Math.min(base + round * timeouts.stepMs, timeouts.maxMs);
}

/** The running timeouts of one round; each step's starts at most once. */
export class Deadlines {
  readonly #at = new Map<ExpiredStep, number>();
  readonly #started = new Set<ExpiredStep>();

  start(step: ExpiredStep, atMs: number): void {
    if (this.#started.has(step)) return;
    this.#started.add(step);
    this.#at.set(step, atMs);
  }

  /** Removes and returns the steps whose time is up, earliest first. */
  expire(nowMs: number): readonly ExpiredStep[] {
    const due = [...this.#at].filter(([, at]) => at <= nowMs).sort((a, b) => a[1] - b[1]);
    for (const [step] of due) this.#at.delete(step);
    return due.map(([step]) => step);
  }

  get nextMs(): number | undefined {
    const all = [...this.#at.values()];
    return all.length === 0 ? undefined : Math.min(...all);
  }
}
