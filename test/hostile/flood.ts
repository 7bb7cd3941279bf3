/**
 * A participant that calls Submit at every manager as fast as it is let, whatever comes back. What
 * comes back is counted and not read further.
 */
import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import type { BssClient } from "../../src/client/index.js";
import { BroadcastService, SubmitRequestSchema } from "../../src/gen/bss/v1/broadcast_pb.js";
import type { RpcChannel } from "../../src/rpc/channels/channel.js";
import { methodPath } from "../../src/rpc/message-codec.js";
import { rpcErrorOf } from "../../src/rpc/status-details.js";

export type FloodTarget = {
  /** Of the participant that floods. */
  readonly client: Pick<BssClient, "profile" | "sign">;
  /** To each manager, with the participant's certificate. */
  readonly channels: readonly RpcChannel[];
  /** A meter of somebody else. */
  readonly foreignMeter: string;
};

/** What came back, by reason → how often; "ok" is no refusal. */
export type FloodReport = { readonly counts: Readonly<Record<string, number>> };

export type FloodOptions = {
  /** The records of a submission. */
  readonly make: () => readonly Uint8Array[];
  /** Calls to each manager at a time. */
  readonly inFlight: number;
  /** Between the starts of two calls of one of these to a manager, ms. */
  readonly everyMs: number;
  readonly signal: AbortSignal;
};

const callMs = 120_000;

export async function flood(target: FloodTarget, options: FloodOptions): Promise<FloodReport> {
  setMaxListeners(0, options.signal);
  const counts: Record<string, number> = {};
  const send = async (channel: RpcChannel) => {
    while (!options.signal.aborted) {
      const submission = target.client.sign(options.make());
      const pause = sleep(options.everyMs);
      const request = toBinary(SubmitRequestSchema, create(SubmitRequestSchema, { submission }));
      const reason = await submit(channel, request, options.signal);
      counts[reason] = (counts[reason] ?? 0) + 1;
      await pause;
    }
  };
  await Promise.all(
    target.channels.flatMap((channel) =>
      Array.from({ length: options.inFlight }, () => send(channel)),
    ),
  );
  return { counts };
}

/** Sends bytes and says what the answer was: "ok", or the reason of the refusal. */
function submit(channel: RpcChannel, bytes: Uint8Array, signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    const asTheyAre = (some: Buffer) => some;
    const call = channel.grpcClient.makeUnaryRequest(
      methodPath(BroadcastService.method.submit),
      ...([asTheyAre, asTheyAre, Buffer.from(bytes)] as const),
      { deadline: Date.now() + callMs },
      (error) => {
        signal.removeEventListener("abort", cancel);
        resolve(error === null ? "ok" : rpcErrorOf(error).reason);
      },
    );
    const cancel = () => call.cancel();
    signal.addEventListener("abort", cancel);
  });
}
