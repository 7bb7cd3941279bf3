/**
 * Participants that submit to all managers: as many at a time as make the consortium as fast as it
 * is, or by a schedule, however late the answers are.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { RpcChannel } from "../../../src/rpc/channels/channel.js";
import { type Outcome, type Requests, send } from "./request.js";

/** One participant, with a channel to each manager. */
export type Sender = {
  readonly channels: readonly RpcChannel[];
  readonly requests: Requests;
};

export type Answer = {
  /** When it was due, was sent, and was answered: ms of `performance.now()`. */
  readonly dueMs: number;
  readonly sentMs: number;
  readonly answeredMs: number;
  readonly outcome: Outcome;
};

/** Each sender has `inFlight` requests at every manager until `endMs`. */
export async function closedLoad(
  senders: readonly Sender[],
  { inFlight, endMs }: { readonly inFlight: number; readonly endMs: number },
): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  const worker = async ({ requests }: Sender, channel: RpcChannel) => {
    while (performance.now() < endMs) {
      const dueMs = performance.now();
      const outcome = await send(channel, requests.next());
      answers.push({ dueMs, sentMs: dueMs, answeredMs: performance.now(), outcome });
      if (outcome.kind === "refusal") await sleep(outcome.retryAfterMs);
    }
  };
  await Promise.all(
    senders.flatMap((sender) =>
      sender.channels.flatMap((channel) =>
        Array.from({ length: inFlight }, () => worker(sender, channel)),
      ),
    ),
  );
  return answers;
}

/** Senders and managers in turn, `perS` requests a second until `endMs`, and no retries. */
export async function openLoad(
  senders: readonly Sender[],
  { perS, endMs }: { readonly perS: number; readonly endMs: number },
): Promise<readonly Answer[]> {
  const startMs = performance.now();
  const calls: Promise<Answer>[] = [];
  for (let made = 0; ; made++) {
    const dueMs = startMs + (made * 1_000) / perS;
    if (dueMs >= endMs) break;
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    const sender = senders[made % senders.length];
    const turn = Math.floor(made / senders.length);
    const channel = sender?.channels[turn % sender.channels.length];
    if (sender === undefined || channel === undefined) throw new Error("nobody sends");
    const sentMs = performance.now();
    const call = send(channel, sender.requests.next());
    calls.push(call.then((outcome) => ({ dueMs, sentMs, answeredMs: performance.now(), outcome })));
  }
  return Promise.all(calls);
}
