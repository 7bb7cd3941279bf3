/** A submission that is encoded before its time comes, and what one call with it came to. */
import { create, toBinary } from "@bufbuild/protobuf";
import type { BssClient } from "../../../src/client/index.js";
import { BroadcastService, SubmitRequestSchema } from "../../../src/gen/bss/v1/broadcast_pb.js";
import type { RpcChannel } from "../../../src/rpc/channels/channel.js";
import { methodPath } from "../../../src/rpc/message-codec.js";
import { rpcErrorOf } from "../../../src/rpc/status-details.js";
import { hourlyReadings } from "../../loads/readings.js";

/** A receipt, a refusal with its reason, or `silence`: the caller's own deadline came first. */
export type Outcome =
  | { readonly kind: "receipt" }
  | { readonly kind: "refusal"; readonly reason: string; readonly retryAfterMs: number }
  | { readonly kind: "silence" };

/** Managers end every call earlier than that, so whoever waits so long was forgotten. */
const deadlineMs = 90_000;

/** A request of `records` readings that nobody has sent yet. */
export function newRequest(client: BssClient, records: number): Buffer {
  const submission = client.sign(hourlyReadings(client.profile.id, records));
  return Buffer.from(toBinary(SubmitRequestSchema, create(SubmitRequestSchema, { submission })));
}

/** One call without a retry, so that every refusal shows. */
export function send(channel: RpcChannel, request: Buffer): Promise<Outcome> {
  const asTheyAre = (some: Buffer) => some;
  const startMs = performance.now();
  return new Promise((resolve) => {
    channel.grpcClient.makeUnaryRequest(
      methodPath(BroadcastService.method.submit),
      asTheyAre,
      asTheyAre,
      request,
      { deadline: Date.now() + deadlineMs },
      (thrown) => {
        if (thrown === null) return resolve({ kind: "receipt" });
        if (performance.now() - startMs >= deadlineMs) return resolve({ kind: "silence" });
        const { reason, retryAfterMs } = rpcErrorOf(thrown);
        resolve({ kind: "refusal", reason, retryAfterMs });
      },
    );
  });
}
