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
import { memoryBytesMaxOf } from "../../ledger/records/submissions.js";
import type { CallContext, ServerStream } from "../../rpc/server/handlers.js";
import type { ManagerObserver } from "../manager-observer.js";
import type { Waste } from "../peers/waste.js";
import type { Pool } from "../pool/pool.js";
import type { BlockTrigger } from "../ring/block-trigger.js";
import { type BroadcastSender, verdictsPerMessageMax } from "./broadcast-sender.js";
import type { Submissions } from "./submissions.js";

/** Relayed submissions of one manager that are looked at, or wait for it, at a time. */
const relaysMax = 128;
/**
 * What they take in memory, which is more than the longest message alone takes: a submission of a
 * thousand small records takes many times its bytes.
 */
export const relayedBytesMax = 32 * 2 ** 20;

type Context = {
  readonly observer: Pick<ManagerObserver, "dropped">;
  readonly waste: Pick<Waste, "rest">;
};

export type BroadcastReceiverParts = {
  readonly submissions: Pick<Submissions, "takeRelayed" | "takeObjections">;
  readonly pool: Pick<Pool, "own" | "verdict">;
  readonly trigger: Pick<BlockTrigger, "check">;
  readonly broadcast: Pick<BroadcastSender, "relayOpen">;
};

export class BroadcastReceiver {
  readonly #context: Context;
  readonly #parts: BroadcastReceiverParts;
  /** By manager: it may have several streams. */
  readonly #rooms = new Map<string, RelayRoom>();

  constructor(context: Context, parts: BroadcastReceiverParts) {
    this.#context = context;
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
    const room = this.#rooms.get(from) ?? new RelayRoom();
    this.#rooms.set(from, room);
    const relays = new Relays(room);
    for await (const { message, leftOut } of stream.messages) {
      await this.#context.waste.rest(from);
      if (message.case === "verdict") this.#takeVerdict(from, message.value);
      if (message.case === "objections") await this.#takeObjections(from, message.value);
      if (message.case !== "submission") continue;
      const { value: submission } = message;
      await relays.start(memoryBytesMaxOf(submission), async () => {
        const value = await this.#parts.submissions.takeRelayed(from, submission, leftOut);
        if (value !== undefined) await stream.write({ message: { case: "objections", value } });
      });
    }
    await relays.settled();
  }

  #takeVerdict(from: string, { submissionIds }: Verdict): void {
    if (submissionIds.length > verdictsPerMessageMax) {
      this.#context.observer.dropped(from, "TOO_MANY_VERDICTS");
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

/** Room for what one manager relays, on all of its streams. */
class RelayRoom {
  #count = 0;
  #byteCount = 0;
  #waiting: (() => void)[] = [];

  /** Resolves when there is room, and it was taken. */
  async take(byteCount: number): Promise<void> {
    while (!this.#has(byteCount)) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#count += 1;
    this.#byteCount += byteCount;
  }

  giveBack(byteCount: number): void {
    this.#count -= 1;
    this.#byteCount -= byteCount;
    for (const lookAgain of this.#waiting.splice(0)) lookAgain();
  }

  #has(byteCount: number): boolean {
    if (this.#count === 0) return true;
    return this.#count < relaysMax && this.#byteCount + byteCount <= relayedBytesMax;
  }
}

/** What one stream has brought and is not looked at yet: bounded, so the stream waits for it. */
class Relays {
  readonly #room: RelayRoom;
  readonly #running = new Set<Promise<void>>();
  #fault: { readonly error: unknown } | undefined;

  constructor(room: RelayRoom) {
    this.#room = room;
  }

  /** Resolves when the next one may come. */
  async start(byteCount: number, look: () => Promise<void>): Promise<void> {
    if (this.#fault !== undefined) throw this.#fault.error;
    await this.#room.take(byteCount);
    const work = look()
      .catch((error: unknown) => {
        this.#fault ??= { error };
      })
      .finally(() => {
        this.#room.giveBack(byteCount);
        this.#running.delete(work);
      });
    this.#running.add(work);
  }

  async settled(): Promise<void> {
    await Promise.all(this.#running);
    if (this.#fault !== undefined) throw this.#fault.error;
  }
}
