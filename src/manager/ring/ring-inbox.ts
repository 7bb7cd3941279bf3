/**
 * What waits for a turn of the ring's driver: events for the core, and jobs that change the chain.
 * It exists before all parts that post into it; only the driver takes from it.
 */
import type { Time, Timer } from "../../base/time.js";
import type { RingEvent } from "../../consensus/ring/events.js";

/** Events that wait for their turn; beyond, the oldest is dropped and counted. Peers send again. */
export const eventsMax = 20_000;

export type Job = {
  readonly kind: "job";
  readonly run: () => Promise<void>;
  /** Called instead of `run` when the loop has ended. */
  readonly giveUp: (error: Error) => void;
};

export type Turn = RingEvent | Job;

export class RingInbox {
  readonly #observe: { eventDropped(): void };
  readonly #turns: Turn[] = [];
  #jobsWaiting = 0;
  #wake: (() => void) | undefined;
  /** Something has come while the driver did not sleep. */
  #isWoken = false;
  #closed = false;
  /** Ends the sleep that runs when it is due; the next one takes it over if it is early enough. */
  #alarm: { readonly atMs: number; readonly timer: Timer } | undefined;

  constructor(observe: { eventDropped(): void }) {
    this.#observe = observe;
  }

  get length(): number {
    return this.#turns.length;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Hands an event to the core. Its signatures have been verified. */
  post(event: RingEvent): void {
    if (!this.#closed) this.#add(event);
  }

  /**
   * Runs `job` as a turn of its own, between two events. One that fails ends the loop, as it may
   * have changed the chain. Rejects when the loop has ended before its turn.
   */
  exclusive<T>(job: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(loopEnded());
      const run = async () => {
        try {
          resolve(await job());
        } catch (error) {
          reject(error);
          throw error;
        }
      };
      this.#add({ kind: "job", run, giveUp: reject });
    });
  }

  /** Lets the driver look again at what its parts say. */
  wake(): void {
    if (this.#wake === undefined) this.#isWoken = true;
    else this.#wake();
  }

  /** Nothing is taken any more. */
  close(): void {
    this.#closed = true;
    this.#alarm?.timer.cancel();
    this.#wake?.();
  }

  /** For the driver: what has waited longest. */
  next(): Turn | undefined {
    const turn = this.#turns.shift();
    if (turn?.kind === "job") this.#jobsWaiting -= 1;
    return turn;
  }

  /** For the driver: the job that has waited longest, whatever waits before it. */
  nextJob(): Job | undefined {
    if (this.#jobsWaiting === 0) return undefined;
    const index = this.#turns.findIndex(({ kind }) => kind === "job");
    const [turn] = this.#turns.splice(index, 1);
    this.#jobsWaiting -= 1;
    return turn?.kind === "job" ? turn : undefined;
  }

  /** For the driver: until something comes, or the time has come; perhaps earlier. */
  sleep(time: Time, deadlineMs: number | undefined): Promise<void> {
    if (this.#closed || this.#isWoken) {
      this.#isWoken = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
      this.#setAlarm(time, deadlineMs);
    });
  }

  /** Most sleeps end by an event long before their time, and the next one has the same. */
  #setAlarm(time: Time, deadlineMs: number | undefined): void {
    const isSet = this.#alarm !== undefined;
    if (deadlineMs === undefined || (isSet && (this.#alarm?.atMs ?? 0) <= deadlineMs)) return;
    this.#alarm?.timer.cancel();
    const timer = time.after(deadlineMs - time.monotonicMs(), () => {
      this.#alarm = undefined;
      this.#wake?.();
    });
    this.#alarm = { atMs: deadlineMs, timer };
  }

  /** For the driver: the loop has ended, so what waits for a turn gets none. */
  giveUp(): void {
    for (const turn of this.#turns.splice(0)) if (turn.kind === "job") turn.giveUp(loopEnded());
  }

  #add(turn: Turn): void {
    if (this.#turns.length >= eventsMax) {
      const oldest = this.#turns.findIndex((entry) => entry.kind !== "job");
      if (oldest !== -1) this.#turns.splice(oldest, 1);
      this.#observe.eventDropped();
    }
    if (turn.kind === "job") this.#jobsWaiting += 1;
    this.#turns.push(turn);
    this.wake();
  }
}

function loopEnded(): Error {
  return new Error("the manager has stopped working on its chain");
}
