/**
 * What other managers say about submissions: on the BroadcastService streams that they have
 * dialled, and as answers on those that this one has dialled.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { hashBytes } from "../../crypto/hash.js";
import type {
  BroadcastRequest,
  BroadcastResponse,
  BroadcastResponseSchema,
  SignedObjections,
  Verdict,
} from "../../gen/bss/v1/broadcast_pb.js";
import type { Submission } from "../../gen/bss/v1/record_pb.js";
import type { CallContext, ServerStream } from "../../rpc/server/handlers.js";
import type { ManagerObserver } from "../manager-observer.js";
import type { Pool } from "../pool/pool.js";
import type { BlockTrigger } from "../ring/block-trigger.js";
import { type BroadcastSender, verdictsPerMessageMax } from "./broadcast-sender.js";
import type { Submissions } from "./submissions.js";

/** Relayed submissions of one manager that are looked at, or wait for it, at a time. */
const relaysMax = 128;
/** The same in bytes of their records; one that is longer is looked at by itself. */
const relayBytesMax = 8 * 2 ** 20;

export type BroadcastReceiverParts = {
  readonly submissions: Pick<Submissions, "takeRelayed" | "takeObjections">;
  readonly pool: Pick<Pool, "own" | "verdict">;
  readonly trigger: Pick<BlockTrigger, "check">;
  readonly broadcast: Pick<BroadcastSender, "relayOpen">;
};

export class BroadcastReceiver {
  readonly #observer: Pick<ManagerObserver, "dropped">;
  readonly #parts: BroadcastReceiverParts;

  constructor(
    { observer }: { readonly observer: Pick<ManagerObserver, "dropped"> },
    parts: BroadcastReceiverParts,
  ) {
    this.#observer = observer;
    this.#parts = parts;
  }

  /** A peer may have restarted with an empty pool: it gets again what is still open here. */
  onConnected(peerId: string): void {
    for (const own of this.#parts.pool.own()) this.#parts.broadcast.relayOpen(own, [peerId]);
  }

  /** A message on a stream that this manager dialled. */
  async onResponse(from: string, { message }: BroadcastResponse): Promise<void> {
    if (message.case === "verdict") this.#takeVerdict(from, message.value);
    if (message.case === "objections") await this.#takeObjections(from, message.value);
  }

  /**
   * The handler of BroadcastService.Broadcast. Submissions are looked at as their submitters' turns
   * come, so that what waits for one holds up neither another nor what is said between managers.
   */
  async serve(
    context: CallContext,
    stream: ServerStream<BroadcastRequest, MessageInitShape<typeof BroadcastResponseSchema>>,
  ): Promise<void> {
    const from = context.identity.id;
    const relays = new Relays();
    for await (const { message, leftOut } of stream.messages) {
      if (message.case === "verdict") this.#takeVerdict(from, message.value);
      if (message.case === "objections") await this.#takeObjections(from, message.value);
      if (message.case !== "submission") continue;
      const { value: submission } = message;
      await relays.start(recordBytesOf(submission), async () => {
        const value = await this.#parts.submissions.takeRelayed(from, submission, leftOut);
        if (value !== undefined) await stream.write({ message: { case: "objections", value } });
      });
    }
    await relays.settled();
  }

  #takeVerdict(from: string, { submissionIds }: Verdict): void {
    if (submissionIds.length > verdictsPerMessageMax) {
      this.#observer.dropped(from, "TOO_MANY_VERDICTS");
      return;
    }
    for (const id of submissionIds) {
      if (id.length === hashBytes) this.#parts.pool.verdict(from, id);
    }
    this.#parts.trigger.check();
  }

  #takeObjections(from: string, objections: SignedObjections): Promise<void> {
    return this.#parts.submissions.takeObjections(from, objections);
  }
}

function recordBytesOf({ records }: Submission): number {
  return records.reduce((sum, { length }) => sum + length, 0);
}

/** What one stream has brought and is not looked at yet: bounded, so the stream waits for it. */
class Relays {
  readonly #running = new Set<Promise<void>>();
  #byteCount = 0;
  #fault: { readonly error: unknown } | undefined;

  /** Resolves when the next one may come. */
  async start(byteCount: number, look: () => Promise<void>): Promise<void> {
    while (this.#running.size > 0 && !this.#hasRoomFor(byteCount)) {
      await Promise.race(this.#running);
    }
    if (this.#fault !== undefined) throw this.#fault.error;
    this.#byteCount += byteCount;
    const work = look()
      .catch((error: unknown) => {
        this.#fault ??= { error };
      })
      .finally(() => {
        this.#byteCount -= byteCount;
        this.#running.delete(work);
      });
    this.#running.add(work);
  }

  async settled(): Promise<void> {
    await Promise.all(this.#running);
    if (this.#fault !== undefined) throw this.#fault.error;
  }

  #hasRoomFor(byteCount: number): boolean {
    return this.#running.size < relaysMax && this.#byteCount + byteCount <= relayBytesMax;
  }
}
