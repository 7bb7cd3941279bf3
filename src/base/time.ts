/**
 * Clocks and timers, as what needs them takes them in: a node runs on those of the machine, a
 * simulation on its own.
 */
export type Timer = { cancel(): void };

export type Time = {
  /** Unix time, ms. */
  readonly wallMs: () => number;
  /** Never goes back, ms. */
  readonly monotonicMs: () => number;
  /**
   * Never goes back, ms: runs with `monotonicMs` while this process waits for something to do, and
   * slower while it is busy, so that a wait for others allows for this process's own slowness.
   */
  readonly attentiveMs: () => number;
  /** Runs `work` once, after `delayMs`. */
  readonly after: (delayMs: number, work: () => void) => Timer;
  /** Resolves after everything else that is due has had its turn. */
  readonly breathe: () => Promise<void>;
};

/**
 * How much of the time in which this process is busy counts as attentive. If none did, a process
 * that others keep busy would wait for ever.
 */
const busyShare = 1 / 4;

export const systemTime: Time = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  attentiveMs: () => {
    const { idle, active } = performance.eventLoopUtilization();
    return idle + active * busyShare;
  },
  after: (delayMs, work) => {
    const timer = setTimeout(work, Math.max(0, delayMs));
    return { cancel: () => clearTimeout(timer) };
  },
  breathe: () => new Promise((resolve) => setImmediate(resolve)),
};

/** Runs a write and tells how long it took, unless it fails. */
export async function timed(
  { monotonicMs }: Pick<Time, "monotonicMs">,
  observe: { wrote(seconds: number): void },
  write: () => Promise<void>,
): Promise<void> {
  const startedMs = monotonicMs();
  await write();
  observe.wrote((monotonicMs() - startedMs) / 1_000);
}

/** Runs `work` every `periodMs` until it is cancelled. */
export function every(time: Pick<Time, "after">, periodMs: number, work: () => void): Timer {
  let timer: Timer;
  const next = () => {
    timer = time.after(periodMs, () => {
      next();
      work();
    });
  };
  next();
  return { cancel: () => timer.cancel() };
}
