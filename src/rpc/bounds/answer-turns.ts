/**
 * When long answers are read, and pages of listings, which are up to 4 MiB. A few are read at a
 * time, in turns between callers, and one of each caller. Its next one waits `restTimes` as long as
 * this one took to read, so that whoever asks without end takes no more than half of this process's
 * time, and a quarter where others need it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { FairLane } from "../../base/fair-lane.js";
import type { AnswerGroup, AnswerLimits } from "./server-limits.js";

export type AnswerTurnsOptions = {
  readonly limits: Pick<AnswerLimits, "pagesAtOnceMax" | "longAnswersAtOnceMax">;
  /** The share of the time in which this process had work lately, 0 to 1. */
  readonly busyShare: () => number;
  /** Whether something is under way that must not wait for answers to be read. */
  readonly isPressed: () => boolean;
};

/** Runs a part of an answer and counts its time. */
export type Reading = <R>(work: () => Promise<R>) => Promise<R>;

const pagesPerCallerMax = 1;
/** So that a manager that asks on many streams takes no other manager's place. */
const longAnswersPerCallerMax = 1;
/**
 * How long a caller rests after a page or a long answer while this process is busy or pressed, in
 * times of the reading.
 */
const restTimes = { busy: 3, else: 1 } as const;
/**
 * It rests no longer, as a reading that took so long was held up by something else. A node that
 * catches up asks elsewhere after 1.5 s, and takes who does not answer for 5 s for silent.
 */
const restMsMax = { page: 3_000, long: 1_000 } as const;
/** One caller that lists without end and rests as long keeps a process busy half of its time. */
const busyAbove = 3 / 4;

export class AnswerTurns {
  readonly #options: AnswerTurnsOptions;
  readonly #pages: FairLane;
  /** A long answer has its place from before it is read until its caller has taken it. */
  readonly #long: Readonly<Record<AnswerGroup, FairLane>>;
  /** What one caller has at a time, and its rest, which takes no place in a lane from others. */
  readonly #ofCallers = {
    page: new FairLane(Number.POSITIVE_INFINITY, pagesPerCallerMax),
    long: new FairLane(Number.POSITIVE_INFINITY, longAnswersPerCallerMax),
  };

  constructor(options: AnswerTurnsOptions) {
    this.#options = options;
    const { pagesAtOnceMax, longAnswersAtOnceMax } = options.limits;
    this.#pages = new FairLane(pagesAtOnceMax);
    const lane = () => new FairLane(longAnswersAtOnceMax, longAnswersPerCallerMax);
    this.#long = { clients: lane(), managers: lane(), storageNodes: lane() };
  }

  /** Whether some of the group wait for others' long answers to be taken. */
  isCrowded(group: AnswerGroup): boolean {
    return this.#long[group].isCrowded;
  }

  /** Reads a page when it is the caller's turn; clients have turns with all others together. */
  page<T>(group: AnswerGroup, causer: string, read: () => Promise<T>): Promise<T> {
    const side = group === "clients" ? "clients" : "peers";
    return this.#inRestedTurn("page", causer, (reading) =>
      this.#pages.run(causer, () => reading(read), side),
    );
  }

  /** Makes and sends a long answer in the caller's turn, which lasts until `send` resolves. */
  long<T>(group: AnswerGroup, causer: string, send: (read: Reading) => Promise<T>): Promise<T> {
    return this.#inRestedTurn("long", causer, (reading) =>
      this.#long[group].run(causer, () => send(reading)),
    );
  }

  /** Runs `work`; the causer's next one waits for a few times what the reading of this one took. */
  #inRestedTurn<T>(
    kind: keyof typeof restMsMax,
    causer: string,
    work: (reading: Reading) => Promise<T>,
  ): Promise<T> {
    let spentMs = 0;
    const reading: Reading = async (read) => {
      const startedMs = performance.now();
      try {
        return await read();
      } finally {
        spentMs += performance.now() - startedMs;
      }
    };
    return new Promise((resolve, reject) => {
      void this.#ofCallers[kind].run(causer, async () => {
        await work(reading).then(resolve, reject);
        const isBusy = this.#options.isPressed() || this.#options.busyShare() > busyAbove;
        const restMs = (isBusy ? restTimes.busy : restTimes.else) * spentMs;
        await sleep(Math.min(restMs, restMsMax[kind]));
      });
    });
  }
}
