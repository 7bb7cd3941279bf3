/** Submissions that are encoded before their time comes, and what one call with one came to. */
import { setImmediate as breathe } from "node:timers/promises";
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

/**
 * Requests of one participant, each with `records` readings. Making them takes processor time that
 * the nodes on this machine need, so they are made before a load begins.
 */
export class Requests {
  readonly #client: BssClient;
  readonly #records: number;
  readonly #ready: Buffer[] = [];

  constructor(client: BssClient, records: number) {
    this.#client = client;
    this.#records = records;
  }

  /** Makes requests until `count` are ready. */
  async prepare(count: number): Promise<void> {
    while (this.#ready.length < count) {
      this.#ready.push(this.#make());
      // Connections have to answer pings meanwhile.
      await breathe();
    }
  }

  /** A request that nobody has sent yet; made now if none is ready. */
  next(): Buffer {
    return this.#ready.pop() ?? this.#make();
  }

  #make(): Buffer {
    const submission = this.#client.sign(hourlyReadings(this.#client.profile.id, this.#records));
    return Buffer.from(toBinary(SubmitRequestSchema, create(SubmitRequestSchema, { submission })));
  }
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
