/**
 * The pauses of long work on submissions, between its pieces. A node is one thread: while a height
 * is being voted on a pause is as long as the piece before it, so that the ring has at least half
 * of the thread however much there is to screen, and nobody is found absent for it.
 */
import type { Time } from "../../base/time.js";

export type Pause = () => Promise<void>;

/** A piece that took longer was held up by something else. */
const pauseMaxMs = 50;

/** The pauses of one piece of work, which begins now. */
export function pausesOf(
  { monotonicMs, after, breathe }: Pick<Time, "monotonicMs" | "after" | "breathe">,
  isVoting: () => boolean,
): Pause {
  let resumedMs = monotonicMs();
  return async () => {
    const workedMs = Math.min(monotonicMs() - resumedMs, pauseMaxMs);
    if (isVoting()) await new Promise<void>((resolve) => after(workedMs, resolve));
    else await breathe();
    resumedMs = monotonicMs();
  };
}
