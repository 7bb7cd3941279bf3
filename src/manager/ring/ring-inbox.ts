/**
 * What waits for a turn of the ring's driver: events for the core, and jobs that change the chain.
 * It exists before all parts that post into it; only the driver takes from it.
 */
import type { Time } from "../../base/time.js";
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
  /** Something has come between the last sleep and the next. */
  #isWoken = false;
  #closed = false;

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
    this.#isWoken = true;
    this.#wake?.();
  }

  /** Nothing is taken any more. */
  close(): void {
    this.#closed = true;
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

  /** For the driver: until something comes, or the time has come. */
  sleep(time: Time, deadlineMs: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wait = deadlineMs === undefined ? undefined : deadlineMs - time.monotonicMs();
      const timer = wait === undefined ? undefined : time.after(wait, () => done());
      const done = () => {
        timer?.cancel();
        this.#wake = undefined;
        resolve();
      };
      this.#wake = done;
      if (this.#closed || this.#isWoken) done();
      this.#isWoken = false;
    });
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
