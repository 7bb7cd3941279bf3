/** How an attack keeps its pace. */
import { setTimeout as sleep } from "node:timers/promises";

/** Waits, or less when the attack is over. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}

/** Does it now and then every `ms` until the attack is over. A failure counts as one. */
export async function every(
  ms: number,
  signal: AbortSignal,
  work: (turn: number) => Promise<void> | void,
): Promise<void> {
  for (let turn = 0; !signal.aborted; turn++) {
    await work(turn);
    await pause(ms, signal);
  }
}

/** How a call ended, or that it did not in time or before the attack was over. */
export async function endOf(
  answer: Promise<string>,
  ms: number,
  signal: AbortSignal,
): Promise<string> {
  const answered = new AbortController();
  const over = AbortSignal.any([signal, answered.signal]);
  const late = pause(ms, over).then(() => (signal.aborted ? "not awaited" : "no answer in time"));
  try {
    return await Promise.race([answer, late]);
  } finally {
    answered.abort();
  }
}
